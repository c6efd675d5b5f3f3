"""OpenSSH's patterns, and the names in front of a known_hosts line: plain, hashed, negated (match.c, hostfile.c)."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Callable

#: Those of the names looked for that a line is about.
Names = tuple[str, ...]

_SSH_PORT = 22
_LONGEST_PATTERN = 1023  # match_pattern_list in match.c
_SALT = 20  # bytes; as many as SHA-1 gives
_STAR, _ANY = b"*?"


def looked_up(host: str, port: int = _SSH_PORT, alias: str | None = None) -> str:
    """What known_hosts must hold for a server: put_host_port in misc.c; ssh compares in lower case.

    A HostKeyAlias is looked up as it is, without a port (sshconnect.c).
    """
    if alias is not None:
        return alias.lower()
    return host.lower() if port == _SSH_PORT else f"[{host.lower()}]:{port}"


def without_port(host: str, port: int, alias: str | None) -> str | None:
    """The name that ssh falls back to; None where there is nothing to fall back from."""
    return host.lower() if alias is None and port != _SSH_PORT else None


def names_filter(*wanted: str | None) -> Callable[[bytes], Names]:
    """A function that says which of the *wanted* names a line's first field stands for."""
    looked_for = [(each, each.encode("utf-8", "surrogateescape")) for each in wanted if each]

    def names_in(field: bytes) -> Names:
        if field[:1] == b"|":
            return tuple(name for name, raw in looked_for if _hash_matches(field, raw))
        lower = field.lower()
        pattern = b"*" in lower or b"?" in lower
        return tuple(name for name, raw in looked_for if (pattern or raw in lower) and matches(raw, lower))

    return names_in


def matches(name: bytes, patterns: bytes) -> bool:
    """match_pattern_list in match.c: a ``!pattern`` that fits ends the matter; else one fitting pattern is enough."""
    matched = False
    for pattern in patterns.split(b","):
        if len(pattern) > _LONGEST_PATTERN:
            return False
        negated = pattern.startswith(b"!")
        if fits(name, pattern[1:] if negated else pattern):
            if negated:
                return False
            matched = True
    return matched


def fits(name: bytes, pattern: bytes) -> bool:
    """match_pattern in match.c: ``*`` and ``?`` and nothing else.

    Linear in practice, so that no pattern can hold the examination up.
    """
    at = here = 0
    star, resume = -1, 0
    while at < len(name):
        if here < len(pattern) and pattern[here] == _STAR:
            star, resume = here, at
            here += 1
        elif here < len(pattern) and pattern[here] in (_ANY, name[at]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = resume, star + 1
        else:
            return False
    return not pattern[here:].strip(b"*")


def hashed(name: str) -> str:
    """*name* as HashKnownHosts writes it: ``|1|salt|hash`` (host_hash in hostfile.c)."""
    salt = os.urandom(_SALT)
    digest = hmac.digest(salt, name.encode("utf-8", "surrogateescape"), "sha1")
    return "|1|" + "|".join(base64.b64encode(part).decode("ascii") for part in (salt, digest))


def is_hash(names: bytes) -> bool:
    """True where ``|1|salt|hash`` is whole."""
    parts = names.split(b"|")
    if len(parts) != 4 or parts[1] != b"1":
        return False
    try:
        return all(len(binascii.a2b_base64(part, strict_mode=True)) == _SALT for part in parts[2:])
    except ValueError:
        return False


def _hash_matches(names: bytes, wanted: bytes) -> bool:
    """HMAC-SHA1 of the name, keyed with the salt; the two are 20 bytes, so 28 characters of base64, each."""
    if len(names) != 60:
        return False
    try:
        salt = binascii.a2b_base64(names[3:31])
    except ValueError:
        return False
    return binascii.b2a_base64(hmac.digest(salt, wanted, "sha1"), newline=False) == names[32:]
