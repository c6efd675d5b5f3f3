"""From what was found to what is wrong: the one place where causes are subtracted and words are filled in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tunneldoctor.catalog import Catalog, Page, tunnel_values
from tunneldoctor.catalog.fill import step, text
from tunneldoctor.model import (
    Evidence,
    Finding,
    FindingReport,
    Ignore,
    Retry,
    RuledOut,
    Ruling,
    Severity,
    Step,
    Tunnel,
    Value,
)

#: At most so many causes of an undecided symptom lend it their first remedy.
REMEDIES_SHOWN = 5


#: Causes left, causes ruled out, and the evidence that confirms what is left.
_Narrowed = tuple[tuple[str, ...], tuple[RuledOut, ...], tuple[Evidence, ...]]


class Explainer:
    """Explains the findings of one tunnel with the pages of *catalog*."""

    def __init__(self, catalog: Catalog, tunnel: Tunnel, ignore: Sequence[Ignore]) -> None:
        self._catalog = catalog
        self._tunnel = tunnel
        self._ignore = ignore

    def explain(
        self, finding: Finding, hop: str, rulings: Iterable[Ruling], measured: Mapping[str, Value]
    ) -> FindingReport:
        """*finding* with its causes narrowed by *rulings* of the same hop, and its page's words filled in."""
        seen, rulings = self._page(finding.code), tuple(rulings)
        causes, ruled_out, proof = _narrow(seen, rulings)
        narrowed = len(causes) == 1 and causes[0] != seen.code
        page = self._page(causes[0]) if narrowed else seen
        params = {**finding.params, **_params_of(page.code, rulings)}
        values = tunnel_values(self._tunnel, hop, measured) | dict(params)
        return FindingReport(
            code=page.code,
            severity=_milder(seen.severity, finding.severity),
            title=text(page.title, values),
            summary=text(page.summary, values),
            params=params,
            symptom=seen.code if narrowed else None,
            causes=causes,
            ruled_out=ruled_out,
            next_step=self._next_step(seen, causes, values),
            remedy=tuple(step(each, values) for each in self._remedy(page, causes)),
            verify=step(page.verify, values) if page.verify else None,
            ignored=self._ignored(page.code, seen.code),
            evidence=finding.evidence + proof,
            notes=page.notes or seen.notes,
        )

    def advise(self, finding: FindingReport, hop: str, measured: Mapping[str, Value]) -> FindingReport:
        """*finding* with the steps that its pages have for this tunnel's provider."""
        seen, page = self._page(finding.symptom or finding.code), self._page(finding.code)
        values = tunnel_values(self._tunnel, hop, measured) | dict(finding.params)
        remedy = tuple(step(each, values) for each in self._remedy(page, finding.causes))
        return replace(finding, remedy=remedy, next_step=self._next_step(seen, finding.causes, values))

    def retry(self, finding: Finding) -> Retry:
        """Whether what was found may heal by itself."""
        return self._page(finding.code).retry

    def _page(self, code: str) -> Page:
        return self._catalog.find(code) or _pageless(code)

    def _next_step(self, page: Page, causes: Sequence[str], values: Mapping[str, Value]) -> Step | None:
        if len(causes) < 2:
            return None
        useful = (each for each in page.next_steps if each.splits & set(causes) and self._fits(each.step))
        chosen = next(useful, None)
        return step(chosen.step, values) if chosen else None

    def _remedy(self, page: Page, causes: Sequence[str]) -> list[Step]:
        own = [each for each in page.remedy if self._fits(each)]
        if not page.is_symptom:
            return own
        lent = (self._first_remedy(self._page(cause)) for cause in causes[:REMEDIES_SHOWN])
        return own + [each for each in lent if each]

    def _first_remedy(self, page: Page) -> Step | None:
        first = next((each for each in page.remedy if self._fits(each)), None)
        return Step(f"{page.code}: {first.text}", first.command, first.run_on, first.provider) if first else None

    def _fits(self, each: Step) -> bool:
        database = self._tunnel.database
        of_the_engine = not each.engines or (database is not None and database.engine in each.engines)
        return of_the_engine and (each.provider is None or each.provider is self._tunnel.provider)

    def _ignored(self, *codes: str) -> str | None:
        for each in self._ignore:
            if each.code in codes and each.tunnel in (None, self._tunnel.name):
                return f"--ignore {each}"
        return None


def _narrow(page: Page, rulings: Sequence[Ruling]) -> _Narrowed:
    """The causes left of *page*, likeliest first; those that evidence speaks against; and what proves the rest."""
    if not page.is_symptom:
        about = [each for each in rulings if each.code in page.may_be]
        turned_out = [each for each in about if not each.out][:1]
        no_more = {each.code: RuledOut(each.code, each.because) for each in about if each.out and not turned_out}
        itself = [each for each in rulings if each.code == page.code and not each.out]
        return (turned_out[0].code if turned_out else page.code,), tuple(no_more.values()), _proof(turned_out or itself)
    about = [ruling for ruling in rulings if ruling.code in page.causes]
    out = {ruling.code: RuledOut(ruling.code, ruling.because) for ruling in about if ruling.out}
    confirmed = {ruling.code: ruling.because for ruling in about if not ruling.out}
    left = tuple(cause for cause in page.causes if (cause in confirmed if confirmed else cause not in out))
    spoken_against = tuple(out[cause] for cause in page.causes if cause in out and cause not in left)
    return left, spoken_against, _proof([ruling for ruling in about if not ruling.out])


def _params_of(cause: str, rulings: Sequence[Ruling]) -> dict[str, Value]:
    """What the page of the *cause* that was confirmed wants to know beside what the symptom told."""
    confirming = (ruling for ruling in rulings if ruling.code == cause and not ruling.out)
    return {name: value for ruling in confirming for name, value in ruling.params.items()}


def _proof(confirming: Sequence[Ruling]) -> tuple[Evidence, ...]:
    return tuple(Evidence("proof", f"{each.code}: {each.because}", each.seen_from) for each in confirming)


def _milder(ceiling: Severity, wished: Severity | None) -> Severity:
    return max(ceiling, wished or ceiling, key=lambda severity: severity.rank)


def _pageless(code: str) -> Page:
    """A check reported a code that has no page: the finding must be shown all the same."""
    return Page(code, Path(), code, code, Severity.ERROR, (), (), Retry.NEVER, (), (), None, {}, "")
