"""Find the lines that pages know: one pass over a text of any size, in memory that does not grow with it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tunneldoctor.model import visible
from tunneldoctor.pasted.text import OVERLAP

if TYPE_CHECKING:
    from tunneldoctor.catalog import Page, Sign
    from tunneldoctor.pasted.text import Block

#: White space within a sign: mail wraps lines, and puts marks before them.
_SPACE = r"(?:[ \t]{1,99}|[ \t]{0,99}\r?\n[>| \t]{0,99})"
#: How the parts of a sign are meant.
_COMPILED = {" ": _SPACE, "*": "{0,500}", "+": "{1,500}"}
#: Characters that are shown of a line, around what was found in it.
_SHOWN = 240
#: Lines of one sign that are kept, the first ones, and the values of its groups; all are counted.
_LINES_KEPT, _VALUES_KEPT = 5, 1000
#: A regular expression's parts, as far as they have to be told apart.
_TOKENS = re.compile(r"\\.|\[\^?\]?[^\]]*\]|\{\d*,?\d*\}|.", re.DOTALL)
#: What gives values and shows no fault: OpenSSH's ssh(1) with -v, and what it says of itself.
_VALUES = (
    r"Connecting to (?P<bastion_host>[^\s\[]+) (?:\[[^\]]*\] )?port (?P<bastion_port>\d+)",
    r"Authenticating to (?P<bastion_host>[^\s:]+):(?P<bastion_port>\d+) as '(?P<bastion_username>[^']+)'",
    r"(?:^|\s)(?P<bastion_username>[^\s@:]+)@(?P<bastion_host>[^\s@:]+): Permission denied \(",
    r"connect to host (?P<bastion_host>\S+) port (?P<bastion_port>\d+): ",
    r"Connection to (?P<bastion_host>\S+) port (?P<bastion_port>\d+) \[tcp",
)


@dataclass(frozen=True, slots=True)
class Line:
    """Where something was found: the number of the line from 1, and what stands there, made visible."""

    number: int
    text: str


@dataclass(slots=True)
class Seen:
    """What was found of one pattern: how often, the first lines, and the values of the named groups there."""

    count: int = 0
    lines: list[Line] = field(default_factory=list)
    values: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """The groups that had a value somewhere."""
        return {name for each in self.values for name in each}


@dataclass(frozen=True, slots=True)
class Scanned:
    """All that was found: by the pattern of a sign, the tunnel's values as the text tells them, and its length."""

    seen: Mapping[str, Seen]
    values: Mapping[str, str]
    lines: int

    def of(self, sign: Sign) -> Seen | None:
        """What was found of *sign*; None where nothing was, or where the text takes it back."""
        found, back = self.seen.get(sign.line), self.seen.get(sign.unless or "")
        if found is None or (sign.beside and sign.beside not in self.seen):
            return None
        if back is None:
            return found
        names = found.names & back.names
        taken = {tuple(each.get(name) for name in names) for each in back.values}
        left = [each for each in found.values if tuple(each.get(name) for name in names) not in taken]
        return replace(found, values=left) if names and left else None


def scan(text: Iterable[Block], pages: Iterable[Page]) -> Scanned:
    """Look in *text* for the signs of *pages*. Raises what *text* raises."""
    signs = [sign for page in pages for sign in (*page.signs, *page.counter_signs)]
    patterns = dict.fromkeys(pattern for sign in signs for pattern in (sign.line, sign.beside, sign.unless) if pattern)
    watched = [(pattern, anchors(pattern), compiled(pattern)) for pattern in (*patterns, *_VALUES)]
    vocabulary = {word for _, words, _ in watched for word in words}
    seen: dict[str, Seen] = {}
    lines = 0
    for block in text:
        lines = block.line + block.text.count("\n") - (1 if block.text.endswith("\n") else 0)
        here = {word for word in vocabulary if word in block.text}
        for pattern, words, regex in watched:
            if not here.isdisjoint(words):
                _look(block, regex, seen, pattern)
    values: dict[str, str] = {}
    for pattern in _VALUES:
        for found in seen.pop(pattern, Seen()).values:
            values = {**found, **values}
    return Scanned(seen, values, lines)


def _look(block: Block, regex: re.Pattern[str], seen: dict[str, Seen], pattern: str) -> None:
    """What began in the part that every block but the last repeats is left for the next one."""
    begin = max(0, block.fresh - OVERLAP)
    end = len(block.text) if block.last else len(block.text) - OVERLAP
    for match in regex.finditer(block.text, begin):
        if match.start() >= end:
            return
        found = seen.setdefault(pattern, Seen())
        found.count += 1
        if found.count <= _LINES_KEPT:
            found.lines.append(_line(block, match))
        if found.count <= _VALUES_KEPT:
            found.values.append({name: visible(value) for name, value in match.groupdict().items() if value})


def _line(block: Block, match: re.Match[str]) -> Line:
    start = block.text.rfind("\n", 0, match.start()) + 1
    end = block.text.find("\n", match.end())
    start = max(start, match.start() - _SHOWN // 2)
    end = min(end if end >= 0 else len(block.text), max(match.end(), start + _SHOWN), match.start() + 2 * _SHOWN)
    return Line(block.line + block.text.count("\n", 0, match.start()), visible(" ".join(block.text[start:end].split())))


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A sign's regular expression: a space stands for any white space, a line's end included, and nothing repeats
    without end, since a line may be as long as the file."""
    tokens = [_COMPILED.get(token, token) for token in _TOKENS.findall(pattern)]
    return re.compile("".join(tokens), re.MULTILINE)


@functools.cache
def anchors(pattern: str) -> tuple[str, ...]:
    """Words of which one must stand in whatever *pattern* matches; an empty one where there is none.

    Looking for a word is fifty times as fast as a regular expression, and most of a log holds none of them.
    """
    branches, depth = [[""]], 0
    for token in _TOKENS.findall(pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and not depth:
            branches.append([""])
        elif depth or token in {")", "+", ".", "^", "$", " "} or token[0] == "[" or re.fullmatch(r"\\\w", token):
            branches[-1].append("")
        elif token[0] in "*?{":
            branches[-1][-1:] = [branches[-1][-1][:-1], ""]
        else:
            branches[-1][-1] += token[-1]
    return tuple(max(runs, key=len) for runs in branches)
