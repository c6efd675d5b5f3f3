"""Every text in a report or an event, wherever it stands: what the stages that rewrite texts have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from tunneldoctor.model import Hop, Secret

T = TypeVar("T")
#: Takes a text and whether it is a word of our own vocabulary; returns the same object where nothing is to change.
Change = Callable[[str, bool], str]

#: Fields that hold words of ours, never a user's or a server's.
_VOCABULARY = frozenset(
    {"id", "code", "symptom", "causes", "hop", "check", "kind", "engine", "dialect", "scheme", "level", "redacted"}
    | {"address_family", "mode", "version", "engines"}
)


def rewritten(value: T, change: Change) -> T:
    """*value* itself where *change* changed nothing in it, else a copy."""
    result: T = _rewritten(value, change, False)
    return result


def texts(value: object) -> Iterator[str]:
    """Every text in *value* but the words of our own vocabulary."""
    seen: list[str] = []

    def note(text: str, ours: bool) -> str:
        if not ours:
            seen.append(text)
        return text

    rewritten(value, note)
    return iter(seen)


def _rewritten(value: Any, change: Change, ours: bool) -> Any:
    kind = type(value)
    if kind is str:
        return change(value, ours)
    if kind is tuple or kind is list:
        items = [_rewritten(item, change, ours) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else kind(items)
    if kind is dict or kind is MappingProxyType:
        return _mapping(value, change)
    if is_dataclass(kind) and kind is not Secret:
        return _record(value, kind, change)
    return value


def _mapping(value: Mapping[Any, Any], change: Change) -> Mapping[Any, Any]:
    changed = {key: new for key, old in value.items() if (new := _rewritten(old, change, False)) is not old}
    return {**value, **changed} if changed else value


def _record(value: Any, kind: type, change: Change) -> Any:
    changed = {}
    for name, ours in _fields(kind):
        old = getattr(value, name)
        if (new := _rewritten(old, change, ours)) is not old:
            changed[name] = new
    if not changed:
        return value
    new = copy(value)  # not replace(): Evidence would be cut to its length once more
    for name, item in changed.items():
        object.__setattr__(new, name, item)
    return new


@cache
def _fields(kind: type) -> tuple[tuple[str, bool], ...]:
    ours = _VOCABULARY | {"name"} if kind is Hop else _VOCABULARY
    return tuple((field.name, field.name in ours) for field in fields(kind))
