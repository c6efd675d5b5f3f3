"""known_hosts, read the way OpenSSH reads it (sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT", hostfile.c).

Patterns, negation, hashed names, markers, ``[host]:port``, several files. A line that can't be read is named and
passed over; it never spoils the rest of the file.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tunneldoctor.model import visible
from tunneldoctor.ssh.blobs import fingerprint
from tunneldoctor.ssh.pins import Pin, Pins

#: ssh_config(5), UserKnownHostsFile and GlobalKnownHostsFile.
_DEFAULT_FILES = (
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
)
#: More than a million lines, in bytes; what lies beyond is not read.
LARGEST = 512 * 1024 * 1024
#: Unreadable lines that are remembered one by one.
MOST_BAD_LINES = 50
_MOST_NAMES = 5
#: Lines between two looks at the clock, less one: a power of two.
_CLOCK_MASK = 0x3FFF
_SSH_PORT = 22
_LONGEST_PATTERN = 1023  # match_pattern_list in match.c


class TooManyLines(Exception):
    """The files could not be gone through in the time given."""


@dataclass(frozen=True, slots=True)
class File:
    """One known_hosts file; ``data`` is None where it is absent or can't be read, ``problem`` says which."""

    name: str
    data: bytes | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that no client can read, and why."""

    file: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class KnownHosts:
    """The files, in OpenSSH's order."""

    files: tuple[File, ...]

    def pins(self, host: str, port: int = _SSH_PORT, alias: str | None = None) -> Pins:
        """What is pinned for a server. A HostKeyAlias is looked up as it is, without a port (sshconnect.c)."""
        return self.examine(host, port, alias)[0]

    def examine(
        self, host: str, port: int = _SSH_PORT, alias: str | None = None, timeout: float | None = None
    ) -> tuple[Pins, BadLines]:
        """The same, and in the same pass the lines that nobody can read.

        Raises TooManyLines once *timeout* seconds are over.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        name = _looked_up(host, port, alias)
        bare = host.lower() if alias is None and port != _SSH_PORT else None
        found: list[Pin] = []
        without_port: list[Pin] = []
        bad = BadLines()
        for line, names in self._candidates(_filter(name, bare), deadline):
            if reason := line.unreadable():
                bad.note(line, reason)
            elif name in names:
                found.append(line.pin())
            elif bare in names:
                without_port.append(line.pin())
        return Pins((alias or host).lower(), name, tuple(found), tuple(without_port), owners=self.names_of), bad

    def names_of(self, blob: bytes) -> tuple[str, ...]:
        """``file:line`` and the name, for the first few lines that pin this very key under any name."""
        encoded = base64.b64encode(blob)
        places: list[str] = []
        for file in self.files:
            data = file.data or b""
            at = data.find(encoded)
            while at >= 0 and len(places) < _MOST_NAMES:
                names = data[data.rfind(b"\n", 0, at) + 1 : at].strip().split(None, 1)[:1]
                shown = "a hashed name" if names[0].startswith(b"|") else visible(names[0], 100)
                places.append(f"{file.name}:{data.count(bytes([10]), 0, at) + 1} ({shown})")
                at = data.find(encoded, at + 1)
        return tuple(places)

    def _candidates(self, names_in: Callable[[bytes], Names], deadline: float | None) -> Iterator[tuple[Line, Names]]:
        """Lines that speak about the server, and lines that are not of the usual forms and need a closer look."""
        for file in self.files:
            data = (file.data or b"").removeprefix(b"\xef\xbb\xbf")
            for number, raw in enumerate(io.BytesIO(data), 1):
                if not number & _CLOCK_MASK and deadline is not None and time.monotonic() > deadline:
                    raise TooManyLines(f"{file.name}:{number}")
                usual = _USUAL.match(raw)
                names = names_in(usual[1]) if usual else ()
                if usual and not names:
                    continue
                text = raw.strip()
                if text and text[0] != 35:  # "#"
                    line = Line(file.name, number, text)
                    yield line, names or names_in(line.names)


Names = tuple[str, ...]


def _filter(*wanted: str | None) -> Callable[[bytes], Names]:
    """A function that says which of the *wanted* names a line's first field stands for."""
    looked_for = [(each, each.encode("utf-8", "surrogateescape")) for each in wanted if each]

    def names_in(field: bytes) -> Names:
        if field[:1] == b"|":
            return tuple(name for name, raw in looked_for if _hash_matches(field, raw))
        lower = field.lower()
        pattern = b"*" in lower or b"?" in lower
        return tuple(name for name, raw in looked_for if (pattern or raw in lower) and matches(raw, lower))

    return names_in


