"""As much of DER (X.690) as tells which kind of key a file holds, and how an encrypted one is encrypted."""

from __future__ import annotations

from dataclasses import dataclass

from tunneldoctor.ssh.blobs import Malformed

_INTEGER, _OCTETS, _OBJECT, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PBES2, _SCRYPT = "1.2.840.113549.1.5.13", "1.3.6.1.4.1.11591.4.11"
#: Ciphers of encrypted PKCS#8 keys by their object identifiers (RFC 8018 appendix B, RFC 7292 appendix C).
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": "AES-128-CBC",
    "2.16.840.1.101.3.4.1.22": "AES-192-CBC",
    "2.16.840.1.101.3.4.1.42": "AES-256-CBC",
    "1.2.840.113549.3.7": "DES-EDE3-CBC",
    "1.2.840.113549.1.12.1.3": "PBE-SHA1-3DES",
    "1.2.840.113549.1.12.1.4": "PBE-SHA1-2DES",
    "1.2.840.113549.1.12.1.1": "PBE-SHA1-RC4-128",
    "1.2.840.113549.1.12.1.2": "PBE-SHA1-RC4-40",
    "1.2.840.113549.1.12.1.5": "PBE-SHA1-RC2-128",
    "1.2.840.113549.1.12.1.6": "PBE-SHA1-RC2-40",
    "1.2.840.113549.1.5.1": "PBE-MD2-DES",
    "1.2.840.113549.1.5.3": "PBE-MD5-DES",
    "1.2.840.113549.1.5.6": "PBE-MD5-RC2-64",
    "1.2.840.113549.1.5.10": "PBE-SHA1-DES",
    "1.3.14.3.2.7": "DES-CBC",
    "1.2.840.113549.3.2": "RC2-CBC",
    "1.3.6.1.4.1.3029.1.2": "BF-CBC",
    "1.2.840.113533.7.66.10": "CAST5-CBC",
}


@dataclass(frozen=True, slots=True)
class Encryption:
    """How an encrypted PKCS#8 key is encrypted. ``memory`` is in bytes, ``rounds`` are the hash's, both of the KDF."""

    cipher: str
    rounds: int
    memory: int = 0


def whole(data: bytes) -> bool:
    """True where *data* is one sequence and nothing else. Raises Malformed for one that is cut short."""
    if data[:1] != bytes([_SEQUENCE]):
        return False
    _, size, start = _head(data, 0)
    if start + size > len(data):
        raise Malformed(f"{start + size} bytes are announced, {len(data)} are there")
    return start + size == len(data)


def is_cut_short(data: bytes) -> bool:
    """True for a private key's beginning, a sequence with a version number in front, that lacks its end."""
    try:
        _, size, start = _head(data, 0)
    except Malformed:
        return False
    begins = data[:1] == bytes([_SEQUENCE]) and data[start : start + 3] in (b"\2\1\0", b"\2\1\1")
    return begins and start + size > len(data)


def label(data: bytes) -> str | None:
    """What stands between the dashes of a PEM file with these contents; None where they are no private key.

    RFC 8017 appendix A.1.2, RFC 5915 §3, RFC 5208 §5 and §6.
    """
    try:
        fields = _fields(_only(data))
        first, second = fields[0], fields[1]
        if first[0] == _SEQUENCE and second[0] == _OCTETS:
            return "ENCRYPTED PRIVATE KEY" if _fields(first[1])[0][0] == _OBJECT else None
    except (Malformed, IndexError):
        return None
    kinds: dict[tuple[int, bytes, int], str | None] = {
        (_INTEGER, b"\0", _SEQUENCE): "PRIVATE KEY",
        (_INTEGER, b"\1", _SEQUENCE): "PRIVATE KEY",
        (_INTEGER, b"\1", _OCTETS): "EC PRIVATE KEY",
        (_INTEGER, b"\0", _INTEGER): {9: "RSA PRIVATE KEY", 6: "DSA PRIVATE KEY"}.get(len(fields)),
    }
    return kinds.get((*first, second[0]))


def encryption(data: bytes) -> Encryption | None:
    """Read EncryptedPrivateKeyInfo (RFC 5208 §6, RFC 8018 §6); None where it can't be understood."""
    try:
        scheme, parameters = _fields(_fields(_only(data))[0][1])[:2]
        name = _object(scheme[1])
        if name != _PBES2:
            return Encryption(_CIPHERS.get(name, name), _number(_fields(parameters[1])[1]))
        derivation, cipher = (_fields(each[1]) for each in _fields(parameters[1])[:2])
        named = _object(cipher[0][1])
        rounds, memory = _cost(_object(derivation[0][1]), _fields(derivation[1][1]))
        return Encryption(_CIPHERS.get(named, named), rounds, memory)
    except (Malformed, IndexError, ValueError):
        return None


def _cost(derivation: str, parameters: list[tuple[int, bytes]]) -> tuple[int, int]:
    """Rounds and bytes of PBKDF2, or of scrypt (RFC 7914 §7.1: salt, N, r, p; 128 * N * r bytes)."""
    if derivation != _SCRYPT:
        return _number(parameters[1]), 0
    cost, blocks, lanes = (_number(each) for each in parameters[1:4])
    return cost * blocks * lanes, 128 * cost * blocks


def _only(data: bytes) -> bytes:
    """The contents of the one sequence that *data* begins with."""
    fields = _fields(data)
    if not fields or fields[0][0] != _SEQUENCE:
        raise Malformed("not a sequence")
    return fields[0][1]


def _fields(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents of what stands one after the other in *data*; no key has more than a few."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data) and len(found) < 16:
        tag, size, start = _head(data, at)
        at = start + size
        if at > len(data):
            raise Malformed("cut short")
        found.append((tag, data[start:at]))
    return found


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """The tag at *at*, the length of its contents, and where they begin (X.690 §8.1.3)."""
    if at + 2 > len(data):
        raise Malformed("cut short")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[at + 2 : start], "big")
    return data[at], size, start


def _number(field: tuple[int, bytes]) -> int:
    if field[0] != _INTEGER:
        raise Malformed("no number")
    return int.from_bytes(field[1], "big")


def _object(content: bytes) -> str:
    """An object identifier in dots (X.690 §8.19)."""
    if not content or len(content) > 32:
        raise Malformed("no object identifier")
    parts, part = [content[0] // 40, content[0] % 40], 0
    for byte in content[1:]:
        part = part << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(part)
            part = 0
    if content[0] >= 80:
        parts[:2] = [2, content[0] - 80]
    return ".".join(map(str, parts))
