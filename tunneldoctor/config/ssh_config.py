"""ssh_config(5) read as OpenSSH's readconf.c reads it: for machines without ``ssh``, and to know which Hosts it names.

paramiko's reader knows no Include, applies what it does not know of Match to every host, and runs ``Match exec``. Here
nothing is ever run and nothing is looked up: where that would be needed, the reading says so in :attr:`Reading.fault`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tunneldoctor.config.ssh_keywords import ALIASES, KNOWN
from tunneldoctor.config.ssh_words import split_keyword, words
from tunneldoctor.config.text import port_number

#: As deep as OpenSSH follows Include (readconf.c, READCONF_MAX_DEPTH).
_DEPTH = 16
#: Most bytes of one file, and most files, that are read.
_LARGEST = 1024 * 1024
_MOST_FILES = 200
#: Of these every value counts; of the others the first (ssh_config(5)).
_LISTS = {"certificatefile", "identityfile", "localforward"}
#: Their value is the rest of the line, quotes and all (readconf.c, parse_command).
_COMMANDS = {"knownhostscommand", "localcommand", "proxycommand", "remotecommand"}
#: Of these the first line counts with all of its words.
_SEVERAL = {"canonicaldomains", "globalknownhostsfile", "localforward", "userknownhostsfile"}


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom the file is read: the host as it was asked for, user and port where given, who asks."""

    host: str
    user: str | None = None
    port: int | None = None
    local_user: str = ""


@dataclass(slots=True)
class Reading:
    """What came of it.

    ``options``: keywords in lower case with their values, as they stand there. ``named``: a Host line matches by more
    than wildcards. ``fault``: why ssh would refuse these files, or why they can't be decided here; None: neither.
    """

    options: dict[str, list[str]] = field(default_factory=dict)
    named: bool = False
    fault: str | None = None


def read(path: Path, home: Path, asked: Asked, system: Path | None = None) -> Reading:
    """Read the user's file at *path*, then *system*; twice where ssh does (``Match final``, canonical names)."""
    reading = Reading()
    files = [(path, home / ".ssh")] + ([(system, system.parent)] if system else [])
    first = _Pass(asked, home, reading)
    for each, base in files:
        first.file(each, base)
    if first.wants_final or first.canonical:
        reading.options.setdefault("hostname", ["%h"])  # no HostName of the second pass counts (ssh.c, main)
        final = _Pass(asked, home, reading, final=True)
        for each, base in files:
            final.file(each, base)
    return reading


