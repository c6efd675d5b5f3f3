"""All that the examination's screen shows, folded out of the engine's events one after the other. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tunneldoctor.model import (
    CheckFinished,
    CheckProgress,
    CheckReport,
    CheckStarted,
    Event,
    Layer,
    PathHop,
    PlannedCheck,
    Policy,
    Report,
    RunFinished,
    RunStarted,
    Status,
    Tunnel,
    Value,
)

#: What tells one check on one hop from all others: the check's id and the hop.
Key = tuple[str, str]
#: Runs of a watch whose latencies are kept.
PROBES_KEPT = 200


class Phase(StrEnum):
    """Where a check, or the whole run, is."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Look:
    """One planned check as far as it got. Times are milliseconds since the run's start."""

    planned: PlannedCheck
    started_ms: float | None = None
    said: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    result: CheckReport | None = None

    @property
    def key(self) -> Key:
        """Its check and hop."""
        return self.planned.id, self.planned.hop

    @property
    def phase(self) -> Phase:
        """Where it is."""
        if self.result:
            return Phase.ENDED
        return Phase.WAITING if self.started_ms is None else Phase.RUNNING

    @property
    def status(self) -> Status | None:
        """How it ended; None before that."""
        return self.result.status if self.result else None


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the log: when, on which check, what happened; ``command`` looks at the same thing by hand."""

    at_ms: float
    text: str
    key: Key | None = None
    status: Status | None = None
    command: str = ""


#: One probe of a watch: each stop's latency in milliseconds, None where the stop was not reached.
Probe = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class State:
    """One tunnel's examination. ``part`` marks a run over some of the checks only: the others keep their results."""

    name: str
    tunnel: Tunnel | None = None
    phase: Phase = Phase.WAITING
    part: bool = False
    looks: Mapping[Key, Look] = field(default_factory=dict)
    report: Report | None = None
    log: tuple[Note, ...] = ()
    probes: tuple[Probe, ...] = ()
    at_ms: float = 0.0

    def in_phase(self, phase: Phase) -> int:
        """How many checks are there."""
        return sum(look.phase is phase for look in self.looks.values())

    @property
    def counts(self) -> Counter[Status]:
        """How many checks ended in which way so far."""
        return Counter(look.result.status for look in self.looks.values() if look.result)

    @property
    def stops(self) -> tuple[PathHop, ...]:
        """The path: as the report has it, or, while the run goes on, as the checks that ended say."""
        if self.report and self.phase is not Phase.RUNNING:
            return self.report.path
        here, *others = _hops(self.tunnel)
        return PathHop(here), *(PathHop(hop, status=self._standing(hop)) for hop in others)

    def _standing(self, hop: str) -> Status | None:
        """A stop that nothing was sent to yet has no good standing, whatever was read about it here.

        As in the report, what becomes of unused connections says nothing of it.
        """
        looks = [look for look in self.looks.values() if look.result and look.planned.layer is not Layer.IDLE]
        there = [look for look in looks if look.planned.hop == hop]
        worst = Status.worst(look.result.status for look in there if look.result)
        sent = any(look.planned.layer not in (Layer.CONFIG, Layer.KEY) for look in there)
        return worst if sent or worst not in (Status.PASS, Status.WARN) else None


def again(state: State, part: bool = False) -> State:
    """*state* at the start of another run: over everything, or over a *part* of the checks."""
    if part:
        return replace(state, part=True, phase=Phase.RUNNING)
    waiting = {key: Look(look.planned) for key, look in state.looks.items()}
    return replace(state, part=False, phase=Phase.RUNNING, looks=waiting, report=None)


def fold(state: State, event: Event) -> State:
    """*state* after *event*."""
    match event:
        case RunStarted():
            return _run_started(state, event)
        case CheckStarted():
            return _check_started(state, event)
        case CheckProgress():
            return _check_progress(state, event)
        case CheckFinished():
            return _check_finished(state, event)
        case RunFinished():
            return _run_finished(state, event)


def fold_all(state: State, events: Iterable[Event]) -> State:
    """*state* after all of *events*."""
    for event in events:
        state = fold(state, event)
    return state


