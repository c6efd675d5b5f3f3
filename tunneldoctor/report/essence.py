"""What a report says, without the words it says it in: by this two reports are the same or not."""

from __future__ import annotations

from tunneldoctor.model import CheckReport, Diagnosis, FindingReport, Report


def essence(report: Report) -> tuple[object, ...]:
    """Verdict, exit status, diagnosis with its causes, and how each check ended."""
    return (
        report.verdict,
        report.exit_code,
        report.complete,
        _diagnosis(report.diagnosis) if report.diagnosis else None,
        tuple(map(_check, report.checks)),
        tuple(sorted(report.counts.items())),
        tuple((stop.hop, stop.status) for stop in report.path),
    )


def _diagnosis(told: Diagnosis) -> tuple[object, ...]:
    ruled_out = tuple(each.code for each in told.ruled_out)
    return told.code, told.symptom, told.hop, told.layer, told.certain, told.causes, ruled_out


def _check(check: CheckReport) -> tuple[object, ...]:
    return check.id, check.hop, check.layer, check.status, check.blocked_by, tuple(map(_finding, check.findings))


def _finding(finding: FindingReport) -> tuple[object, ...]:
    ruled_out = tuple(each.code for each in finding.ruled_out)
    return finding.code, finding.severity, finding.symptom, finding.causes, ruled_out, finding.ignored is None
