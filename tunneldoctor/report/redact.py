"""The last net before every sink: secrets that found their way into a report, or into an event, are taken out.

Whoever makes evidence leaves secrets out of it; this is for what slipped through: a server that echoes a password, a
path with a URL in it, a key pasted where a name belongs. There are two nets: the secrets that were read for the run,
in any of their forms, and the shapes of those that nobody told us (secret_shapes.py). Names from our own vocabulary
(codes, ids, hops) are left alone by the first, or a password such as ``tunnel`` would make a report unreadable for
programs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache, partial
from typing import Any, TypeVar

from tunneldoctor.model import Event, Report, RunFinished, Secret, visible, visible_lines
from tunneldoctor.report.every_text import rewritten
from tunneldoctor.report.secret_shapes import SHAPES

T = TypeVar("T")

#: Shorter secrets are not looked for: they would be found everywhere.
SHORTEST = 4
_SECRET = "secret"

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{16}")


def redact(report: Report, secrets: Sequence[Secret] = ()) -> Report:
    """*report* without *secrets*, private keys and passwords in URLs; what was removed is counted by kind."""
    return _Net([*secrets, *secrets_in(report.tunnel)]).report(report)


def redact_event(event: Event, secrets: Sequence[Secret] = ()) -> Event:
    """The same for an event on its way to a reader."""
    if isinstance(event, RunFinished):
        return replace(event, report=redact(event.report, secrets))
    return _Net(secrets).clean(event)


def redact_text(text: str, secrets: Sequence[Secret] = ()) -> str:
    """The same for a text on its way to a clipboard or to stderr."""
    return _Net(secrets).clean(text)


def redact_value(value: T) -> T:
    """The same for anything else that is made of data classes, tuples and texts, where no secret is known."""
    return _Net(()).clean(value)


class _Net:
    """What is looked for, and the count of what was caught."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._texts, self._pattern = _compiled(frozenset(secret.reveal() for secret in secrets))
        self.removed: Counter[str] = Counter()

    def report(self, report: Report) -> Report:
        """*report*, clean, with its count."""
        clean = self.clean(report)
        if not self.removed:
            return clean
        total = Counter(report.redacted.removed) + self.removed
        return replace(clean, redacted=replace(clean.redacted, removed=dict(total)))

    def clean(self, value: T) -> T:
        """*value* itself where nothing was caught in it, else a copy without it."""
        return rewritten(value, self._text)

    def _text(self, text: str, ours: bool = False) -> str:
        if not ours and self._pattern and any(each in text for each in self._texts):
            text = self._pattern.sub(lambda _: self._marker(_SECRET), text)
        return self._shapeless(text)

    def _shapeless(self, text: str) -> str:
        folded = text.lower()
        for shape in SHAPES:
            if any(anchor in folded for anchor in shape.anchors):
                text = shape.pattern.sub(partial(self._replaced, shape.kind), text)
        return text

    def _replaced(self, kind: str, match: re.Match[str]) -> str:
        head = "".join(value or "" for name, value in match.groupdict().items() if name.startswith("head"))
        return head + self._marker(kind)

    def _marker(self, kind: str) -> str:
        self.removed[kind] += 1
        return f"[removed: {kind}]"


@lru_cache(maxsize=4)
def _compiled(values: frozenset[bytes]) -> tuple[tuple[str, ...], re.Pattern[str] | None]:
    """Every form of every secret, longest first, and one pattern for all: an event stream asks for them often."""
    texts = tuple(sorted({form for value in values for form in forms(value)}, key=len, reverse=True))
    return texts, re.compile("|".join(map(_exactly, texts))) if texts else None


def forms(value: bytes) -> Iterator[str]:
    """How a secret may look in text: as it is, line by line, percent-encoded, quoted for a shell, in base64."""
    value = value.strip(b"\r\n")
    if len(value) < SHORTEST:
        return
    from shlex import quote

    text = value.decode("utf-8", "backslashreplace")
    yield from {text, visible(text), visible_lines(text), repr(text)[1:-1], quote(text).strip("'")}
    yield from (line for line in text.splitlines() if _BASE64_RUN.match(line)) if "\n" in text else ()
    yield from _percent_encoded(value)
    yield from _in_base64(value)


def _percent_encoded(value: bytes) -> Iterator[str]:
    from urllib.parse import quote, quote_plus

    for encoded in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)


def _in_base64(value: bytes) -> Iterator[str]:
    """Alone, and within something longer: then those characters whose six bits are all the secret's own."""
    from base64 import b64encode, urlsafe_b64encode

    for encode in (b64encode, urlsafe_b64encode):
        yield encode(value).decode().rstrip("=")
        for before in range(3):
            end = (before + len(value)) * 8 // 6
            inside = encode(b"\0" * before + value).decode()[-(-before * 8 // 6) : end]
            if len(inside) >= 2 * SHORTEST:
                yield inside


def _exactly(text: str) -> str:
    """A plain word is a secret only where it stands alone: ``postgres`` must not spoil ``postgresql``."""
    pattern = re.escape(text)
    return rf"(?<![A-Za-z]){pattern}(?![A-Za-z])" if text.isascii() and text.isalpha() and text.islower() else pattern


def secrets_in(value: Any) -> Iterator[Secret]:
    """The secrets that were written into *value* (a tunnel, a reference) where references belong."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from secrets_in(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from secrets_in(getattr(value, field.name))