# The usual forms, checked to the last character, so that a million lines cost a million of these and no more: a name
# and an Ed25519 or ECDSA key, whose lengths are fixed.
_USUAL = re.compile(
    rb"(\|1\|[A-Za-z0-9+/]{27}=\|[A-Za-z0-9+/]{27}=|[^@#|\s\0][^\s\0]*)[ \t]+"
    rb"(?:ssh-ed25519[ \t]+AAAAC3NzaC1lZDI1NTE5AAAAI[A-P][A-Za-z0-9+/]{42}"
    rb"|ecdsa-sha2-nistp256[ \t]+AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB[A-Za-z0-9+/]{87}=)[ \t\r\n]"
)


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
        if self.marker not in (b"", b"@revoked", b"@cert-authority"):
            return "an unknown marker"
        if self.names.startswith(b"|") and _hash_parts(self.names) is None:
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


def _looked_up(host: str, port: int, alias: str | None) -> str:
    """put_host_port in misc.c; ssh compares in lower case."""
    if alias is not None:
        return alias.lower()
    return host.lower() if port == _SSH_PORT else f"[{host.lower()}]:{port}"


def _hash_parts(names: bytes) -> tuple[bytes, bytes] | None:
    """Salt and hash of ``|1|salt|hash`` (HASH_MAGIC in hostfile.h)."""
    parts = names.split(b"|")
    if len(parts) != 4 or parts[1] != b"1":
        return None
    try:
        salt, digest = (binascii.a2b_base64(part, strict_mode=True) for part in parts[2:])
    except ValueError:
        return None
    return (salt, digest) if len(salt) == len(digest) == 20 else None


def _hash_matches(names: bytes, wanted: bytes) -> bool:
    """HMAC-SHA1 of the name, keyed with the salt; the two are 20 bytes, so 28 characters of base64, each."""
    if len(names) != 60:
        return False
    try:
        salt = binascii.a2b_base64(names[3:31])
    except ValueError:
        return False
    return binascii.b2a_base64(hmac.digest(salt, wanted, "sha1"), newline=False) == names[32:]


def matches(name: bytes, patterns: bytes) -> bool:
    """match_pattern_list in match.c: a ``!pattern`` that fits ends the matter; else one fitting pattern is enough."""
    fits = False
    for pattern in patterns.split(b","):
        if len(pattern) > _LONGEST_PATTERN:
            return False
        negated = pattern.startswith(b"!")
        if _glob(name, pattern[1:] if negated else pattern):
            if negated:
                return False
            fits = True
    return fits


def _glob(name: bytes, pattern: bytes) -> bool:
    """``*`` and ``?`` and nothing else; linear in practice, so that no pattern can hold the examination up."""
    at = here = 0
    star, resume = -1, 0
    while at < len(name):
        if here < len(pattern) and pattern[here] == 42:  # "*"
            star, resume = here, at
            here += 1
        elif here < len(pattern) and pattern[here] in (63, name[at]):  # "?"
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = resume, star + 1
        else:
            return False
    return not pattern[here:].strip(b"*")


def default_files() -> tuple[Path, ...]:
    """OpenSSH's own files for this user, whether they are there or not."""
    return tuple(Path(name).expanduser() for name in _DEFAULT_FILES)


def read(sources: Iterable[Path | File]) -> KnownHosts:
    """Read files, or take texts that are already at hand. Never raises: OpenSSH passes over what it can't open."""
    return KnownHosts(tuple(source if isinstance(source, File) else _opened(source) for source in sources))


def _opened(path: Path) -> File:
    try:
        if not path.is_file():
            return File(str(path), None, "is not there" if not path.exists() else "is not a file")
        with path.open("rb") as file:
            return File(str(path), file.read(LARGEST))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return File(str(path), None, f"can't be read ({reason or 'its name is not a path'})")
