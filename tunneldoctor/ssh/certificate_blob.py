"""What is read from a certificate's bytes alone (PROTOCOL.certkeys of OpenSSH): the key in it, how it was signed."""

from __future__ import annotations

from tunneldoctor.model import visible
from tunneldoctor.ssh.blobs import Malformed, Reader, string

# How many fields the certified key itself has, between the nonce and the serial number; RSA and ECDSA have two.
_KEY_FIELDS = {"ssh-ed25519": 1, "sk-ssh-ed25519": 2, "sk-ecdsa-sha2-nistp256": 3}


def _certified(reader: Reader) -> tuple[str, list[bytes]]:
    """The plain key's type and fields, read from the start of a certificate. Raises Malformed, UnicodeDecodeError."""
    kind = reader.string().decode("ascii").removesuffix("-cert-v01@openssh.com")
    reader.string()  # nonce
    return kind, [reader.string() for _ in range(_KEY_FIELDS.get(kind, 2))]


def plain_key(blob: bytes) -> bytes | None:
    """The certified key's own blob, taken out of the certificate without looking at the rest; None if unreadable."""
    try:
        kind, fields = _certified(Reader(blob))
    except (Malformed, UnicodeDecodeError):
        return None
    return b"".join(string(each) for each in (kind.encode("ascii"), *fields))


def signature_algorithm(blob: bytes) -> str:
    """How the authority signed: the first word of the signature, which is the last field. Raises Malformed."""
    reader = Reader(blob)
    _certified(reader)
    reader.take(8 + 4)  # serial, type
    reader.string(), reader.string()  # key id, principals
    reader.take(8 + 8)  # validity
    for _ in range(4):  # critical options, extensions, reserved, the authority's key
        reader.string()
    return visible(Reader(reader.string()).string(), 60)
