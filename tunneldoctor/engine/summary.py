"""From the ledger to the report: statuses, verdict, diagnosis, path. The only place that counts."""

import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tunneldoctor.engine.explain import Explainer
from tunneldoctor.engine.ledger import Entry, Ledger
from tunneldoctor.model import (
    Address,
    BlockedBy,
    CheckReport,
    Diagnosis,
    FindingReport,
    Layer,
    PathHop,
    Policy,
    Redacted,
    Report,
    Severity,
    Status,
    Tunnel,
    Value,
    Vantage,
    Verdict,
)

#: What an inconclusive run is put down to: what could not be measured, before what only follows from it.
_UNDECIDED_FIRST = {Status.UNKNOWN: 0, Status.ERROR: 0, Status.BLOCKED: 1}
_READ_HERE = (Layer.CONFIG, Layer.KEY)


class Summary:
    """Reads a ledger, at any moment of the run."""

    def __init__(self, tunnel: Tunnel, policy: Policy, ledger: Ledger, explainer: Explainer, start: float) -> None:
        self._tunnel = tunnel
        self._policy = policy
        self._ledger = ledger
        self._explainer = explainer
        self._start = start

    def check(self, entry: Entry) -> CheckReport:
        """One check as it stands."""
        findings = self._findings(entry)
        planned = entry.planned
        return CheckReport(
            id=planned.check.id,
            hop=planned.hop_name,
            layer=planned.check.layer,
            title=planned.check.title,
            status=entry.status or _status(entry, findings),
            reason=entry.reason or entry.outcome.unknown or entry.outcome.skipped,
            blocked_by=self._blocked_by(entry),
            started_ms=None if entry.started is None else self._ms(entry.started),
            duration_ms=_duration(entry),
            attempts=entry.attempts,
            findings=findings,
        )

    def report(self, started_at: datetime, finished_at: datetime, end: float, interrupted: int | None) -> Report:
        """The whole run; *interrupted* is the exit code of an interrupted one."""
        checks = tuple(self.check(entry) for entry in self._ledger.entries)
        measured = self._ledger.measured()
        verdict = verdict_of(checks)
        return Report(
            tunnel=self._tunnel,
            vantage=Vantage(socket.gethostname(), _text(measured.get("egress_address"))),
            started_at=started_at,
            finished_at=finished_at,
            duration_ms=self._ms(end),
            complete=interrupted is None,
            verdict=verdict,
            exit_code=exit_code_of(verdict, self._policy) if interrupted is None else interrupted,
            diagnosis=diagnosis_of(verdict, checks),
            path=path_of(self._tunnel, checks, measured),
            checks=checks,
            facts=dict(sorted(measured.items())),
            redacted=Redacted(),
            counts=counts_of(checks),
        )

    def _findings(self, entry: Entry) -> tuple[FindingReport, ...]:
        hop = entry.planned.hop_name
        rulings, measured = self._ledger.rulings(hop), self._ledger.measured()
        return tuple(self._explainer.explain(each, hop, rulings, measured) for each in entry.outcome.findings)

    def _blocked_by(self, entry: Entry) -> BlockedBy | None:
        if not entry.blocker:
            return None
        errors = [each for each in self._findings(entry.blocker) if each.severity is Severity.ERROR]
        return BlockedBy(entry.blocker.planned.check.id, errors[0].code if errors else None)

    def _ms(self, moment: float) -> float:
        return round((moment - self._start) * 1000, 1)


def verdict_of(checks: Sequence[CheckReport]) -> Verdict:
    """What *checks* come to together."""
    statuses = {check.status for check in checks}
    if Status.FAIL in statuses:
        return Verdict.BROKEN
    if statuses & {Status.UNKNOWN, Status.ERROR, Status.BLOCKED}:
        return Verdict.INCONCLUSIVE
    return Verdict.DEGRADED if Status.WARN in statuses else Verdict.HEALTHY


