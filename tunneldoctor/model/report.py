"""What a run comes to: the one document that every reader, human or program, gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from tunneldoctor import __version__
from tunneldoctor.model.advice import Step
from tunneldoctor.model.check import Evidence, Value
from tunneldoctor.model.tunnel import Tunnel
from tunneldoctor.model.words import Layer, Severity, Status, Verdict


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A cause that evidence speaks against."""

    code: str
    because: str


@dataclass(frozen=True, slots=True)
class FindingReport:
    """A finding with its page's words and the causes that the evidence leaves open.

    Where one cause is left, ``code`` is that cause and ``symptom`` what was seen; else ``symptom`` is None.
    ``ignored`` says why it does not count, or None. ``notes`` are a company's own words, as plain Markdown.
    """

    code: str
    severity: Severity
    title: str
    summary: str
    params: Mapping[str, Value]
    symptom: str | None
    causes: tuple[str, ...]
    ruled_out: tuple[RuledOut, ...]
    next_step: Step | None
    remedy: tuple[Step, ...]
    verify: Step | None
    ignored: str | None
    evidence: tuple[Evidence, ...]
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class BlockedBy:
    """The check, and its code where it had one, that keeps another from running."""

    check: str
    code: str | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How one check on one hop ended. Times are milliseconds since the run's start; None for what did not run."""

    id: str
    hop: str
    layer: Layer
    title: str
    status: Status
    reason: str | None = None
    blocked_by: BlockedBy | None = None
    started_ms: float | None = None
    duration_ms: float | None = None
    attempts: int = 0
    findings: tuple[FindingReport, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The first broken thing, or the first warning; ``code`` is None where nothing could be established."""

    code: str | None
    symptom: str | None
    hop: str
    layer: Layer
    title: str
    summary: str
    certain: bool
    causes: tuple[str, ...]
    ruled_out: tuple[RuledOut, ...]
    next_step: Step | None
    remedy: tuple[Step, ...]
    verify: Step | None
    notes: str | None = None

    @classmethod
    def of(cls, check: CheckReport, finding: FindingReport) -> Self:
        """The diagnosis that *finding* of *check* is. Its layer is the one that the code names, else the check's."""
        layer = finding.code.partition(".")[0]
        return cls(
            code=finding.code,
            symptom=finding.symptom,
            hop=check.hop,
            layer=Layer(layer) if layer in set(Layer) else check.layer,
            title=finding.title,
            summary=finding.summary,
            certain=len(finding.causes) == 1,
            causes=finding.causes,
            ruled_out=finding.ruled_out,
            next_step=finding.next_step,
            remedy=finding.remedy,
            verify=finding.verify,
            notes=finding.notes,
        )


@dataclass(frozen=True, slots=True)
class PathHop:
    """One stop between here and the database. ``latency_ms`` is one round trip to it, where it was measured."""

    hop: str
    address: str | None = None
    latency_ms: float | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Vantage:
    """Where the examination was made from; ``egress_address`` is us as the bastion sees us, when it was seen."""

    host: str
    egress_address: str | None = None


@dataclass(frozen=True, slots=True)
class Redacted:
    """What was taken out before the report left the engine."""

    level: str = "secrets"
    removed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """One examination of one tunnel. ``version`` is that of the program that made it.

    Read back from JSON, ``tunnel`` holds what the document carries: name, target, the hops' addresses and users.
    """

    tunnel: Tunnel
    vantage: Vantage
    started_at: datetime
    finished_at: datetime
    duration_ms: float
    complete: bool
    verdict: Verdict
    exit_code: int
    diagnosis: Diagnosis | None
    path: tuple[PathHop, ...]
    checks: tuple[CheckReport, ...]
    facts: Mapping[str, Value]
    redacted: Redacted
    counts: Mapping[Status, int]
    version: str = __version__
