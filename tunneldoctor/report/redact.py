"""The last net before every sink: secrets that found their way into a report, or into an event, are taken out.

Whoever makes evidence leaves secrets out of it; this is for what slipped through: a server that echoes a password, a
path with a URL in it, a key pasted where a name belongs. Names from our own vocabulary (codes, ids, hops) are left
alone, or a password such as ``tunnel`` would make a report unreadable for programs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from tunneldoctor.model import Event, Hop, Report, RunFinished, Secret, visible, visible_lines

T = TypeVar("T")

#: Shorter secrets are not looked for: they would be found everywhere.
SHORTEST = 4
_SECRET, _PRIVATE_KEY, _PASSWORD = "secret", "private key", "password"

#: Fields that hold words of ours, never a user's or a server's.
_VOCABULARY = frozenset(
    {"id", "code", "symptom", "causes", "hop", "check", "kind", "engine", "dialect", "scheme", "level", "redacted"}
)

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{16}")
# RFC 7468 §2 and PROTOCOL.key: what stands between the lines; also with its line breaks lost or written out (\n),
# with ssh.com's spelling, and cut short. A mere mention of the lines has no body and stays.
_BREAK = r"(?:\s|\\[nr])"
_KEY_BLOCK = re.compile(
    r"-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-{4,5}"
    r"(?:(?:(?!-{4} ?(?:BEGIN|END)).)*?-{4,5} ?END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-{4,5}"
    rf"|{_BREAK}*[A-Za-z0-9+/=]{{16,}}(?:{_BREAK}+[A-Za-z0-9+/=]+)*)"
    # the same without its lines: "openssh-key-v1" and "-----BEGIN" in base64; the private half of a PuTTY file
    rf"|b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/]{{16,}}={{0,2}}(?:{_BREAK}+[A-Za-z0-9+/]{{16,}}={{0,2}})*"
    rf"|LS0tLS1CRUdJTi[A-Za-z0-9+/]{{16,}}={{0,2}}(?:{_BREAK}+[A-Za-z0-9+/]{{16,}}={{0,2}})*"
    rf"|(?<=Private-Lines: )\d+(?:{_BREAK}+[A-Za-z0-9+/=]{{16,}})+",
    re.DOTALL,
)
# RFC 3986 §3.2.1; the password ends at the last @ before a blank, as people write @ and / in it unescaped. Digits up
# to a slash are a port; a name in capitals, braces, angle brackets or asterisks stands for a password.
_URL = re.compile(
    r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:]*:)(?!\d{1,5}[/?#])"
    r"(?!(?:\*+|…|\.\.\.|\$?\{[^}\s]*\}|<[^>\s]*>|\$?[A-Z][A-Z_]*)@)(?:(?!://)\S)+(?=@)"
)
_PARAMETER = re.compile(r"(?P<head>[?&;](?:password|passwd|pwd|sslpassword)=)[^\s&;\"'*…<{]+", re.IGNORECASE)


def redact(report: Report, secrets: Sequence[Secret] = ()) -> Report:
    """*report* without *secrets*, private keys and passwords in URLs; what was removed is counted by kind."""
    return _Net([*secrets, *secrets_in(report.tunnel)]).report(report)


def redact_event(event: Event, secrets: Sequence[Secret] = ()) -> Event:
    """The same for an event on its way to a reader."""
    if isinstance(event, RunFinished):
        return replace(event, report=redact(event.report, secrets))
    return _Net(secrets).clean(event)


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
        cleaned: Any = self._cleaned(value)
        result: T = cleaned
        return result

    def _cleaned(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is tuple:
            items = tuple(map(self._cleaned, value))
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if kind is dict or kind is MappingProxyType:
            return self._mapping(value)
        if is_dataclass(kind) and kind is not Secret:
            return self._record(value, kind)
        return value

    def _mapping(self, value: Mapping[Any, Any]) -> Mapping[Any, Any]:
        changed = {key: new for key, old in value.items() if (new := self._cleaned(old)) is not old}
        return {**value, **changed} if changed else value

    def _record(self, value: Any, kind: type) -> Any:
        changed = {}
        for name in _cleanable(kind):
            old = getattr(value, name)
            if (new := self._cleaned(old)) is not old:
                changed[name] = new
        return replace(value, **changed) if changed else value

    def _text(self, text: str) -> str:
        if "PRIVATE" in text or "Private-Lines" in text or "b3BlbnNz" in text or "LS0tLS1" in text:
            text = _KEY_BLOCK.sub(self._key, text)
        if self._pattern and any(each in text for each in self._texts):
            text = self._pattern.sub(lambda _: self._marker(_SECRET), text)
        if "://" in text:
            text = _URL.sub(self._password, text)
        if "=" in text:
            text = _PARAMETER.sub(self._password, text)
        return text

    def _key(self, match: re.Match[str]) -> str:
        return self._marker(_PRIVATE_KEY) if _BASE64_RUN.search(match[0]) else match[0]

    def _password(self, match: re.Match[str]) -> str:
        return match["head"] + self._marker(_PASSWORD)

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


@cache
def _cleanable(kind: type) -> tuple[str, ...]:
    ours = _VOCABULARY | {"name"} if kind is Hop else _VOCABULARY
    return tuple(field.name for field in fields(kind) if field.name not in ours)
