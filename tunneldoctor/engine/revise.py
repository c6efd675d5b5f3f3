"""A report revised: what it comes to after a part of its checks was run again, or with another provider's advice."""

from collections.abc import Sequence
from dataclasses import replace

from tunneldoctor.catalog import Catalog
from tunneldoctor.engine.explain import Explainer
from tunneldoctor.engine.selection import NOT_CHOSEN
from tunneldoctor.engine.summary import counts_of, diagnosis_of, exit_code_of, path_of, verdict_of
from tunneldoctor.model import Check, CheckReport, Policy, Provider, Report


def was_chosen(check: CheckReport) -> bool:
    """Whether *check* was among those that a run was asked for, or needed by them."""
    return check.reason != NOT_CHOSEN


def merged(earlier: Report, later: Report, policy: Policy) -> Report:
    """*earlier* with the checks that *later* looked at again; times of those count from the later start."""
    again = {(check.id, check.hop): check for check in later.checks if was_chosen(check)}
    checks = tuple(again.get((check.id, check.hop), check) for check in earlier.checks)
    verdict = verdict_of(checks)
    facts = dict(sorted({**earlier.facts, **later.facts}.items()))
    return replace(
        later,
        started_at=earlier.started_at,
        duration_ms=round((later.finished_at - earlier.started_at).total_seconds() * 1000, 1),
        complete=earlier.complete and later.complete,
        verdict=verdict,
        exit_code=exit_code_of(verdict, policy) if earlier.complete and later.complete else later.exit_code,
        diagnosis=diagnosis_of(verdict, checks),
        path=path_of(later.tunnel, checks, facts),
        checks=checks,
        facts=facts,
        counts=counts_of(checks),
    )


def dependants(checks: Sequence[Check], name: str) -> tuple[str, ...]:
    """The check called *name* and every check that stands on what it gives, however far; for ``Policy.only``."""
    found = [check for check in checks if check.id == name]
    for check in found:
        given = {fact.name for fact in check.gives}
        standing = (each for each in checks if given & {fact.name for fact in each.needs + each.wants})
        found += [each for each in standing if each not in found]
    return tuple(check.id for check in found)


def advised(report: Report, catalog: Catalog, provider: Provider | None) -> Report:
    """*report* with the advice that there is for *provider*; what was found stays as it is."""
    tunnel = replace(report.tunnel, provider=provider)
    explainer = Explainer(catalog, tunnel, ())
    checks = tuple(
        replace(check, findings=tuple(explainer.advise(each, check.hop, report.facts) for each in check.findings))
        for check in report.checks
    )
    return replace(report, tunnel=tunnel, checks=checks, diagnosis=diagnosis_of(report.verdict, checks))
