"""What changed between two runs of a tunnel: the first question once it worked yesterday and is broken today.

A pure comparison, noise left out: how long each check took, and round trips that vary as round trips do. What one run
could not measure, since it did not get so far or was made by another version, has not changed; it is named apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tunneldoctor.model import CheckReport, FindingReport, Report, Status, Value
from tunneldoctor.report.shown import one_line
from tunneldoctor.report.to_json import report_document

#: A round trip has changed when it is this many times as long, or as short, and differs by this many milliseconds:
#: single measurements over the internet double by chance, and of short ones a busy machine makes a multiple.
LATENCY_RATIO, LATENCY_MS = 2.0, 50.0
#: The same for the time after which unused connections are cut, in seconds: it is measured between two bounds.
CUTOFF_RATIO, CUTOFF_S = 1.1, 1.0
#: Changes that are told in one line.
TOLD_IN_SHORT = 3
_LATENCY, _CUTOFF = "latency_ms", "idle.cutoff_seconds"
#: Measured as far as was asked for, so that it says nothing about the tunnel when it differs.
_ASKED_FOR = frozenset({"idle.survived_seconds", "idle.alive_after_seconds", "idle.dead_after_seconds"})


class Kind(StrEnum):
    """What a change is about."""

    VERDICT = "verdict"
    DIAGNOSIS = "diagnosis"
    TARGET = "target"
    VANTAGE = "vantage"
    FACT = "fact"
    CHECK = "check"
    FINDING = "finding"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs; None stands for nothing, or not there.

    ``name`` is ``verdict``, ``diagnosis`` or ``causes``, a key of the target, ``host``, the name of a fact, a check's
    id, or a finding's code; the last two have a ``hop``. A check's values are its statuses, a finding's its severities
    (or ``ignored``).
    """

    kind: Kind
    name: str
    hop: str | None
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Difference:
    """Two runs compared. ``unmeasured`` are facts that one of them lacks because it did not get so far."""

    before: Report
    after: Report
    changes: tuple[Change, ...]
    unmeasured: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Nothing changed."""
        return not self.changes

    @property
    def outer(self) -> tuple[Change, ...]:
        """What changed about the world rather than about what the checks say: target, vantage, facts."""
        return tuple(each for each in self.changes if each.kind in (Kind.TARGET, Kind.VANTAGE, Kind.FACT))


def difference(before: Report, after: Report) -> Difference:
    """Compare two reports, of the same tunnel or not."""
    unmeasured = tuple(name for name in _fact_names(before, after) if _not_got_so_far(name, before, after))
    changes = (
        *_changed(Kind.VERDICT, {"verdict": before.verdict.value}, {"verdict": after.verdict.value}),
        *_changed(Kind.DIAGNOSIS, _diagnosis(before), _diagnosis(after)),
        *_changed(Kind.TARGET, _target(before), _target(after)),
        *_changed(Kind.VANTAGE, {"host": before.vantage.host}, {"host": after.vantage.host}),
        *(_fact(name, before, after) for name in _fact_names(before, after) if _fact_changed(name, before, after)),
        *_checks(before, after),
    )
    return Difference(before, after, changes, unmeasured)


def _changed(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name, value in before.items():
        if value != after[name]:
            yield Change(kind, name, None, value, after[name])


def _diagnosis(report: Report) -> dict[str, Value]:
    told = report.diagnosis
    causes = told.causes if told and len(told.causes) > 1 else ()
    return {"diagnosis": (told.code or told.title) if told else None, "causes": ", ".join(causes) or None}


def _target(report: Report) -> dict[str, Value]:
    """What was asked for; the provider is left out, which only says whose commands the advice shows."""
    target: dict[str, Any] = report_document(report)["target"]
    del target["provider"]
    return {**target, "via": ", ".join(map(str, target["via"])) or None}


def _fact_names(before: Report, after: Report) -> list[str]:
    return [name for name in dict.fromkeys([*before.facts, *after.facts]) if name not in _ASKED_FOR]


def _fact(name: str, before: Report, after: Report) -> Change:
    return Change(Kind.FACT, name, None, before.facts.get(name), after.facts.get(name))


def _fact_changed(name: str, before: Report, after: Report) -> bool:
    old, new = before.facts.get(name), after.facts.get(name)
    if _not_got_so_far(name, before, after) or old == new:
        return False
    if (name.endswith(_LATENCY) or name == _CUTOFF) and isinstance(old, int | float) and isinstance(new, int | float):
        low, high = sorted((old, new))
        ratio, least = (CUTOFF_RATIO, CUTOFF_S) if name == _CUTOFF else (LATENCY_RATIO, LATENCY_MS)
        return high >= low * ratio and high - low >= least
    return True


def _not_got_so_far(name: str, before: Report, after: Report) -> bool:
    """The fact is missing in a run that did not look at everything, or not at this: its absence says nothing."""
    whole = before.version == after.version and _saw_everything(before) and _saw_everything(after)
    return not whole and not (name in before.facts and name in after.facts)


def _saw_everything(report: Report) -> bool:
    return report.complete and report.verdict.works


def _checks(before: Report, after: Report) -> Iterator[Change]:
    old, new = _by_place(before), _by_place(after)
    for place in sorted({*old, *new}, key=_order(old, new)):
        id_, hop = place
        was, is_ = old.get(place), new.get(place)
        if not (was and is_) and before.version != after.version:
            continue  # one of the programs does not have it
        statuses = was.status.value if was else None, is_.status.value if is_ else None
        if statuses[0] != statuses[1]:
            yield Change(Kind.CHECK, id_, hop, *statuses)
        if _looked(was) and _looked(is_):
            yield from _findings(hop, _severities(was), _severities(is_))


def _looked(check: CheckReport | None) -> bool:
    """It ran to its end or is not there at all: then what it did not find is not there."""
    return check is None or check.status in (Status.PASS, Status.WARN, Status.FAIL)


def _by_place(report: Report) -> dict[tuple[str, str], CheckReport]:
    return {(check.id, check.hop): check for check in report.checks}


def _order(old: Mapping[tuple[str, str], CheckReport], new: Mapping[tuple[str, str], CheckReport]) -> Any:
    """The order of the later run, then what only the earlier one has."""
    places = {place: number for number, place in enumerate(dict.fromkeys([*new, *old]))}
    return places.__getitem__


def _findings(hop: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for code in dict.fromkeys([*old, *new]):
        if old.get(code) != new.get(code):
            yield Change(Kind.FINDING, code, hop, old.get(code), new.get(code))


def _severities(check: CheckReport | None) -> dict[str, str]:
    def weight(finding: FindingReport) -> str:
        return "ignored" if finding.ignored else finding.severity.value

    return {finding.code: weight(finding) for finding in check.findings} if check else {}


def since_it_worked(worked: Report, now: Report) -> str:
    """One sentence: how long ago it worked, and what else changed since; *now* is the run that found it broken."""
    found = difference(worked, now)
    told = [in_words(each) for each in found.outer[:TOLD_IN_SHORT]]
    if more := len(found.outer) - len(told):
        told.append(f"{more} more")
    changed = ", ".join(told) or "nothing else that could be compared has changed"
    return f"last time it worked: {ago((now.started_at - worked.started_at).total_seconds())}; since then: {changed}"


def in_words(change: Change) -> str:
    """``bastion host key changed from SHA256:… to SHA256:…``."""
    what = "the machine it is examined on" if change.kind is Kind.VANTAGE else change.name
    unit = " ms" if what.endswith(_LATENCY) else ""
    name = one_line(what.removesuffix("_ms").replace(".", " ").replace("_", " "))
    if change.before is None:
        return f"{name} is now {shown(change.after)}{unit}"
    if change.after is None:
        return f"{name} was {shown(change.before)}{unit} and is gone"
    return f"{name} changed from {shown(change.before)}{unit} to {shown(change.after)}{unit}"


def shown(value: Value) -> str:
    """A value in words, on one line, made harmless."""
    return "nothing" if value is None else one_line(str(value))


def ago(seconds: float) -> str:
    """A time in the past: ``2 h ago``; one that clocks put into the future is told as that."""
    if seconds < 0:
        return f"{ago(-seconds).removesuffix(' ago')} ahead of this machine's clock"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length or (unit == "min" and seconds >= length):
            return f"{seconds // length:.0f} {unit} ago"
    return "less than a minute ago"
