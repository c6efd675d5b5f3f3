"""What can be offered to an SSH server: a key that signs, and the certificate that goes with it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import paramiko

if TYPE_CHECKING:
    from tunneldoctor.ssh.certificates import Certificate


@dataclass(frozen=True, slots=True)
class Identity:
    """One key. ``source`` is shown (``file:~/.ssh/k``, ``agent``); ``fingerprint`` is ``SHA256:…`` of the plain key.

    ``certificate_first`` is False for a certificate that was only found beside the key: OpenSSH tries an explicit
    CertificateFile before the plain key, and ``KEY-cert.pub`` after it (pubkey_prepare in sshconnect2.c).
    """

    source: str
    key: paramiko.PKey
    fingerprint: str
    type: str
    certificate: Certificate | None = None
    certificate_first: bool = True

    @classmethod
    def of(cls, source: str, key: paramiko.PKey) -> Identity:
        """The identity of a bare key."""
        return cls(source, key, key.fingerprint, key.get_name())

    @property
    def public_line(self) -> str:
        """The public key as authorized_keys has it: type and base64."""
        return f"{self.type} {self.key.get_base64()}"

    @property
    def certificate_line(self) -> str | None:
        """The certificate as ``KEY-cert.pub`` has it; None without one."""
        return self.certificate.line if self.certificate else None

    def certified(self, certificate: Certificate, first: bool) -> Identity:
        """The same key with its certificate."""
        return replace(self, certificate=certificate, certificate_first=first)

    def offers(self) -> tuple[paramiko.PKey, ...]:
        """The keys to try, in OpenSSH's order; the one with the certificate is a copy, so that the plain key stays."""
        if self.certificate is None or "-cert-v01@" in self.key.get_name():  # an agent may hold the certificate alone
            return (self.key,)
        bearer = _copied(self.key)
        bearer.load_certificate(self.certificate.line)
        return (bearer, self.key) if self.certificate_first else (self.key, bearer)

    def name_of(self, offer: paramiko.PKey) -> str:
        """How one of the :meth:`offers` is spoken of, and by what name the manners of a run know its login again."""
        certified = offer.public_blob is not None or "-cert-v01@" in offer.get_name()
        return f"{self.fingerprint}{' with its certificate' if certified else ''}"


def _copied(key: paramiko.PKey) -> paramiko.PKey:
    if isinstance(key, paramiko.AgentKey):  # copy.copy() recurses without end in its __getattr__
        return paramiko.AgentKey(key.agent, key.blob, key.comment)
    return copy.copy(key)
