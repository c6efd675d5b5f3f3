"""Every command that the pages tell somebody to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.catalog import Catalog
from tunneldoctor.model import Place
from tunneldoctor_checks import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tunneldoctor.catalog import Page
    from tunneldoctor.model import Provider, Step

CATALOG = Catalog.of([PACKAGE])


@dataclass(frozen=True, slots=True)
class Command:
    """A command as pages have it, with its fields in braces, and the codes whose pages have it.

    ``engines`` are the databases that it is for; none: any.
    """

    template: str
    run_on: Place
    provider: Provider | None
    engines: tuple[str, ...]
    codes: tuple[str, ...]

    @property
    def program(self) -> str:
        """What it calls first."""
        return self.template.split()[0]

    def __str__(self) -> str:
        return f"{self.codes[0]}: {self.template}"


def steps(page: Page) -> Iterator[Step]:
    """All steps of *page* that have a command: remedies, looks, how to make sure."""
    every = [*page.remedy, *(look.step for look in page.next_steps), *([page.verify] if page.verify else [])]
    return (step for step in every if step.command)


def all_commands(pages: Iterable[Page] = CATALOG) -> list[Command]:
    """Each command once, in the pages' order."""
    users: dict[tuple[str, Place, Provider | None, tuple[str, ...]], list[str]] = {}
    for page in pages:
        for step in steps(page):
            users.setdefault((str(step.command), step.run_on, step.provider, step.engines), []).append(page.code)
    return [Command(*key, tuple(dict.fromkeys(codes))) for key, codes in users.items()]
