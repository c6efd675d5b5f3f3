"""On which line of a TOML file a key stands, which tomllib does not tell.

This reads only what can stand at the start of a line: table headers and keys. What is inside a value is skipped,
so a key of an inline table is told by the line of that table.
"""

import re
from collections.abc import Iterator

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]")
_KEY = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
# In the order in which they must be tried: what opens, or ends, a piece of a value.
_TOKEN = re.compile(r"""\"\"\"|'''|"(?:[^"\\]|\\.)*"|'[^']*'|\#|[\[{]|[\]}]""")

Path = tuple[str, ...]


class Lines:
    """The line of each key of one file."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        for path, line in _keys(text):
            for end in range(len(path), 0, -1):  # [a.b] and a.b = 1 make the table a as well
                self._lines.setdefault(path[:end], line)

    def of(self, path: Path) -> int | None:
        """The line of *path*, else that of the nearest table around it; None where neither is to be found."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None


def _keys(text: str) -> Iterator[tuple[Path, int]]:
    table: Path = ()
    inside = _Value()
    for number, line in enumerate(text.split("\n"), start=1):
        if inside.open:
            inside.read(line)
        elif header := _HEADER.match(line):
            table = _split(header[1])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_split(key[1])), number
            inside.read(line[key.end() :])


def _split(dotted: str) -> Path:
    return tuple(_bare(part) for part in re.findall(_PART, dotted))


def _bare(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if part.startswith('"'):
        return re.sub(r"\\u([0-9A-Fa-f]{4})|\\(.)", _unescape, part[1:-1])
    return part


#: TOML v1.0.0, String.
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2])


class _Value:
    """A value that may go on over several lines: brackets, and strings in three quotes."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0

    @property
    def open(self) -> bool:
        """True while the value has not ended."""
        return bool(self._quote) or self._depth > 0

    def read(self, line: str) -> None:
        """Follow the value through *line*."""
        at = 0
        while at < len(line):
            at = self._string(line, at) if self._quote else self._plain(line, at)

    def _string(self, line: str, at: int) -> int:
        end = re.compile(r'(?:[^\\"]|\\.|"(?!""))*"""' if self._quote == '"""' else r"(?:(?!''').)*'''").match(line, at)
        if end is None:
            return len(line)
        self._quote = ""
        return end.end()

    def _plain(self, line: str, at: int) -> int:
        token = _TOKEN.search(line, at)
        if token is None or token[0] == "#":
            return len(line)
        if token[0] in {'"""', "'''"}:
            self._quote = token[0]
        elif token[0] in "[{":
            self._depth += 1
        elif token[0] in "]}":
            self._depth = max(0, self._depth - 1)
        return token.end()