class _Pass:
    """One pass through all files."""

    def __init__(self, asked: Asked, home: Path, reading: Reading, *, final: bool = False) -> None:
        self.reading = reading
        self.wants_final = False
        self._asked = asked
        self._home = home
        self._final = final
        # In its second pass ssh holds Host lines against the name that the first one found (ssh.c, main).
        self._host = self._target().lower() if final else asked.host
        self._active = True
        self._ignored: list[str] = []
        self._files = 0
        self._place = ""

    @property
    def canonical(self) -> bool:
        """The host's name is to be made canonical."""
        return self._said("canonicalizehostname") in {"yes", "true", "always"}

    def file(self, path: Path, base: Path) -> None:
        """Read a file that no other includes; *base* is where relative names of its Include lines start."""
        self._active = True
        self._file(path, base, 0, never=False)

    def _file(self, path: Path, base: Path, depth: int, *, never: bool) -> None:
        self._files += 1
        if self._files > _MOST_FILES or depth > _DEPTH:
            self._fail("too many files include each other")
            return
        for number, line in _lines(path):
            self._place = f"{path} line {number}: "
            try:
                self._line(line, base, depth, never)
            except ValueError as error:
                self._fail(str(error))

    def _fail(self, why: str) -> None:
        self.reading.fault = self.reading.fault or self._place + why

    def _line(self, line: str, base: Path, depth: int, never: bool) -> None:
        written, rest = split_keyword(line)
        keyword = ALIASES.get(written.lower(), written.lower())
        if keyword not in KNOWN:
            if not matches(self._ignored, written.lower()):
                raise ValueError(f"bad configuration option: {written[:40]}")
            return
        if not rest:
            raise ValueError(f"no argument after keyword {written}")
        arguments = words(rest)
        if keyword == "host":
            self._active = not never and self._host_line(arguments)
        elif keyword == "match":
            self._active = not never and self._match_line(arguments)
        elif keyword == "include":
            self._include(arguments, base, depth, never)
        elif self._active:
            self._take(keyword, _value(keyword, arguments, rest))

    def _take(self, keyword: str, value: str) -> None:
        if keyword == "ignoreunknown":
            self._ignored = self._ignored or value.lower().split(",")
        if (keyword, value) == ("connecttimeout", "none"):  # which stands for "nobody said so far" (readconf.c)
            return
        options = self.reading.options
        if keyword not in options and not self._came_too_late(keyword):
            options[keyword] = [value]
        elif keyword in _LISTS and value not in options[keyword]:
            options[keyword].append(value)

    def _came_too_late(self, keyword: str) -> bool:
        """Of ProxyJump and ProxyCommand the first counts, but ``ProxyJump none`` leaves the other its turn (ssh -G)."""
        said = self.reading.options
        if keyword == "proxycommand":
            return said.get("proxyjump", ["none"]) != ["none"]
        return keyword == "proxyjump" and "proxycommand" in said

    def _include(self, arguments: list[str], base: Path, depth: int, never: bool) -> None:
        before = self._active
        for argument in arguments:
            for path in _matching(argument, base, self._home):
                self._file(path, base, depth + 1, never=never or not before)
                self._active = before

    def _host_line(self, patterns: list[str]) -> bool:
        if not matches(patterns, self._host):
            return False
        told = [pattern for pattern in patterns if pattern.startswith("!") or pattern.strip("*?")]
        self.reading.named = self.reading.named or (matches(told, self._host) and not self._final)
        return True

    def _match_line(self, arguments: list[str]) -> bool:
        """readconf.c, match_cfg_line: one criterion after the other; what needs ssh counts only if it is reached."""
        result, left = True, iter(arguments)
        for word in left:
            name, equals, value = word.lstrip("!").partition("=")
            if name.lower() not in {"all", "canonical", "final"} and not equals:
                value = next(left, "")
            self.wants_final = self.wants_final or name.lower() == "final"
            if result:
                result = self._criterion(name.lower(), value) != word.startswith("!")
        return result

    def _criterion(self, name: str, value: str) -> bool:
        if name in {"canonical", "final"}:
            return self._final
        hosts = {"host": self._target(), "originalhost": self._asked.host}
        if name in hosts:
            return matches(value.lower().split(","), hosts[name].lower())
        user = self._asked.user or self._said("user") or self._asked.local_user
        users = {"user": user, "localuser": self._asked.local_user}
        if name in users:
            return matches(value.split(","), users[name])
        if name != "all":
            self._fail(f"Match {name[:40]} can't be decided without ssh")
        return True

    def _target(self) -> str:
        return expand_host(self._said("hostname") or self._asked.host, self._asked.host)

    def _said(self, keyword: str) -> str:
        return next(iter(self.reading.options.get(keyword, ())), "")


def _value(keyword: str, arguments: list[str], rest: str) -> str:
    """What counts of a line. Raises ValueError for what ssh would not take."""
    value = rest if keyword in _COMMANDS else " ".join(arguments[: None if keyword in _SEVERAL else 1])
    if keyword == "port" and port_number(value) is None:
        raise ValueError("bad port")
    if keyword == "localforward" and len(arguments) < 2:
        raise ValueError("missing target argument")
    return value


def expand_host(written: str, host: str) -> str:
    """The tokens of HostName (ssh_config(5), TOKENS)."""
    return re.sub("%([%h])", lambda each: "%" if each[1] == "%" else host, written)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers. A file that can't be read says nothing."""
    try:
        if not path.is_file():  # opening a FIFO would wait for its writer
            return
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode(errors="replace")
    except OSError:
        return
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.partition("\0")[0].rstrip(" \t\r\f").lstrip(" \t\r")
        if line and not line.startswith("#"):
            yield number, line


def _matching(argument: str, base: Path, home: Path) -> list[Path]:
    pattern = Path(str(home) + argument[1:] if argument.startswith("~/") else str(base / argument))
    try:
        return sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    except (ValueError, OSError, NotImplementedError):
        return []


def matches(patterns: list[str], text: str) -> bool:
    """True where one of *patterns* matches *text* and none with ``!`` does (ssh_config(5), PATTERNS)."""
    if any(_fits(pattern[1:], text) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(_fits(pattern, text) for pattern in patterns if not pattern.startswith("!"))


def _fits(pattern: str, text: str) -> bool:
    # fnmatch knows [ ] too, which ssh_config's patterns do not.
    return fnmatchcase(text, pattern.replace("[", "[[]"))
