"""How the pages are grouped by what somebody sees: ``runbook.toml`` in the folder of the pages."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunneldoctor.catalog.page import PageError, read_step
from tunneldoctor.model import Step

NAME = "runbook.toml"
_KEYS = {"name", "title", "says", "shows", "codes", "first"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What may be seen at a look, and the codes that it speaks for."""

    seen: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at, with what it may show."""

    step: Step
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that somebody sees. ``shows`` is what programs print then, ``codes`` the pages, likeliest first.

    ``first`` is what to look at, cheapest first, before the next steps of the pages.
    """

    name: str
    title: str
    says: str
    shows: tuple[str, ...]
    codes: tuple[str, ...]
    first: tuple[Look, ...]


def read_symptoms(folder: Path) -> Iterator[Symptom]:
    """The symptoms of the pages in *folder*; none where it has no such file. Raises PageError."""
    path = folder / NAME
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise PageError(f"{path}: {error}") from error
    for each in content.get("symptom", ()):
        try:
            yield _symptom(each)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PageError(f"{path}: {type(error).__name__}: {error}") from error


def _symptom(each: Mapping[str, Any]) -> Symptom:
    if unknown := set(each) - _KEYS:
        raise ValueError(f"unknown keys in a symptom: {', '.join(sorted(unknown))}")
    return Symptom(
        name=str(each["name"]),
        title=str(each["title"]),
        says=str(each["says"]),
        shows=tuple(each.get("shows", ())),
        codes=tuple(each["codes"]),
        first=tuple(map(_look, each.get("first", ()))),
    )


def _look(each: Mapping[str, Any]) -> Look:
    answers = (Answer(str(seen), tuple(codes)) for seen, *codes in each.get("answers", ()))
    return Look(read_step({key: value for key, value in each.items() if key != "answers"}), tuple(answers))
