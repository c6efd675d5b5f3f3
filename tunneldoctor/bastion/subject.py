"""Whom a look from the bastion is about: the values that the script gets, and that its output repeats."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from tunneldoctor.model import Address, Value

if TYPE_CHECKING:
    from tunneldoctor.ssh.certificates import Certificate

_PORTS = frozenset(map(str, range(65536)))
#: Where the script has our address from when it runs in the admin's own session, which came the tunnel's way.
_AS_SEEN = "${SSH_CONNECTION%% *}"
#: A symptom of the forward that the way to the database explains, and not sshd's settings.
_ON_THE_WAY = ("forward.connect-failed",)


@dataclass(frozen=True, slots=True)
class Subject:
    """A login that was refused, a forward, or a database behind one: ``symptom`` is its code.

    ``address`` is ours as the bastion sees it, ``key`` the public key that was offered (``type base64``),
    ``algorithm`` what it was offered with, ``certificate`` that line where one was offered. ``engine`` is the
    database's kind, ``name`` what its certificate is to be for, ``presented`` the SHA-256 of the certificate that came
    instead, in hexadecimal. Empty: not known.
    """

    symptom: str
    user: str
    port: int
    host: str = ""
    tunnel: str = ""
    address: str = ""
    key: str = ""
    algorithm: str = ""
    certificate: str = ""
    target: Address | None = None
    engine: str = ""
    name: str = ""
    presented: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Subject:
        """The subject that an output speaks of. Raises ValueError for one without a symptom, a user or a port."""
        given = {name: value for name, value in values.items() if value and not value.startswith("{")}
        missing = {"symptom", "user", "port"} - given.keys()
        if missing:
            raise ValueError(f"it does not say which {', '.join(sorted(missing))} it is about")
        if not {given["port"], given.get("database_port", "0")} <= _PORTS:
            raise ValueError("its ports are no numbers")
        host = given.get("database", "")
        return cls(
            symptom=given["symptom"],
            user=given["user"],
            port=int(given["port"]),
            host=given.get("host", ""),
            tunnel=given.get("tunnel", ""),
            address=given.get("from", ""),
            key=given.get("key", ""),
            algorithm=given.get("algorithm", ""),
            certificate=given.get("certificate", ""),
            target=Address(host, int(given.get("database_port", "0"))) if host else None,
            engine=given.get("engine", ""),
            name=given.get("name", ""),
            presented=given.get("presented", ""),
        )

    @property
    def fingerprint(self) -> str:
        """``SHA256:…`` of the key; empty where the key is not known or not readable."""
        from tunneldoctor.ssh.blobs import Malformed, decode, fingerprint

        try:
            return fingerprint(decode(self.key.split()[1]))
        except (IndexError, Malformed):
            return ""

    @property
    def rsa_bits(self) -> int | None:
        """The length of an RSA key (RFC 4253 §6.6: the type, the exponent, the modulus); None for any other key."""
        from tunneldoctor.ssh.blobs import Malformed, Reader, decode

        try:
            reader = Reader(decode(self.key.split()[1]))
            kind, _ = reader.string(), reader.string()
            return int.from_bytes(reader.string()).bit_length() if kind == b"ssh-rsa" else None
        except (IndexError, Malformed):
            return None

    @property
    def params(self) -> dict[str, Value]:
        """What a page about this login may name."""
        return {
            "username": self.user,
            "public_key": self.key or None,
            "credential": self.fingerprint or "the key",
            "target": str(self.target) if self.target else None,
        }

    def certificate_facts(self) -> Certificate | None:
        """What the certificate says; None without one, or with one that can't be read."""
        from tunneldoctor.ssh.certificates import CertificateError, read

        try:
            return read(self.certificate.encode()) if self.certificate else None
        except CertificateError:
            return None


def script(symptom: str) -> str:
    """The script that looks into *symptom*, which wants a subject's values in front of it."""
    name = "database.sh" if symptom.startswith("db.") or symptom in _ON_THE_WAY else "look.sh"
    return files("tunneldoctor.bastion").joinpath(name).read_text("utf-8")


def script_about(subject: Subject) -> str:
    """The script with *subject*'s values, ready for a POSIX shell; our address is that of the session it runs in."""
    values = {
        "symptom": subject.symptom,
        "tunnel": subject.tunnel,
        "host": subject.host,
        "port": str(subject.port),
        "user": subject.user,
        "key": subject.key,
        "algorithm": subject.algorithm,
        "certificate": subject.certificate,
        "database": subject.target.host if subject.target else "",
        "database_port": str(subject.target.port) if subject.target else "",
        "engine": subject.engine,
        "name": subject.name,
        "presented": subject.presented,
    }
    quoted = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([*quoted, f"from={_AS_SEEN}", script(subject.symptom)])
