"""The keys of the configuration file: by the ids of what they do (docs/tui.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys

from tunneldoctor.nearest import nearest

Bound = type[DOMNode]


class WrongKeys(ValueError):
    """The table can't be used; the text is one line for the user."""


def bindings() -> dict[str, Binding]:
    """Every binding that has an id, on whichever screen."""
    return {binding.id: binding for place in _places() for binding in _of(place) if binding.id}


def check(keys: Mapping[str, str]) -> None:
    """Raise WrongKeys where an id of *keys* is unknown, or where two things on one screen get the same key."""
    known = bindings()
    for name, wanted in keys.items():
        if name not in known:
            raise WrongKeys(f"[keys]: nothing is called {name!r}{nearest(name, known)}")
        for key in wanted.split(","):
            if len(key.strip()) > 1 and not _is_key(key.strip()):
                raise WrongKeys(f"[keys]: {name}: there is no key {key.strip()!r}")
    for place in _places():
        _must_differ(place, keys)


def _is_key(key: str) -> bool:
    """``ctrl+s``, ``f5``, ``question_mark``: the last part is a character or a name that the terminal's keys have."""
    *modifiers, last = key.split("+")
    names = {each.value for each in Keys} | {each.key.split(",")[0] for each in bindings().values()}
    return (len(last) == 1 or last in names) and set(modifiers) <= {"ctrl", "shift", "alt", "super", "meta", "hyper"}


def _must_differ(place: Bound, keys: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for binding in _of(place):
        if not binding.id:
            continue
        for key in keys.get(binding.id, binding.key).split(","):
            other = taken.setdefault(key.strip(), binding.id)
            if other != binding.id and {other, binding.id} & set(keys):
                raise WrongKeys(f"[keys]: {other} and {binding.id} would both be {key.strip()}")


def _of(place: Bound) -> Iterator[Binding]:
    yield from (each for each in place.BINDINGS if isinstance(each, Binding))


def _places() -> tuple[Bound, ...]:
    from tunneldoctor.tui.app import TunneldoctorApp
    from tunneldoctor.tui.dialog import Dialog
    from tunneldoctor.tui.examination import ExaminationScreen
    from tunneldoctor.tui.form import FormScreen
    from tunneldoctor.tui.help import HelpScreen
    from tunneldoctor.tui.picker import PickerScreen
    from tunneldoctor.tui.tree import CheckTree

    return TunneldoctorApp, ExaminationScreen, CheckTree, PickerScreen, FormScreen, HelpScreen, Dialog
