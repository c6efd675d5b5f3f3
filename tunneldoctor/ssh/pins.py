"""What is pinned for one SSH server, and what that says about the key it presents (check_host_key in sshconnect.c)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from tunneldoctor.ssh.blobs import fingerprint, key_type

#: OpenSSH's own order of preference (myproposal.h), by the type of the key.
PREFERENCE = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
_CERTIFIED = (*PREFERENCE[:4], "ssh-rsa")


class Trust(StrEnum):
    """What the pins say about a key. All but ``TRUSTED`` make OpenSSH end the connection under strict checking."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    OTHER_TYPE = "other type"
    WITHOUT_PORT = "pinned without port"
    REVOKED = "revoked"
    CERTIFICATE_UNTRUSTED = "certificate untrusted"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_NOT_YET_VALID = "certificate not yet valid"
    CERTIFICATE_WRONG_PRINCIPAL = "certificate wrong principal"


@dataclass(frozen=True, slots=True)
class Pin:
    """One line that speaks about the server. ``marker`` is empty, ``revoked`` or ``cert-authority``."""

    file: str
    number: int
    marker: str
    key_type: str
    fingerprint: str
    blob: bytes

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.number}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """``pins`` are the lines that decided, or that would have to change; ``because`` is more in words.

    ``presented`` and ``key_type`` are the plain key's, also where a certificate was presented. ``without_port``: the
    key is trusted by a line for the bare host only, which OpenSSH takes and other clients do not.
    """

    trust: Trust
    presented: str
    key_type: str
    pins: tuple[Pin, ...] = ()
    because: str = ""
    without_port: bool = False
    plain: bytes = b""

    @property
    def trusted(self) -> bool:
        """True where the server is the one it should be."""
        return self.trust is Trust.TRUSTED


@dataclass(frozen=True, slots=True, repr=False)
class Pins:
    """What is pinned for one server.

    ``name`` is what a certificate must name (host or alias), ``looked_up`` what known_hosts must hold
    (``[host]:port``); ``lines`` match that, ``bare`` only the host without its port. ``fingerprints`` (``host_key`` of
    the configuration) replace known_hosts where there are any. ``missing`` names files that could not be read.
    """

    name: str
    looked_up: str
    lines: tuple[Pin, ...] = ()
    bare: tuple[Pin, ...] = ()
    fingerprints: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    owners: Callable[[bytes], tuple[str, ...]] | None = None

    def key_types(self) -> tuple[str, ...]:
        """Types to negotiate first (order_hostkeyalgs in sshconnect2.c).

        Lines without the port don't count there; but with none that has it, certificates are what ssh asks for first.
        """
        plain = {pin.key_type for pin in self.lines if not pin.marker}
        authorities = self._authorities(self.lines if plain else (*self.lines, *self.bare))
        certified = [f"{kind}-cert-v01@openssh.com" for kind in _CERTIFIED] if authorities else []
        known = [kind for kind in PREFERENCE if kind in plain]
        return (*certified, *known, *sorted(plain.difference(PREFERENCE)))

    @property
    def empty(self) -> bool:
        """True where nothing at all speaks about the server."""
        return not (self.lines or self.bare or self.fingerprints)

    @staticmethod
    def _authorities(lines: tuple[Pin, ...]) -> tuple[Pin, ...]:
        return tuple(pin for pin in lines if pin.marker == "cert-authority")

    def line(self, judgement: Judgement) -> str:
        """The line of known_hosts that pins the key as it was presented."""
        return f"{self.looked_up} {judgement.key_type} {base64.b64encode(judgement.plain).decode('ascii')}"

    def elsewhere(self, blob: bytes) -> tuple[str, ...]:
        """Where this very key is pinned under another name."""
        return self.owners(blob) if self.owners else ()

    def judge_plain(self, blob: bytes) -> Judgement:
        """Judge a plain key's blob. Raises Malformed where it does not begin with a key type."""
        seen = Judgement(Trust.UNKNOWN, fingerprint(blob), key_type(blob), plain=blob)
        if self.fingerprints:
            trusted = seen.presented in {each.rstrip("=") for each in self.fingerprints}
            return replace(seen, trust=Trust.TRUSTED if trusted else Trust.CHANGED)
        judged = _by_lines(seen, self.lines, blob)
        return judged if judged.trust is not Trust.UNKNOWN else _by_bare_lines(seen, self.bare, blob)


def _by_lines(seen: Judgement, lines: tuple[Pin, ...], blob: bytes) -> Judgement:
    """check_hostkeys_by_key_or_type in hostfile.c: any equal line is enough, any other line makes it "changed"."""
    revoked = tuple(pin for pin in lines if pin.marker == "revoked" and pin.blob == blob)
    if revoked:
        return replace(seen, trust=Trust.REVOKED, pins=revoked)
    plain = tuple(pin for pin in lines if not pin.marker)
    equal = tuple(pin for pin in plain if pin.blob == blob)
    if equal:
        return replace(seen, trust=Trust.TRUSTED, pins=equal)
    same_type = tuple(pin for pin in plain if pin.key_type == seen.key_type)
    if same_type:
        return replace(seen, trust=Trust.CHANGED, pins=same_type)
    return replace(seen, trust=Trust.OTHER_TYPE, pins=plain) if plain else seen


def _by_bare_lines(seen: Judgement, bare: tuple[Pin, ...], blob: bytes) -> Judgement:
    """OpenSSH looks once more without the port, quietly: a match is enough, anything else leaves the key unknown."""
    judged = _by_lines(seen, bare, blob)
    if judged.trust in (Trust.TRUSTED, Trust.REVOKED):
        return replace(judged, without_port=True)
    if judged.trust is Trust.OTHER_TYPE:
        return replace(judged, trust=Trust.WITHOUT_PORT)
    return replace(
        seen, pins=judged.pins, because="another key is pinned for the host without its port" if judged.pins else ""
    )
