"""Every staged fault is named for what it is. `make bench` examines each twice in a row, from a cold start; those that
wait long (``patient``) are left to it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from fixtures import keys
from fixtures.lab import postgres, users
from fixtures.lab.session import why_not
from fixtures.lab.sshd import version
from fixtures.lab.stage import staged
from fixtures.scenario import load

if TYPE_CHECKING:
    import subprocess

    from fixtures.lab.session import Lab
    from fixtures.lab.stage import Stage
    from fixtures.scenario import Expectation, Scenario

pytestmark = pytest.mark.lab

REPORT_KEYS = {
    "schema", "tool", "tunnel", "target", "vantage", "started_at", "finished_at", "duration_ms", "complete", "verdict",
    "exit_code", "diagnosis", "path", "checks", "facts", "redacted", "counts",
}  # fmt: skip
DIAGNOSIS_KEYS = {
    "code", "symptom", "hop", "layer", "title", "summary", "certain", "causes", "ruled_out", "next_step", "remedy",
    "verify",
}  # fmt: skip
CHECK_KEYS = {
    "id", "hop", "layer", "title", "status", "reason", "blocked_by", "started_ms", "duration_ms", "attempts", "findings"
}  # fmt: skip
FINDING_KEYS = {
    "code", "severity", "title", "summary", "params", "symptom", "causes", "ruled_out", "remedy", "verify", "ignored",
    "evidence",
}  # fmt: skip
#: A field of a page that nobody gave a value.
UNFILLED = re.compile(r"\{[a-z_]+\}")
SECRETS = (postgres.PASSWORD, users.PASSWORD, keys.PASSPHRASE, "not-the-password", "wrong horse")


def _parameters() -> list[Any]:
    """A scenario that can't be staged here is skipped by name, with the reason."""
    cases = []
    for scenario in load():
        if scenario.patient:
            continue
        reason = why_not(scenario.needs_root, scenario.database.program)
        marks = [pytest.mark.skip(reason=reason)] if reason else []
        cases.append(pytest.param(scenario, id=scenario.name, marks=marks))
    return cases


@pytest.mark.parametrize("scenario", _parameters())
def test_what_is_broken_is_named(scenario: Scenario, lab: Lab) -> None:
    expected = scenario.expect.for_version(version())
    with staged(scenario, lab) as stage:
        done = stage.check_forked()
    _holds(expected, done, stage)


def _holds(expected: Expectation, done: subprocess.CompletedProcess[str], stage: Stage) -> None:
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    _is_complete(report)
    said, wanted = _essence(report, done.returncode), _essence_of(expected)
    if not expected.hop:  # the contract does not fix it
        said["hop"] = wanted["hop"]
    assert said == wanted, _story(report, stage)
    assert set(expected.also) <= set(_codes(report)), _story(report, stage)
    if expected.verdict == "healthy":
        assert _codes(report, "warning", "error") == [], _story(report, stage)
    elif expected.cause:
        assert expected.cause in said["causes"]


def _codes(report: dict[str, Any], *severities: str) -> list[str]:
    """The codes of all findings, or of those of the given severities."""
    findings = [finding for check in report["checks"] for finding in check["findings"]]
    return [finding["code"] for finding in findings if not severities or finding["severity"] in severities]


def _is_complete(report: dict[str, Any]) -> None:
    """Every key of the contract is there."""
    assert report["schema"] == "tunneldoctor.report/1"
    assert report.keys() >= REPORT_KEYS
    if report["diagnosis"] is not None:
        assert report["diagnosis"].keys() >= DIAGNOSIS_KEYS
    for check in report["checks"]:
        assert check.keys() >= CHECK_KEYS
        for finding in check["findings"]:
            assert finding.keys() >= FINDING_KEYS
            assert not UNFILLED.search(f"{finding['title']} {finding['summary']}"), finding["code"]


def _essence(report: dict[str, Any], status: int) -> dict[str, Any]:
    """What a report says, in the words of an expectation."""
    diagnosis = report["diagnosis"] or {}
    return {
        "verdict": report["verdict"],
        "exit status": (status, report["exit_code"]),
        "code": diagnosis.get("code"),
        "symptom": diagnosis.get("symptom"),
        "causes": sorted(diagnosis.get("causes", ())),
        "certain": diagnosis.get("certain"),
        "hop": diagnosis.get("hop"),
        "diagnosed": report["diagnosis"] is not None,
    }


def _essence_of(expected: Expectation) -> dict[str, Any]:
    healthy = expected.verdict == "healthy"
    return {
        "verdict": expected.verdict,
        "exit status": (expected.exit_code, expected.exit_code),
        "code": expected.code,
        "symptom": expected.symptom,
        "causes": sorted(expected.causes),
        "certain": None if healthy else len(expected.causes) == 1,
        "hop": None if healthy else expected.hop,
        "diagnosed": not healthy,
    }


def _story(report: dict[str, Any], stage: Stage) -> str:
    """What a person wants to see of a report that is not what was expected."""
    lines = [f"{stage.scenario.name}: staged {stage.scenario.expect.cause or stage.scenario.expect.code}"]
    for check in report["checks"]:
        if check["status"] in {"pass", "skipped"} and not check["findings"]:
            continue
        lines.append(f"{check['id']}@{check['hop']} {check['status']} {check['reason'] or ''}")
        for finding in check["findings"]:
            seen = "; ".join(item["text"] for item in finding["evidence"])
            lines.append(f"    {finding['severity']} {finding['code']} {finding['causes']} {seen[:300]}")
    return "\n".join(lines)
