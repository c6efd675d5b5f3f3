"""What happens during a run, as it happens. The progress line, NDJSON and the report read this one stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tunneldoctor.model.check import Value
from tunneldoctor.model.report import CheckReport, Report
from tunneldoctor.model.words import Layer


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """A check that is going to be run or passed over, for readers that show what is to come.

    ``equivalent`` is the shell command that looks at the same thing by hand; empty where there is none.
    """

    id: str
    hop: str
    layer: Layer
    title: str
    equivalent: str = ""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first event. ``at_ms`` is milliseconds since the start, here and below."""

    at_ms: float
    tunnel: str
    planned: tuple[PlannedCheck, ...]


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A check began to run."""

    at_ms: float
    check: str
    hop: str


@dataclass(frozen=True, slots=True)
class CheckProgress:
    """A running check has something to say; ``values`` are the same as flat data, where something is counted."""

    at_ms: float
    check: str
    hop: str
    text: str
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class CheckFinished:
    """A check ended, or will never run; causes are those left open by what is known so far."""

    at_ms: float
    result: CheckReport


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event."""

    at_ms: float
    report: Report


Event = RunStarted | CheckStarted | CheckProgress | CheckFinished | RunFinished
