"""One line of known_hosts: a marker, names, a key; and why no client can read it, where that is so."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

from tunneldoctor.ssh.blobs import fingerprint
from tunneldoctor.ssh.host_patterns import is_hash
from tunneldoctor.ssh.pins import Pin

#: Unreadable lines that are remembered one by one.
MOST_BAD_LINES = 50
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

#: The usual forms, checked to the last character, so that a million lines cost a million of these and no more: a name
#: and an Ed25519 or ECDSA key, whose lengths are fixed.
USUAL = re.compile(
    rb"(\|1\|[A-Za-z0-9+/]{27}=\|[A-Za-z0-9+/]{27}=|[^@#|\xef\s\0][^\s\0]*)[ \t]+"
    rb"(?:ssh-ed25519[ \t]+AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}"
    rb"|ecdsa-sha2-nistp256[ \t]+AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB[A-Za-z0-9+/]{87}=)(?:[ \t\r]|\Z)"
)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that no client can read, and why."""

    file: str
    number: int
    reason: str


class BadLines:
    """Lines that no client can read: how many, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[BadLine] = []

    def note(self, line: Line, reason: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < MOST_BAD_LINES:
            self.first.append(BadLine(line.file, line.number, reason))


class Line:
    """One line that is neither empty nor a comment."""

    __slots__ = ("blob", "file", "marker", "names", "number", "rest", "text")

    def __init__(self, file: str, number: int, text: bytes) -> None:
        self.file, self.number, self.text = file, number, text
        marked = text.startswith(b"@")
        fields = text.split(None, 2 if marked else 1)
        self.marker = fields.pop(0) if marked else b""
        self.names = fields[0] if fields else b""
        self.rest = fields[1].split(None, 2) if len(fields) > 1 else []
        self.blob = self._blob()

    def pin(self) -> Pin:
        """The key of a line that is readable."""
        assert self.blob is not None
        kind = self.rest[0].decode("ascii", "replace")
        marker = self.marker.decode("ascii").lstrip("@")
        return Pin(self.file, self.number, marker, kind, fingerprint(self.blob), self.blob)

    def unreadable(self) -> str | None:
        """Why no client can read the line, or None."""
        if b"\0" in self.text[:64]:
            return "not text in UTF-8 (UTF-16?)"
        if self.names.startswith(BYTE_ORDER_MARK):
            return "a byte order mark stands in front of the host name, and clients take it for a part of it"
        if self.marker not in (b"", b"@revoked", b"@cert-authority"):
            return "an unknown marker"
        if self.names.startswith(b"|") and not is_hash(self.names):
            return "a damaged hash of a host name"
        if len(self.rest) < 2:
            return "a host name, a key type and a key are expected; something is missing"
        if self.rest[0].isdigit():
            return "a key of SSH protocol 1"
        return None if self.blob is not None else "its key is damaged or cut short"

    def _blob(self) -> bytes | None:
        if len(self.rest) < 2:
            return None
        try:
            blob = binascii.a2b_base64(self.rest[1], strict_mode=True)
        except ValueError:
            return None
        kind = self.rest[0]
        return blob if blob[4 : 4 + len(kind)] == kind and _whole(blob) else None


def _whole(blob: bytes) -> bool:
    """True where the blob's fields fill it exactly."""
    at, end = 0, len(blob)
    while at + 4 <= end:
        at += 4 + int.from_bytes(blob[at : at + 4], "big")
    return at == end
