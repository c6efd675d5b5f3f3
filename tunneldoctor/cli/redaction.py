"""``--redact``: what is taken out of reports before they are written, and that they still say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunneldoctor.cli.failure import Failure, note

if TYPE_CHECKING:
    from tunneldoctor.model import Event, Report
    from tunneldoctor.report import Topology

SECRETS, TOPOLOGY = "secrets", "topology"
LEVELS = (SECRETS, TOPOLOGY)
#: What has to be done and can't be: the status of a report that must not be written.
_NOT_WRITTEN = 3


@dataclass(frozen=True, slots=True)
class Shared:
    """What may be written: reports, events with the names of their tunnels, remarks by the name of the tunnel."""

    reports: Sequence[Report]
    events: Sequence[tuple[str, Event]] = ()
    remarks: Mapping[str, str] = field(default_factory=dict)


def shared(what: Shared, level: str) -> Shared:
    """*what* at that *level*, told by kind on stderr before anything is written; the aliases are kept already.

    Raises :class:`Failure` where they can't be, or where a report would say something else than it did.
    """
    if level == SECRETS:
        return what
    from tunneldoctor.alias_file import MapUnusable, growing
    from tunneldoctor.cli.checks import installed_catalog
    from tunneldoctor.report import AliasesFull, Topology

    try:
        with growing() as aliases:
            result = _with_aliases(what, Topology(aliases, installed_catalog().codes()))
    except MapUnusable as error:
        raise Failure(str(error), _NOT_WRITTEN) from error
    except AliasesFull:
        raise Failure("the map of aliases is full: move it away to begin a new one", _NOT_WRITTEN) from None
    tell_removed(result.reports)
    note("tunneldoctor unredact FILE turns an answer to it back; what its aliases stand for stays on this machine")
    return result


def tell_removed(reports: Iterable[Report]) -> None:
    """Say on stderr what was removed, by kind."""
    from tunneldoctor.report.reading import removed_words

    if words := removed_words(reports):
        note(words)


def _with_aliases(what: Shared, topology: Topology) -> Shared:
    topology.learn(what.reports)
    for _, event in what.events:
        topology.learn_event(event)
    for remark in what.remarks.values():
        topology.learn_text(remark)
    reports = [topology.report(each) for each in what.reports]
    for before, after in zip(what.reports, reports, strict=True):
        _must_be_the_same(before, after)
    return Shared(
        reports,
        [(topology.text(name), topology.event(event)) for name, event in what.events],
        {topology.text(name): topology.text(remark) for name, remark in what.remarks.items()},
    )


def _must_be_the_same(before: Report, after: Report) -> None:
    """The verdict and the diagnosis, as they are written, and as they come out of the checks once more."""
    from tunneldoctor.report import essence, report_from_json, report_json

    read = report_from_json(report_json(after))
    if essence(read) != essence(before) or _judged(read) != _judged(before):
        raise Failure(
            "a defect of tunneldoctor's own: with its names replaced the report would say something else, so it is not "
            "written; --redact secrets leaves the names in",
            _NOT_WRITTEN,
        )


def _judged(report: Report) -> object:
    from tunneldoctor.engine.summary import diagnosis_of, verdict_of

    verdict = verdict_of(report.checks)
    told = diagnosis_of(verdict, report.checks) if report.checks else None
    return verdict, told and (told.code, told.symptom, told.hop, told.causes, told.certain)
