"""The text of ssh_config(5): which hosts it has entries for, and the same text with every Include in its place."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

#: As deep as OpenSSH follows Include (readconf.c, READCONF_MAX_DEPTH).
_DEPTH = 16
#: Most bytes of one file, and most files, that are read.
_LARGEST = 1024 * 1024
_MOST_FILES = 200
# Criteria of Match (ssh_config(5)) that need the real ssh.
_ONLY_SSH = {"exec", "localnetwork", "tagged", "command", "version", "sessiontype"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: keyword in lower case, arguments, and the line itself."""

    keyword: str
    arguments: tuple[str, ...]
    text: str


class SshConfigText:
    """A user's ssh_config with what it includes."""

    def __init__(self, path: Path, home: Path) -> None:
        self._path = path
        self._home = home
        self._files = 0

    def names(self, host: str) -> bool:
        """True where a Host line matches *host* by more than a pattern of wildcards alone."""
        return any(line.keyword == "host" and _names(line.arguments, host) for line in self._lines(host))

    def beyond_paramiko(self, host: str) -> str | None:
        """A word of some Match line that paramiko runs itself or passes over as if it matched, or None."""
        words = (word for line in self._lines(host) if line.keyword == "match" for word in line.arguments)
        return next((word for word in words if word.lower().lstrip("!").partition("=")[0] in _ONLY_SSH), None)

    def flat(self, host: str) -> str:
        """The text as it applies to *host*, without Include: for readers that do not know it."""
        return "\n".join(line.text for line in self._lines(host)) + "\n"

    def _lines(self, host: str) -> Iterator[Line]:
        self._files = 0
        yield from self._file(self._path, host, 0)

    def _file(self, path: Path, host: str, depth: int) -> Iterator[Line]:
        header: Line | None = None
        for line in self._read(path):
            if line.keyword in {"host", "match"}:
                header = line
            if line.keyword != "include":
                yield line
            elif depth < _DEPTH and _applies(header, host):
                yield from self._included(line, host, depth)
                yield header or Line("host", ("*",), "Host *")

    def _included(self, line: Line, host: str, depth: int) -> Iterator[Line]:
        for argument in line.arguments:
            for path in self._matching(argument):
                yield from self._file(path, host, depth + 1)

    def _matching(self, argument: str) -> list[Path]:
        pattern = str(self._home) + argument[1:] if argument.startswith("~/") else argument
        # Without a slash in front, a user's Include starts at ~/.ssh (ssh_config(5), Include).
        base = Path(pattern) if pattern.startswith("/") else self._home / ".ssh" / pattern
        try:
            return sorted(Path(base.anchor).glob(str(base.relative_to(base.anchor))))
        except (ValueError, OSError, NotImplementedError):
            return []

    def _read(self, path: Path) -> Iterator[Line]:
        self._files += 1
        if self._files > _MOST_FILES:
            return
        try:
            if not path.is_file():
                return
            with path.open("rb") as file:
                text = file.read(_LARGEST).decode(errors="replace")
        except OSError:
            return
        for raw in text.splitlines():
            if line := _line(raw):
                yield line


def _line(raw: str) -> Line | None:
    match = re.match(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(\S.*)", raw)
    return Line(match[1].lower(), _arguments(match[2]), raw.strip()) if match else None


def _arguments(text: str) -> tuple[str, ...]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        return tuple(lexer)
    except ValueError:  # a quote that is not closed
        return tuple(text.split())


def _applies(header: Line | None, host: str) -> bool:
    return header is None or header.keyword == "match" or _matches(header.arguments, host)


def _matches(patterns: tuple[str, ...], host: str) -> bool:
    if any(_fits(pattern[1:], host) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(_fits(pattern, host) for pattern in patterns if not pattern.startswith("!"))


def _names(patterns: tuple[str, ...], host: str) -> bool:
    told = tuple(pattern for pattern in patterns if pattern.startswith("!") or pattern.strip("*?"))
    return _matches(told, host)


def _fits(pattern: str, host: str) -> bool:
    # fnmatch knows [ ] too, which ssh_config's patterns do not.
    return fnmatchcase(host, pattern.replace("[", "[[]"))
