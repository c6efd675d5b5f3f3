"""The report of an examination that broke off by our own fault: what was known until then, and that it did."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.model import (
    CheckReport,
    Diagnosis,
    Layer,
    PathHop,
    Redacted,
    Report,
    Severity,
    Status,
    Vantage,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.model import Tunnel


def broken_off(tunnel: Tunnel, seen: Sequence[CheckReport], started: datetime, reason: str) -> Report:
    """A valid report with the checks *seen* so far, and one of status error that gives the *reason*."""
    now = datetime.now(UTC)
    defect = CheckReport("config.run", "here", Layer.CONFIG, "the examination works", Status.ERROR, reason)
    checks = (*seen, defect)
    diagnosis = _first_failure(seen)
    return Report(
        tunnel=tunnel,
        vantage=Vantage(""),
        started_at=started,
        finished_at=now,
        duration_ms=round((now - started).total_seconds() * 1000, 1),
        complete=False,
        verdict=Verdict.BROKEN if diagnosis else Verdict.INCONCLUSIVE,
        exit_code=1 if diagnosis else 3,
        diagnosis=diagnosis or _nothing_known(reason),
        path=(PathHop("here"), *(PathHop(hop.name, str(hop.address or "") or None) for hop in tunnel.hops)),
        checks=checks,
        facts={},
        redacted=Redacted(),
        counts={status: sum(check.status is status for check in checks) for status in Status},
    )


def _first_failure(seen: Sequence[CheckReport]) -> Diagnosis | None:
    for check in seen:
        for finding in check.findings:
            if finding.severity is Severity.ERROR and not finding.ignored:
                return Diagnosis.of(check, finding)
    return None


def _nothing_known(reason: str) -> Diagnosis:
    title = "The examination broke off"
    return Diagnosis(None, None, "here", Layer.CONFIG, title, reason, False, (), (), None, (), None)