def exit_code_of(verdict: Verdict, policy: Policy) -> int:
    """The exit status that says *verdict*."""
    lenient = policy.fail_on is Severity.ERROR
    codes = {Verdict.BROKEN: 1, Verdict.INCONCLUSIVE: 3, Verdict.DEGRADED: 0 if lenient else 1, Verdict.HEALTHY: 0}
    return codes[verdict]


def path_of(tunnel: Tunnel, checks: Sequence[CheckReport], measured: Mapping[str, Value]) -> tuple[PathHop, ...]:
    """The stops between here and the database, and how each stands."""
    wanted = {hop.name: hop.address for hop in tunnel.hops}
    if tunnel.remote or tunnel.database:
        wanted["database"] = tunnel.remote
    stops = [
        PathHop(
            hop=name,
            address=_reached(address, measured.get(f"{name}.address")),
            latency_ms=_number(measured.get(f"{name}.latency_ms")),
            status=_standing([check for check in checks if check.hop == name]),
        )
        for name, address in wanted.items()
    ]
    return PathHop("here"), *stops


def _status(entry: Entry, findings: Sequence[FindingReport]) -> Status:
    severities = {finding.severity for finding in findings if not finding.ignored}
    if Severity.ERROR in severities:
        return Status.FAIL
    if entry.outcome.unknown:
        return Status.UNKNOWN
    if Severity.WARNING in severities:
        return Status.WARN
    return Status.SKIPPED if entry.outcome.skipped else Status.PASS


def _duration(entry: Entry) -> float | None:
    if entry.started is None or entry.ended is None:
        return None
    return round((entry.ended - entry.started) * 1000, 1)


def diagnosis_of(verdict: Verdict, checks: Sequence[CheckReport]) -> Diagnosis | None:
    """The first broken thing of *checks*, which are in the order of the path; None when healthy."""
    wanted = {Verdict.BROKEN: Severity.ERROR, Verdict.DEGRADED: Severity.WARNING}.get(verdict)
    if verdict is Verdict.HEALTHY:
        return None
    if wanted is None:
        return _undecided(min(checks, key=_how_undecided))
    for check in checks:
        for finding in check.findings:
            if finding.severity is wanted and not finding.ignored:
                return Diagnosis.of(check, finding)
    raise AssertionError("a verdict without a finding")


def _how_undecided(check: CheckReport) -> tuple[int, bool]:
    """The least is what the run is put down to; where it was interrupted, what ran before what never began."""
    return _UNDECIDED_FIRST.get(check.status, 9), check.started_ms is None


def _undecided(check: CheckReport) -> Diagnosis:
    finding = next(iter(check.findings), None)
    return Diagnosis(
        code=None,
        symptom=None,
        hop=check.hop,
        layer=check.layer,
        title=finding.title if finding else f"It could not be established that {check.title}",
        summary=finding.summary if finding else check.reason or "",
        certain=False,
        causes=(),
        ruled_out=(),
        next_step=None,
        remedy=finding.remedy if finding else (),
        verify=finding.verify if finding else None,
    )


def counts_of(checks: Sequence[CheckReport]) -> dict[Status, int]:
    """How many checks ended in each way; every status is there, zero or not."""
    counted = Counter(check.status for check in checks)
    return {status: counted[status] for status in Status}


def _standing(checks: Sequence[CheckReport]) -> Status | None:
    """How a hop stands; what was only read here says nothing good of a hop that nobody looked at.

    What becomes of an unused connection says nothing of the hop: it answers, and is mostly not who ends it.
    """
    checks = [check for check in checks if check.layer is not Layer.IDLE]
    worst = Status.worst(check.status for check in checks)
    looked = any(check.status in (Status.PASS, Status.WARN) and check.layer not in _READ_HERE for check in checks)
    return worst if looked or worst not in (Status.PASS, Status.WARN) else None


def _reached(asked: Address | None, measured: Value) -> str | None:
    """Where a hop is: its name as it was given, or the IP address it was reached at, with the port either way."""
    return str(replace(asked, host=str(measured)) if measured else asked) if asked else None


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _number(value: Value) -> float | None:
    return value if isinstance(value, float | int) else None