def _run_started(state: State, event: RunStarted) -> State:
    planned = {(each.id, each.hop): each for each in event.planned}
    old = state.looks if state.part else {}
    looks = {key: old.get(key, Look(each)) for key, each in planned.items()}
    kept = {key: look for key, look in state.looks.items() if key not in looks and state.phase is Phase.WAITING}
    note = Note(event.at_ms, f"{'looking again at a part of' if state.part else 'examining'} {event.tunnel}")
    return _noted(replace(state, phase=Phase.RUNNING, looks={**looks, **kept}, name=event.tunnel, at_ms=0.0), note)


def _check_started(state: State, event: CheckStarted) -> State:
    key = event.check, event.hop
    look = _look(state, key)
    if look.result and not state.part:  # it is known already how it ended
        return state
    note = Note(event.at_ms, look.planned.title, key, command=look.planned.equivalent)
    return _noted(_with(state, replace(look, started_ms=event.at_ms, said="", values={}, result=None)), note)


def _check_progress(state: State, event: CheckProgress) -> State:
    key = event.check, event.hop
    look = _look(state, key)
    if look.result:
        return state
    started = event.at_ms if look.started_ms is None else look.started_ms
    said = replace(look, started_ms=started, said=event.text, values=event.values)
    return _noted(_with(state, said), Note(event.at_ms, event.text, key))


def _check_finished(state: State, event: CheckFinished) -> State:
    result = event.result
    if state.part and not _was_chosen(result):
        return state
    look = _look(state, (result.id, result.hop), result)
    ended = _with(state, replace(look, started_ms=result.started_ms, said="", result=result))
    if result.started_ms is None:  # it never ran: nothing was done
        return ended
    codes = ", ".join(finding.code for finding in result.findings)
    text = codes or result.reason or result.title
    return _noted(ended, Note(event.at_ms, text, look.key, result.status))


def _run_finished(state: State, event: RunFinished) -> State:
    report = _merged(state.report, event.report) if state.part and state.report else event.report
    verdict = report.diagnosis.title if report.diagnosis else "nothing is wrong"
    note = Note(event.at_ms, f"{report.tunnel.name} is {report.verdict}: {verdict}")
    probes = state.probes if state.part else (*state.probes, _probe(report))[-PROBES_KEPT:]
    return _noted(replace(with_report(state, report), phase=Phase.ENDED, part=False, probes=probes), note)


def with_report(state: State, report: Report) -> State:
    """*state* with all that *report* says: what was found late may have told more about what was found early."""
    known = state.looks
    looks = {}
    for result in report.checks:
        look = known.get((result.id, result.hop)) or Look(_planned(result))
        looks[look.key] = replace(look, started_ms=result.started_ms, said="", result=result)
    return replace(state, name=report.tunnel.name, tunnel=state.tunnel or report.tunnel, looks=looks, report=report)


def _was_chosen(result: CheckReport) -> bool:
    from tunneldoctor.engine.revise import was_chosen  # the engine is not loaded before the first screen is up

    return was_chosen(result)


def _merged(earlier: Report, later: Report) -> Report:
    from tunneldoctor.engine.revise import merged

    return merged(earlier, later, Policy())


def _look(state: State, key: Key, result: CheckReport | None = None) -> Look:
    """The check *key*, also where nobody announced it."""
    if key in state.looks:
        return state.looks[key]
    if result:
        return Look(_planned(result))
    layer = key[0].partition(".")[0]
    return Look(PlannedCheck(*key, Layer(layer) if layer in set(Layer) else Layer.CONFIG, key[0]))


def _planned(result: CheckReport) -> PlannedCheck:
    return PlannedCheck(result.id, result.hop, result.layer, result.title)


def _with(state: State, look: Look) -> State:
    return replace(state, looks={**state.looks, look.key: look})


def _noted(state: State, note: Note) -> State:
    return replace(state, log=(*state.log, note), at_ms=max(state.at_ms, note.at_ms))


def _hops(tunnel: Tunnel | None) -> tuple[str, ...]:
    if tunnel is None:
        return ("here",)
    behind = ("database",) if tunnel.remote or tunnel.database else ()
    return ("here", *(hop.name for hop in tunnel.hops), *behind)


def _probe(report: Report) -> Probe:
    return {stop.hop: stop.latency_ms for stop in report.path if stop.hop != "here"}
