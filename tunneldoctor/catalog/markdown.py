"""A code's page as one Markdown text: the words of its body with the steps of its front matter under their headings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.catalog.fill import command, text
from tunneldoctor.catalog.values import PRODUCTS, tunnel_values

if TYPE_CHECKING:
    from tunneldoctor.catalog.page import Page
    from tunneldoctor.model import Provider, Step, Tunnel, Value

_FIX, _CAUSES, _VERIFY = "## How to fix it", "## What else it could be", "## How to make sure"
_PLACES = {"here": "here", "bastion": "on the bastion", "database": "on the database host", "cloud": "in the cloud"}
_PROVIDERS = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud", "onprem": "on premises"}


def _as_it_is(value: Value) -> Value:
    return value


@dataclass(frozen=True, slots=True)
class Fitting:
    """What pages are fitted to. Without a *tunnel* the names of the values stay in the commands.

    Only steps for its provider and its kind of database show; all do where those are not known. *escape* keeps a
    value from being taken for Markdown's marks, and *link* is how another code is mentioned.
    """

    tunnel: Tunnel | None = None
    provider: Provider | None = None
    escape: Callable[[Value], Value] = _as_it_is
    link: Callable[[str], str] = str

    def fits(self, step: Step) -> bool:
        """Whether *step* is for this tunnel."""
        provider = self.provider or (self.tunnel.provider if self.tunnel else None)
        engine = self.tunnel.database.engine if self.tunnel and self.tunnel.database else None
        of_the_engine = engine is None or not step.engines or engine in step.engines
        return of_the_engine and (provider is None or step.provider in (None, provider))

    def filling(self, hop: str) -> Filling:
        """What fills the fields of a text about *hop*."""
        return Filling(tunnel_values(self.tunnel, hop, {}) if self.tunnel else {}, self.escape)


class Filling:
    """Fills the named fields of text and commands with *values*."""

    def __init__(self, values: Mapping[str, Value], escape: Callable[[Value], Value]) -> None:
        self._values = values
        self._escaped = {name: escape(value) for name, value in values.items()}

    def prose(self, line: str) -> str:
        """A line of text; what stands between backquotes is code, in which nothing is escaped."""
        parts = line.split("`")
        filled = (text(part, self._values if number % 2 else self._escaped) for number, part in enumerate(parts))
        return "`".join(filled)

    def command(self, line: str) -> str:
        """A line for a shell."""
        return command(line, self._values)

    def step(self, step: Step) -> list[str]:
        """*step* as an item of a list, its command as a block of code in it."""
        engines = " and ".join(PRODUCTS.get(each, each) for each in step.engines)
        whose = [_PROVIDERS[step.provider]] if step.provider else []
        where = ", ".join([_PLACES[step.run_on], *whose, *([engines] if engines else [])])
        if step.command is None:
            return [f"- {self.prose(step.text)} ({where})", ""]
        lines = self.command(step.command).splitlines()
        return [f"- {self.prose(step.text)} ({where}):", "", *(f"      {line}".rstrip() for line in lines), ""]


def markdown(page: Page, fitting: Fitting | None = None) -> str:
    """*page* for a reader: its code as the heading, then all that is said of it."""
    return f"# {page.code}\n\n{content(page, fitting or Fitting())}"


def content(page: Page, fitting: Fitting) -> str:
    """What is said of the code of *page*; its headings are of the second level."""
    filling = fitting.filling(hop_of(page.code))
    looks = [each.step for each in page.next_steps]
    after = {
        _FIX: [line for step in page.remedy if fitting.fits(step) for line in filling.step(step)],
        _CAUSES: [
            *_causes(page, fitting),
            *(line for step in looks if fitting.fits(step) for line in filling.step(step)),
        ],
        _VERIFY: filling.step(page.verify) if page.verify else [],
    }
    return "\n".join([*_heading(page, filling), *notes(page), *_body(page, filling, after)]).rstrip() + "\n"


def body(page: Page, values: Mapping[str, Value], escape: Callable[[Value], Value]) -> str:
    """The page's own words with *values* in them; *escape* keeps a value from being taken for Markdown's marks."""
    return "\n".join(_body(page, Filling(values, escape), {})).strip() + "\n"


def notes(page: Page) -> list[str]:
    """A company's own words, quoted: no mark in them, closed or not, reaches beyond."""
    if not page.notes:
        return []
    return ["> **Your notes**", ">", *(f"> {line}".rstrip() for line in page.notes.splitlines()), ""]


def hop_of(code: str) -> str:
    """The hop that *code* is about, as far as the code itself tells."""
    return "database" if code.startswith("db.") else "bastion"


def _heading(page: Page, filling: Filling) -> list[str]:
    return [f"**{filling.prose(page.title)}** ({page.severity})", "", filling.prose(page.summary), ""]


def _body(page: Page, filling: Filling, after: Mapping[str, list[str]]) -> Iterator[str]:
    """The body's lines; what belongs under a heading comes at the end of its section."""
    pending: list[str] = []
    fenced = False
    for line in page.body.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            yield from pending
            pending = after.get(line.strip(), [])
        yield filling.command(line) if fenced else filling.prose(line)
    yield from ["", *pending] if pending else []


def _causes(page: Page, fitting: Fitting) -> list[str]:
    if not page.causes:
        return []
    causes = (f"- {fitting.link(cause)}" for cause in page.causes)
    return ["These look the same from here, likeliest first:", "", *causes, ""]
