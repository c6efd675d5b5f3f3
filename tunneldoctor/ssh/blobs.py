"""The SSH wire forms that keys and certificates are made of (RFC 4251 §5), read with bounds."""

import base64
import binascii
import hashlib
import struct


class Malformed(ValueError):
    """The bytes are not what the format says; the text says where, and never holds the bytes."""


class Reader:
    """Takes RFC 4251 fields off the front of *data*. Every method raises :class:`Malformed` when too little is left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next *size* bytes."""
        if size > len(self._data) - self._at:
            raise Malformed(f"{size} bytes are announced, {len(self._data) - self._at} are there")
        self._at += size
        return self._data[self._at - size : self._at]

    def uint32(self) -> int:
        """A 32-bit number."""
        return int(struct.unpack(">I", self.take(4))[0])

    def string(self) -> bytes:
        """Bytes behind their 32-bit length."""
        return self.take(self.uint32())

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self._data) - self._at)


def string(data: bytes) -> bytes:
    """*data* behind its 32-bit length."""
    return struct.pack(">I", len(data)) + data


def key_type(blob: bytes) -> str:
    """The type that a public-key or certificate blob begins with. Raises :class:`Malformed`."""
    name = Reader(blob).string()
    if not 1 <= len(name) <= 64 or not name.isascii() or not name.decode("ascii").isprintable():
        raise Malformed("the key does not begin with a key type")
    return name.decode("ascii")


def fingerprint(blob: bytes) -> str:
    """``SHA256:…`` of a blob, written as ``ssh-keygen -l`` writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def public_line(blob: bytes) -> str:
    """The blob as files have it, ``type base64``. Raises :class:`Malformed`."""
    return f"{key_type(blob)} {base64.b64encode(blob).decode('ascii')}"


def decode(text: str | bytes) -> bytes:
    """Base64, strictly. Raises :class:`Malformed`."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("not base64") from error
