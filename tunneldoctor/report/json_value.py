"""One value of a JSON document and where it stands in it, read strictly: what is wrong is told with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from tunneldoctor.model import Value
from tunneldoctor.report.shown import multiline, one_line

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

#: Bytes of a document that are read: a report has some 60 kB, so that a fleet of 200 tunnels has room.
LARGEST = 16 * 1024 * 1024
#: No number of ours is beyond this: milliseconds of thirty thousand years.
_GREATEST = 10**15
#: Words of JSON (``false``, ``\u00e9``) are no longer: where so little is left, the text ends in the middle of one.
_LONGEST_WORD = 6
#: Characters of a wrong value that are quoted.
_QUOTED = 60
WRITE_IT = "a report is written by: tunneldoctor check TUNNEL --json -o FILE"


class NotAReport(ValueError):
    """A text that can't be read as what the program writes. The message is one line: where, what, how to put right."""


class JsonValue:
    """A value and its place, such as ``checks[2].status``. Every method raises :class:`NotAReport`."""

    __slots__ = ("place", "value")

    def __init__(self, value: Any, place: str = "") -> None:
        self.value = value
        self.place = place

    def __getitem__(self, key: str) -> JsonValue:
        """The value of *key*, which has to be there."""
        values = self._an_object()
        place = f"{self.place}.{key}" if self.place else key
        if key not in values:
            raise NotAReport(f"{place} is missing: the document was changed, or cut, after it was written")
        return JsonValue(values[key], place)

    def get(self, key: str) -> JsonValue:
        """The value of *key*; null where it is not there."""
        return self[key] if key in self._an_object() else JsonValue(None, key)

    def each(self, read: Callable[[JsonValue], T]) -> tuple[T, ...]:
        """A list, each of whose values *read* reads."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return tuple(read(JsonValue(item, f"{self.place}[{number}]")) for number, item in enumerate(self.value))

    def named(self, read: Callable[[JsonValue], T]) -> dict[str, T]:
        """An object with names of any kind, each of whose values *read* reads."""
        values = {one_line(name): value for name, value in self._an_object().items()}
        return {name: read(JsonValue(value, f"{self.place}.{name}")) for name, value in values.items()}

    def maybe(self, read: Callable[[JsonValue], T]) -> T | None:
        """What *read* reads, or None for null."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """A text, made harmless again: whoever wrote the document may have put anything into it."""
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        return multiline(self.value)

    def matching(self, pattern: re.Pattern[str], words: str) -> str:
        """A text that *pattern* matches as a whole; *words* say what that is."""
        if not (isinstance(self.value, str) and pattern.fullmatch(self.value)):
            raise self.wrong(words)
        return self.value

    def word(self, words: type[W]) -> W:
        """One of the fixed *words*."""
        if not isinstance(self.value, str) or self.value not in list(words):
            known = ", ".join(words)
            raise self.wrong(f"one of {known}", "a newer tunneldoctor may know it")
        return words(self.value)

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def number(self) -> float:
        """A number, not negative."""
        if not _is_number(self.value) or self.value < 0:
            raise self.wrong("a number that is not negative")
        number: float = self.value
        return number

    def whole(self, greatest: int = _GREATEST) -> int:
        """A whole number from 0 to *greatest*."""
        if not _is_number(self.value) or not isinstance(self.value, int) or not 0 <= self.value <= greatest:
            raise self.wrong(f"a whole number from 0 to {greatest}")
        return self.value

    def scalar(self) -> Value:
        """A text, a number, true, false or null."""
        if self.value is None or isinstance(self.value, bool) or _is_number(self.value):
            value: Value = self.value
            return value
        if isinstance(self.value, str):
            return self.text()
        raise self.wrong("a text, a number, true, false or null")

    def wrong(self, expected: str, more: str = "the document was changed after it was written") -> NotAReport:
        """The error that this value is not what is *expected* here."""
        import json

        found = json.dumps(self.value)
        shown = found if len(found) <= _QUOTED else f"{found[:_QUOTED]}…"
        return NotAReport(f"{self.place or 'the document'} is {shown} and should be {expected}; {more}")

    def _an_object(self) -> Mapping[str, Any]:
        if not isinstance(self.value, dict):
            raise self.wrong("an object", WRITE_IT)
        return self.value


def parsed(data: str | bytes, place: str = "") -> JsonValue:
    """The JSON document in *data*: UTF-8, or what else RFC 8259's forerunners allowed and PowerShell writes.

    *place* is what the errors call it where it is not the whole document. Raises :class:`NotAReport`.
    """
    import json

    where = f"{place}: " if place else ""
    text = decoded(data)
    if len(data) > LARGEST:
        raise NotAReport(f"{where}it is larger than {LARGEST // 2**20} MiB, and no report is")
    if not text.strip():
        raise NotAReport(f"{where}it is empty; {WRITE_IT}")
    try:
        return JsonValue(json.loads(text, parse_constant=_no_constant))
    except json.JSONDecodeError as error:
        raise NotAReport(where + _told(error, text)) from None
    except (ValueError, RecursionError):
        raise NotAReport(f"{where}it is JSON that no program of ours writes; {WRITE_IT}") from None


def decoded(data: str | bytes) -> str:
    """*data* as text; a byte that belongs to no character becomes U+FFFD."""
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    import json

    return data.decode(json.detect_encoding(data), "replace").removeprefix("\ufeff")


def lines_of(data: str | bytes) -> Iterator[str]:
    """*data* line by line, as NDJSON has them."""
    yield from decoded(data).split("\n")


def _told(error: Any, text: str) -> str:
    """Why *text* is not JSON: cut off in the middle, or something else."""
    if error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - _LONGEST_WORD:
        lines = text.count("\n", 0, len(text.rstrip())) + 1
        return f"it is cut off in the middle, in line {lines}; copy it again, or have it written anew"
    return f"line {error.lineno}, column {error.colno}: this is not JSON; {WRITE_IT}"


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity: Python's json reads them, RFC 8259 §6 has none


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _GREATEST
