"""The output of ``look.sh`` as it comes back: from a session, or through a mail program that quotes, indents and wraps.

The text comes from the bastion, or from whoever sends it: it is bounded here, and nothing in it is believed to be
what it should be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Bytes, or characters; a whole output is some 20 KiB.
LARGEST = 1024 * 1024
_LINES, _LINE = 400, 4000
#: A mark at the beginning of a line, behind whatever quotes or indents it.
_MARKED = re.compile(r"^[\s>\u200b\ufeff]*(===|\|)(?: (.*)|\s*)$")
_STATUS = re.compile(r"status (\d{1,3})")
_END = "end"


class NotALook(ValueError):
    """The text is no output of the script; the message says what it is, in words for the user."""


@dataclass(frozen=True, slots=True)
class Section:
    """What one command printed. ``about`` is the file that it looked at; ``status`` None where the end is missing."""

    name: str
    about: str
    command: str
    lines: tuple[str, ...]
    status: int | None

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Look:
    """All sections, in the order of the script. ``complete`` is False where the output ends before the script did."""

    sections: tuple[Section, ...]
    complete: bool

    def section(self, name: str, about: str = "") -> Section | None:
        """The section of that name that came back whole, or None."""
        fitting = (each for each in self.all(name) if each.about == about)
        return next((each for each in fitting if each.status is not None), None)

    def permitted(self, name: str, about: str) -> Section | None:
        """That section; None also where the account that looked was not let at *about*, which says nothing of it."""
        section = self.section(name, about)
        return None if section is None or "Permission denied" in section.text else section

    def all(self, name: str) -> tuple[Section, ...]:
        """Every section of that name."""
        return tuple(each for each in self.sections if each.name == name)

    def text(self, name: str, about: str = "") -> str:
        """What that section says; empty where it is not there."""
        section = self.section(name, about)
        return section.text if section else ""

    def values(self) -> dict[str, str]:
        """What the output says it is about: names and values."""
        about = next(iter(self.all("about")), None)
        pairs = (line.partition(" ") for line in (about.lines if about else ()))
        return {name: value.strip() for name, _, value in pairs}


def read(data: bytes | str) -> Look:
    """Read an output. Raises :class:`NotALook`."""
    if len(data) > LARGEST:
        raise NotALook(f"more than {LARGEST // 1024} KiB: an output is far shorter")
    text = data if isinstance(data, str) else _decoded(data)
    if not text.strip():
        raise NotALook("it is empty")
    if "\0" in text:
        raise NotALook("it is not text")
    sections = tuple(_sections(text))
    if not any(each.name == "about" for each in sections):
        raise NotALook("its first line, '=== about', is missing")
    ended = sections[-1].name == _END
    return Look(sections[:-1] if ended else sections, ended)


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what a Windows shell makes of `>`
        return data.decode("utf-16", "replace")
    return data.decode("utf-8", "backslashreplace")


def _sections(text: str) -> Iterator[Section]:
    heading: str | None = None
    lines: list[str] = []
    for kind, content in _marked(text):
        if kind == "|":
            lines.append(content)
            continue
        if heading is not None:
            yield _section(heading, lines)
        heading, lines = content, []
    if heading is not None:
        yield _section(heading, lines)


def _marked(text: str) -> Iterator[tuple[str, str]]:
    """Headings and lines; what a mail program has wrapped is put together again. Ends with the script."""
    current: tuple[str, str] | None = None
    for line in text.splitlines():
        match = _MARKED.match(line[:_LINE].replace("\u00a0", " "))
        if match is None:
            if current is not None and (rest := line[:_LINE].strip(" \t>")):
                current = (current[0], f"{current[1]} {rest}"[:_LINE])
            continue
        if current is not None:
            yield current
        current = (match[1], (match[2] or "").rstrip())
        if current == ("===", _END):
            break
    if current is not None:
        yield current


def _section(heading: str, lines: list[str]) -> Section:
    title, _, command = heading.partition(": ")
    name, _, about = title.partition(" ")
    ends = [number for number, line in enumerate(lines) if _STATUS.fullmatch(line)]
    last = ends[-1] if ends else None
    status = int(lines[last].split()[1]) if last is not None else None
    kept = tuple(line[:_LINE] for line in lines[:last][:_LINES])
    return Section(name, about, command, kept, status)
