"""From the lines that were found to codes, causes and pages: the same words as an examination's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tunneldoctor.catalog import text, tunnel_values
from tunneldoctor.catalog.fill import step, unfilled
from tunneldoctor.engine.explain import Explainer
from tunneldoctor.model import Evidence, Finding, Layer, Place, Ruling, confirms, rules_out

if TYPE_CHECKING:
    from tunneldoctor.catalog import Catalog, Page, Sign
    from tunneldoctor.model import FindingReport, Tunnel
    from tunneldoctor.pasted.scan import Line, Scanned, Seen

#: Programs that do not run where we are: what they log was seen elsewhere.
_PLACES = {"sshd": Place.BASTION, "dropbear": Place.BASTION, "postgres": Place.DATABASE, "mysqld": Place.DATABASE}
#: What is said in a sentence where the text does not tell.
_WORDS = {
    "bastion_host": "the bastion", "bastion_username": "this user", "bastion_port": "of SSH", "tunnel": "the tunnel",
    "remote_host": "the database's host", "remote_port": "of the database", "database_user": "this user",
    "database_host": "the database", "database_engine": "the database that is expected", "path": "a file",
    "database_name": "this database", "local_port": "of the tunnel",
    "database_product": "the database that is expected",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What the text tells: a finding explained, the lines that show it, and how often such lines stand there."""

    hop: str
    finding: FindingReport
    lines: tuple[Line, ...]
    count: int


@dataclass(frozen=True, slots=True)
class _Hit:
    page: Page
    sign: Sign
    seen: Seen

    @property
    def place(self) -> Place:
        return _PLACES.get(self.sign.by, Place.HERE)

    @property
    def params(self) -> dict[str, str]:
        return dict(self.seen.values[0])

    @property
    def because(self) -> str:
        line = self.seen.lines[0]
        said = f"line {line.number}: {line.text}"
        return f"{self.sign.because} ({said})" if self.sign.because else said


def told(scanned: Scanned, catalog: Catalog, tunnel: Tunnel) -> list[Told]:
    """What *scanned* tells, the first broken layer first. *tunnel* gives the values that the text does not."""
    pages = list(catalog)
    shown = [_Hit(page, sign, seen) for page in pages for sign in page.signs if (seen := scanned.of(sign))]
    against = [_Hit(page, sign, seen) for page in pages for sign in page.counter_signs if (seen := scanned.of(sign))]
    explainer = Explainer(catalog, tunnel, ())
    symptoms = {hit.page.code: hit.page for hit in shown if hit.page.causes or hit.page.may_be}
    inside = {hit.page.code for hit in shown if any(_is_cause(hit, page, scanned) for page in symptoms.values())}
    found = []
    for code, hits in _by_code(shown).items():
        if code in inside:
            continue
        rulings = _rulings(hits[0].page, shown, against, scanned)
        finding = Finding(code, {**scanned.values, **hits[0].params}, tuple(_evidence(hits)))
        hop = "database" if code.startswith("db.") else "bastion"
        explained = _in_words(explainer.explain(finding, hop, rulings, {}), hits[0].page, tunnel)
        found.append(Told(hop, explained, *_lines(hits, shown, rulings)))
    return sorted(found, key=lambda each: _rank(each.finding.code))


def _rank(code: str) -> int:
    """The place of the code's layer on the path; a layer of somebody's own comes last."""
    layer = code.partition(".")[0]
    return Layer(layer).rank if layer in list(Layer) else len(Layer)


def _in_words(found: FindingReport, page: Page, tunnel: Tunnel) -> FindingReport:
    """A text tells less than an examination: what it leaves open is said in words, or left out."""
    values = {**tunnel_values(tunnel, "bastion", {}), **found.params}
    looks = (step(each.step, values) for each in page.next_steps if each.splits & set(found.causes))
    next_step = next((each for each in looks if not unfilled(each.command or "")), found.next_step)
    title, summary = (_sentence(text(words, _WORDS)) for words in (found.title, found.summary))
    return replace(
        found,
        title=title,
        summary=title if unfilled(summary) else summary,
        next_step=next_step if len(found.causes) > 1 else None,
    )


def _sentence(words: str) -> str:
    """*words* with a capital where one of ours begins them; a program's name keeps its own."""
    return words[:1].upper() + words[1:] if words.startswith(("the ", "this ", "a ")) else words


def _by_code(hits: Sequence[_Hit]) -> dict[str, list[_Hit]]:
    codes: dict[str, list[_Hit]] = {}
    for hit in hits:
        codes.setdefault(hit.page.code, []).append(hit)
    return codes


def _is_cause(hit: _Hit, symptom: Page, scanned: Scanned) -> bool:
    """Whether *hit* shows a cause of *symptom*, and nothing says that it is about somebody else's login."""
    listed = hit.page.code in (*symptom.causes, *symptom.may_be)
    return listed and _of_the_same(hit.seen.values, scanned.values)


def _of_the_same(values: Sequence[Mapping[str, str]], ours: Mapping[str, str]) -> bool:
    """A log is everybody's: a line that names another user than the client's own text does is not about this login."""
    name = ours.get("bastion_username")
    named = {each["bastion_username"] for each in values if "bastion_username" in each}
    return not name or not named or name in named


def _rulings(page: Page, shown: Sequence[_Hit], against: Sequence[_Hit], scanned: Scanned) -> list[Ruling]:
    proven = [confirms(hit.page.code, hit.because, hit.params, seen_from=hit.place)
              for hit in shown if _is_cause(hit, page, scanned)]  # fmt: skip
    spoken = [rules_out(hit.page.code, hit.because, seen_from=hit.place) for hit in against]
    return [*proven, *spoken]


def _evidence(hits: Sequence[_Hit]) -> Iterator[Evidence]:
    for hit in hits:
        for line in hit.seen.lines[:1]:
            yield Evidence(f"line {line.number}", line.text, hit.place)


def _lines(hits: Sequence[_Hit], shown: Sequence[_Hit], rulings: Sequence[Ruling]) -> tuple[tuple[Line, ...], int]:
    proven = {ruling.code for ruling in rulings if not ruling.out}
    all_hits = [*hits, *(hit for hit in shown if hit.page.code in proven)]
    lines = {line.number: line for hit in all_hits for line in hit.seen.lines}
    return tuple(lines[number] for number in sorted(lines)), sum(hit.seen.count for hit in all_hits)
