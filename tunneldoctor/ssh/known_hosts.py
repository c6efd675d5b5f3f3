"""known_hosts, read the way OpenSSH reads it (sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT", hostfile.c).

Several files, each read in one pass with little memory, however large it is. A line that can't be read is named and
passed over; it never spoils the rest of the file.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tunneldoctor.model import visible
from tunneldoctor.ssh.host_patterns import Names, looked_up, names_filter, without_port
from tunneldoctor.ssh.known_hosts_line import BYTE_ORDER_MARK, USUAL, BadLines, Line
from tunneldoctor.ssh.pins import Pin, Pins

#: ssh_config(5), UserKnownHostsFile and GlobalKnownHostsFile.
_DEFAULT_FILES = (
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
)
_CHUNK = 1024 * 1024
#: Bytes of a line that are looked at: names and a key are shorter, and what follows them is a comment.
_LONGEST_LINE = 64 * 1024
_MOST_NAMES = 5
#: Seconds for finding the names under which a key is pinned too: a hint, not worth a wait.
_NAMES_PATIENCE = 1.5


class TooManyLines(Exception):
    """The files could not be gone through in the time given; the text says how far it came."""


@dataclass(frozen=True, slots=True)
class File:
    """One known_hosts file, or a text that is at hand. ``problem`` says why there is nothing to read."""

    name: str
    data: bytes | None = None
    problem: str | None = None
    path: Path | None = None

    def batches(self) -> Iterator[tuple[int, list[bytes]]]:
        """Its lines without their ends, many at a time, each time with the number of the first. Raises OSError."""
        if self.problem:
            return
        number, rest = 1, b""
        with self._open() as file:
            while chunk := file.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                yield number, lines
                number += len(lines)
                rest = rest[:_LONGEST_LINE]
        yield number, [rest]

    def _open(self) -> BinaryIO:
        return self.path.open("rb") if self.path else io.BytesIO(self.data or b"")


@dataclass(frozen=True, slots=True, repr=False)
class KnownHosts:
    """The files, in OpenSSH's order."""

    files: tuple[File, ...]

    def pins(self, host: str, port: int = 22, alias: str | None = None) -> Pins:
        """What is pinned for a server. Raises OSError where a file breaks off."""
        return self.examine(host, port, alias)[0]

    def examine(
        self, host: str, port: int = 22, alias: str | None = None, timeout: float | None = None
    ) -> tuple[Pins, BadLines]:
        """The same, and in the same pass the lines that nobody can read.

        Raises OSError, and TooManyLines once *timeout* seconds are over.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        name, bare = looked_up(host, port, alias), without_port(host, port, alias)
        found: list[Pin] = []
        by_bare_name: list[Pin] = []
        bad = BadLines()
        for line, names in self._candidates(names_filter(name, bare), deadline):
            if reason := line.unreadable():
                bad.note(line, reason)
            elif name in names:
                found.append(line.pin())
            elif bare in names:
                by_bare_name.append(line.pin())
        return Pins((alias or host).lower(), name, tuple(found), tuple(by_bare_name), owners=self.names_of), bad

    def names_of(self, blob: bytes) -> tuple[str, ...]:
        """``file:line`` and the name, for the first few lines that pin this very key under any name."""
        encoded, end = base64.b64encode(blob), time.monotonic() + _NAMES_PATIENCE
        places: list[str] = []
        for file in self.files:
            for first, lines in file.batches():
                places += [_place(file, at, line) for at, line in enumerate(lines, first) if encoded in line]
                if len(places) >= _MOST_NAMES or time.monotonic() > end:
                    return tuple(places[:_MOST_NAMES])
        return tuple(places)

    def _candidates(self, names_in: Callable[[bytes], Names], deadline: float | None) -> Iterator[tuple[Line, Names]]:
        """Lines that speak about the server, and lines that are not of the usual forms and need a closer look."""
        for file in self.files:
            for first, lines in file.batches():
                if deadline is not None and time.monotonic() > deadline:
                    raise TooManyLines(f"{file.name}:{first}")
                for number, raw in enumerate(lines, first):
                    usual = USUAL.match(raw)
                    names = names_in(usual[1]) if usual else ()
                    if usual and not names:
                        continue
                    if _is_entry(text := raw.strip()):
                        line = Line(file.name, number, text)
                        yield line, names or names_in(line.names)


def _is_entry(text: bytes) -> bool:
    content = text.removeprefix(BYTE_ORDER_MARK).lstrip()
    return bool(content) and not content.startswith(b"#")


def _place(file: File, number: int, line: bytes) -> str:
    name = line.split(None, 1)[0]
    return f"{file.name}:{number} ({'a hashed name' if name.startswith(b'|') else visible(name, 100)})"


def default_files() -> tuple[Path, ...]:
    """OpenSSH's own files for this user, whether they are there or not."""
    return tuple(Path(name).expanduser() for name in _DEFAULT_FILES)


def read(sources: Iterable[Path | File]) -> KnownHosts:
    """Known files, or texts that are already at hand. Never raises: OpenSSH passes over what it can't open."""
    return KnownHosts(tuple(source if isinstance(source, File) else _opened(source) for source in sources))


def _opened(path: Path) -> File:
    """Only a regular file is ever opened: a FIFO would wait for its writer."""
    try:
        if not path.is_file():
            return File(str(path), problem="is not there" if not path.exists() else "is not a file")
        path.open("rb").close()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return File(str(path), problem=f"can't be read ({reason or 'its name is not a path'})")
    return File(str(path), path=path)
