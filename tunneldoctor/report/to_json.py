"""A report as the one JSON document (docs/json.md): every key always there, null where there is nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tunneldoctor import __version__
from tunneldoctor.model import (
    CheckReport,
    Diagnosis,
    Evidence,
    FindingReport,
    Fleet,
    PathHop,
    Report,
    RuledOut,
    Status,
    Step,
    Tunnel,
    Value,
    Verdict,
)
from tunneldoctor.report.reading import hop_url
from tunneldoctor.report.shown import moment, multiline

Document = dict[str, Any]

REPORT_SCHEMA = "tunneldoctor.report/1"
FLEET_SCHEMA = "tunneldoctor.fleet/1"


def report_json(report: Report) -> str:
    """The report's document, indented, in ASCII (so that no locale can spoil it), with a final newline."""
    return _dump(report_document(report))


def fleet_json(fleet: Fleet) -> str:
    """The fleet's document, written in the same way."""
    return _dump(fleet_document(fleet))


def report_document(report: Report) -> Document:
    """One examination of one tunnel."""
    document: Document = harmless(_report(report))
    return document


def check_document(check: CheckReport) -> Document:
    """One check: an element of the report's ``checks``, and what the event ``check.finished`` carries."""
    blocked_by = check.blocked_by
    return {
        "id": check.id,
        "hop": check.hop,
        "layer": check.layer.value,
        "title": check.title,
        "status": check.status.value,
        "reason": check.reason,
        "blocked_by": {"check": blocked_by.check, "code": blocked_by.code} if blocked_by else None,
        "started_ms": _number(check.started_ms, 1),
        "duration_ms": _number(check.duration_ms, 1),
        "attempts": check.attempts,
        "findings": [finding_document(finding) for finding in check.findings],
    }


def finding_document(finding: FindingReport) -> Document:
    """One finding: an element of a check's ``findings``."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "title": finding.title,
        "summary": finding.summary,
        "params": _values(finding.params),
        "symptom": finding.symptom,
        "causes": list(finding.causes),
        "ruled_out": [_ruled_out(each) for each in finding.ruled_out],
        "next_step": _look(finding.next_step),
        "remedy": [_step(step) for step in finding.remedy],
        "verify": _look(finding.verify),
        "notes": finding.notes,
        "ignored": finding.ignored,
        "evidence": [_evidence(each) for each in finding.evidence],
    }


def fleet_document(fleet: Fleet) -> Document:
    """Several tunnels examined in one run."""
    return {
        "schema": FLEET_SCHEMA,
        "tool": _tool(fleet.reports[0].version if fleet.reports else __version__),
        "started_at": moment(fleet.started_at),
        "finished_at": moment(fleet.finished_at),
        "verdict": fleet.verdict.value,
        "exit_code": fleet.exit_code,
        "reports": [report_document(report) for report in fleet.reports],
        "counts": {verdict.value: fleet.counts.get(verdict, 0) for verdict in Verdict},
    }


def harmless(value: Any) -> Any:
    """*value* with control and invisible characters written out in every string; line breaks stay."""
    if isinstance(value, str):
        return multiline(value)
    if isinstance(value, dict):
        return {key: harmless(item) for key, item in value.items()}
    if isinstance(value, list):
        return [harmless(item) for item in value]
    return value


def _report(report: Report) -> Document:
    return {
        "schema": REPORT_SCHEMA,
        "tool": _tool(report.version),
        "tunnel": report.tunnel.name,
        "target": _target(report.tunnel),
        "vantage": {"host": report.vantage.host, "egress_address": report.vantage.egress_address},
        "started_at": moment(report.started_at),
        "finished_at": moment(report.finished_at),
        "duration_ms": _number(report.duration_ms, 1),
        "complete": report.complete,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code,
        "diagnosis": _diagnosis(report.diagnosis) if report.diagnosis else None,
        "path": [_path_hop(hop) for hop in report.path],
        "checks": [check_document(check) for check in report.checks],
        "facts": _values(report.facts),
        "redacted": {"level": report.redacted.level, "removed": dict(report.redacted.removed)},
        "counts": {status.value: report.counts.get(status, 0) for status in Status},
    }


def _dump(document: Document) -> str:
    import json

    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _tool(version: str) -> Document:
    return {"name": "tunneldoctor", "version": version}


def _target(tunnel: Tunnel) -> Document:
    bastion, database = tunnel.bastion, tunnel.database
    return {
        "bastion_host": bastion.host,
        "bastion_port": bastion.port,
        "bastion_username": bastion.username,
        "via": [hop_url(hop) for hop in tunnel.hops[:-1]],
        "remote_bind": str(tunnel.remote) if tunnel.remote else None,
        "engine": database.engine if database else None,
        "database_user": database.user if database else None,
        "provider": tunnel.provider.value if tunnel.provider else None,
    }


def _diagnosis(diagnosis: Diagnosis) -> Document:
    return {
        "code": diagnosis.code,
        "symptom": diagnosis.symptom,
        "hop": diagnosis.hop,
        "layer": diagnosis.layer.value,
        "title": diagnosis.title,
        "summary": diagnosis.summary,
        "certain": diagnosis.certain,
        "causes": list(diagnosis.causes),
        "ruled_out": [_ruled_out(each) for each in diagnosis.ruled_out],
        "next_step": _look(diagnosis.next_step),
        "remedy": [_step(step) for step in diagnosis.remedy],
        "verify": _look(diagnosis.verify),
        "notes": diagnosis.notes,
    }


def _ruled_out(each: RuledOut) -> Document:
    return {"code": each.code, "because": each.because}


def _evidence(evidence: Evidence) -> Document:
    return {"kind": evidence.kind, "seen_from": evidence.seen_from.value, "text": evidence.text}


def _look(step: Step | None) -> Document | None:
    return {"text": step.text, "command": step.command, "run_on": step.run_on.value} if step else None


def _step(step: Step) -> Document:
    provider = step.provider.value if step.provider else None
    return {"text": step.text, "command": step.command, "run_on": step.run_on.value, "provider": provider}


def _path_hop(hop: PathHop) -> Document:
    return {
        "hop": hop.hop,
        "address": hop.address,
        "latency_ms": _number(hop.latency_ms, 2),
        "status": hop.status.value if hop.status else None,
    }


def _values(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: _number(value, 6) if isinstance(value, float) else value for name, value in values.items()}


def _number(value: float | None, digits: int) -> float | None:
    """Rounded; null for what JSON has no number for (RFC 8259 §6: no NaN, no infinities)."""
    return round(value, digits) if value is not None and math.isfinite(value) else None
