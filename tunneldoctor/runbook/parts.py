"""What a runbook holds, as a tree of parts: by symptom, each with what to look at first, and by layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tunneldoctor.catalog import Catalog, Page
from tunneldoctor.catalog.markdown import Filling, Fitting, content, hop_of
from tunneldoctor.catalog.symptoms import Symptom
from tunneldoctor.model import Layer, Place, Provider, Step, Tunnel, Value, visible

#: A command of more lines is shown on its page alone, and more causes are counted, not listed.
_COMMAND_LINES, _CAUSES_LISTED = 12, 8
_MARKS = re.compile(r"[\\`*_\[\]<>&~|]")
_UNCLASSIFIED = "unclassified"
#: The layers in words.
LAYERS = {
    "config": "what the tunnel was configured with",
    "key": "the private key and its certificate",
    "dns": "the bastion's name",
    "tcp": "the way to the bastion's port",
    "ssh": "the SSH handshake",
    "hostkey": "the bastion's host key",
    "auth": "the login on the bastion",
    "forward": "from the bastion to the database",
    "db": "the database",
    "idle": "unused connections",
}
_INTRO = """\
Where tunneldoctor can run, `tunneldoctor check {this_tunnel}` names the code, and `tunneldoctor read FILE` finds it in
what ssh, a driver or a database printed. Without either: begin with the symptom, look at what is cheapest, and follow
the code that it speaks for.
"""
_GENERAL = """
Names in braces stand for a tunnel's values; `tunneldoctor runbook TUNNEL` fills in those of a tunnel.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, Markdown below it whose own headings begin at the second level, and the parts under it.

    ``anchor`` is what links lead to. ``about`` is what a code's page says in a line; empty for what is no page.
    """

    anchor: str
    title: str
    text: str
    parts: tuple[Part, ...] = ()
    about: str = ""

    @property
    def is_page(self) -> bool:
        """This is the page of the code that is its anchor."""
        return bool(self.about)

    @property
    def pages(self) -> Iterator[Part]:
        """Every page in it."""
        for part in self.parts:
            yield from [part] if part.is_page else part.pages


def link(code: str) -> str:
    """How Markdown mentions the page of *code*."""
    return f"[{code}](#{code})"


def literal(value: Value) -> Value:
    """A value that stays what it is in Markdown (CommonMark §2.4): brackets, stars and the like would vanish."""
    return _MARKS.sub(r"\\\g<0>", visible(value)) if isinstance(value, str) else value


def runbook(
    catalog: Catalog, tunnel: Tunnel | None = None, provider: Provider | None = None, codes: Sequence[str] = ()
) -> Part:
    """The runbook of all pages, or of *codes* alone and what they may be caused by, fitted to *tunnel* or in general.

    Raises PageError.
    """
    fitting = Fitting(tunnel, provider, literal, link)
    pages = {page.code: page for page in (_chosen(catalog, codes) if codes else catalog)}
    symptoms = () if codes else tuple(_symptom(each, pages, fitting) for each in catalog.symptoms())
    layers = tuple(_layer(layer, pages, fitting) for layer in _layers(pages))
    by_symptom = Part("by-symptom", "By symptom", "", symptoms)
    by_layer = Part("by-layer", "By layer", "In the order of the path, from here to the database.\n", layers)
    title = f"Runbook for {literal(tunnel.name)}" if tunnel else "Runbook"
    intro = fitting.filling("bastion").prose(_INTRO) + ("" if tunnel else _GENERAL)
    return Part("top", title, intro, (by_symptom, by_layer) if symptoms else (by_layer,))


def _chosen(catalog: Catalog, codes: Sequence[str]) -> Iterator[Page]:
    for code in codes:
        page = catalog.page(code)
        yield page
        yield from (catalog.page(each) for each in page.causes + page.may_be)


def _layers(pages: dict[str, Page]) -> list[str]:
    there = {code.partition(".")[0] for code in pages}
    return [*filter(there.__contains__, Layer), *sorted(there - set(Layer))]


def _layer(layer: str, pages: dict[str, Page], fitting: Fitting) -> Part:
    here = [page for code, page in pages.items() if code.partition(".")[0] == layer]
    here.sort(key=lambda page: (page.code.endswith(_UNCLASSIFIED), not page.is_symptom, page.code))
    title = f"{layer}: {LAYERS[layer]}" if layer in LAYERS else layer
    return Part(f"layer-{layer}", title, "", tuple(_page(page, _known(fitting, pages)) for page in here))


def _page(page: Page, fitting: Fitting) -> Part:
    return Part(page.code, page.code, content(page, fitting), about=_title(page, fitting))


def _known(fitting: Fitting, pages: dict[str, Page]) -> Fitting:
    """Only what is in the runbook is linked to."""
    return replace(fitting, link=lambda code: link(code) if code in pages else code)


def _symptom(symptom: Symptom, pages: dict[str, Page], fitting: Fitting) -> Part:
    codes = list(dict.fromkeys(each for code in symptom.codes for each in (code, *pages[code].causes)))
    lines = [symptom.says, ""]
    if symptom.shows:
        lines += ["Programs print then:", "", *(f"- `{each}`" for each in symptom.shows), ""]
    lines += ["## Look at this first", "", *_first(symptom, fitting), *_next(symptom, pages, fitting)]
    lines += ["## It may be", "", *(f"- {link(code)}: {_title(pages[code], fitting)}" for code in codes)]
    return Part(symptom.name, symptom.title, "\n".join(lines) + "\n")


def _title(page: Page, fitting: Fitting) -> str:
    return fitting.filling(hop_of(page.code)).prose(page.title)


def _first(symptom: Symptom, fitting: Fitting) -> Iterator[str]:
    """The symptom's own looks, each with what it may show."""
    filling = fitting.filling("bastion")
    for look in symptom.first:
        if fitting.fits(look.step):
            yield from filling.step(look.step)
            yield from (f"  - {each.seen}: {', '.join(map(link, each.codes))}" for each in look.answers)
            yield ""


def _next(symptom: Symptom, pages: dict[str, Page], fitting: Fitting) -> Iterator[str]:
    """The next steps of its pages, each command once; what needs no access to another machine comes first."""
    looks: dict[str, tuple[Step, str, list[str]]] = {}
    told = {look.step.command for look in symptom.first}
    for code in symptom.codes:
        for each in pages[code].next_steps:
            if fitting.fits(each.step) and each.step.command not in told:
                known = looks.setdefault(each.step.command or each.step.text, (each.step, code, []))
                known[2].extend(cause for cause in pages[code].causes if cause in each.splits)
    for step, code, splits in sorted(looks.values(), key=lambda each: list(Place).index(each[0].run_on)):
        yield from _look(step, code, list(dict.fromkeys(splits)), fitting.filling(hop_of(code)))


def _look(step: Step, code: str, splits: Sequence[str], filling: Filling) -> Iterator[str]:
    if step.command and len(step.command.splitlines()) > _COMMAND_LINES:
        step = replace(step, text=f"{step.text.rstrip('.')}. It is on the page {link(code)}", command=None)
    yield from filling.step(step)
    if len(splits) > _CAUSES_LISTED:
        yield f"  Tells {len(splits)} causes apart, which are listed below."
    elif splits:
        yield f"  Tells apart: {', '.join(map(link, splits))}."
    yield ""
