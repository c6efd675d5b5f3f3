"""The line by which an SSH server says who it is, and what may stand before it (RFC 4253 §4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tunneldoctor.net.services import identify

#: Most bytes that a server may send before its identification. OpenSSH's client takes 1024 lines of 8 KiB
#: (kex.c, SSH_MAX_PRE_BANNER_LINES, SSH_MAX_BANNER_LEN); nobody's legal notice is longer than this.
MOST_BEFORE = 64 * 1024
#: Longest identification that is taken; the RFC allows 255 characters.
LONGEST = 1024
#: So many first bytes tell every protocol that is known here.
_TELLING = 256
#: In an identification, or in what follows ``SSH-2.0-`` there.
_OPENSSH = re.compile(r"(?:SSH-[\d.]+-)?OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)")


class NotSsh(Exception):
    """What was received can't be the start of an SSH server's greeting. ``what`` names the protocol or says so."""

    def __init__(self, what: str) -> None:
        super().__init__(f"not SSH: {what}")
        self.what = what


class TooOld(Exception):
    """The server speaks SSH version 1 only; ``text`` is its identification."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(slots=True)
class Greeting:
    """Collects a server's greeting as it comes in. ``lines`` are those before the identification."""

    lines: list[str] = field(default_factory=list)
    _start: bytes = b""
    _pending: bytes = b""
    _taken: int = 0

    def feed(self, data: bytes) -> tuple[str, bytes] | None:
        """Take in *data*; the identification and what came after it, or None while it is still to come.

        Raises NotSsh, TooOld.
        """
        self._pending += data
        self._look_at_start(data)
        while (end := self._pending.find(b"\n")) >= 0:
            line, self._pending = self._pending[:end].rstrip(b"\r"), self._pending[end + 1 :]
            if line.startswith(b"SSH-"):
                return _checked(line), self._pending
            self._take(line)
        self._check_rest()
        return None

    def _look_at_start(self, data: bytes) -> None:
        """The first bytes of all tell another protocol, even where a newline is among them."""
        if len(self._start) < _TELLING:
            self._start += data[: _TELLING - len(self._start)]
            before = self._start.split(b"\nSSH-")[0]
            if (what := identify(before)) not in (None, "SSH"):
                raise NotSsh(str(what))

    def _take(self, line: bytes) -> None:
        self._taken += len(line) + 1
        self.lines.append(line[:LONGEST].decode("utf-8", "backslashreplace"))
        if self._taken > MOST_BEFORE:
            raise NotSsh("text without an end")

    def _check_rest(self) -> None:
        rest = self._pending
        if rest.startswith(b"SSH-") and len(rest) > LONGEST:
            raise NotSsh("an identification without an end")
        if self._taken + len(rest) > MOST_BEFORE:
            raise NotSsh("text without an end")


def openssh_version(software: str) -> tuple[int, int] | None:
    """Which OpenSSH a server says it is, as (9, 6); None for any other software."""
    match = _OPENSSH.match(software)
    return (int(match[1]), int(match[2])) if match else None


def _checked(line: bytes) -> str:
    text = line[:LONGEST].decode("utf-8", "backslashreplace")
    version = text.split("-", 2)
    if len(version) < 3 or not version[2]:
        raise NotSsh("an identification without a name")
    if version[1] not in {"2.0", "1.99"}:
        raise TooOld(text)
    return text
