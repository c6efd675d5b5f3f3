"""The documents say what the contract says, key by key, and every one of them validates."""

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import validator_for

from tests.report.samples import EDGE, STARTED
from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import (
    CheckFinished,
    CheckProgress,
    CheckStarted,
    Event,
    Fleet,
    PlannedCheck,
    Report,
    RunFinished,
    RunStarted,
)
from tunneldoctor.report import event_line, fleet_json, report_json, schema
from tunneldoctor.report.schema import NAMES

KEYS = {
    "": "schema tool tunnel target vantage started_at finished_at duration_ms complete verdict exit_code diagnosis "
    "path checks facts redacted counts",
    "target": "bastion_host bastion_port bastion_username via remote_bind engine database_user provider",
    "vantage": "host egress_address",
    "diagnosis": "code symptom hop layer title summary certain causes ruled_out next_step remedy verify notes",
    "checks": "id hop layer title status reason blocked_by started_ms duration_ms attempts findings",
    "fleet": "schema tool started_at finished_at verdict exit_code reports counts",
    "counts": "pass warn fail blocked skipped unknown error",
}


def documents(report: Report) -> dict[str, Any]:
    return json.loads(report_json(report))


def validate(name: str, document: object) -> None:
    Draft202012Validator(schema(name), format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas_of_draft_2020_12(name: str) -> None:
    document = schema(name)
    assert validator_for(document) is Draft202012Validator
    Draft202012Validator.check_schema(document)


def test_every_report_validates(report: Report) -> None:
    validate("report", documents(report))


def test_the_keys_are_those_of_the_contract_in_its_order() -> None:
    document = documents(SCENARIOS["symptom"]())
    assert list(document) == KEYS[""].split()
    for part in ("target", "vantage", "diagnosis", "counts"):
        assert list(document[part]) == KEYS[part].split()
    assert {tuple(check) for check in document["checks"]} == {tuple(KEYS["checks"].split())}
    assert {tuple(hop) for hop in document["path"]} == {("hop", "address", "latency_ms", "status")}
    assert {tuple(step) for step in document["diagnosis"]["remedy"]} == {("text", "command", "run_on", "provider")}
    assert list(document["diagnosis"]["next_step"]) == ["text", "command", "run_on"]


def test_what_did_not_run_has_null_times_and_names_its_blocker() -> None:
    check = next(each for each in documents(SCENARIOS["broken"]())["checks"] if each["id"] == "db.login")
    assert (check["started_ms"], check["duration_ms"], check["attempts"]) == (None, None, 0)
    assert check["blocked_by"] == {"check": "forward.open", "code": "forward.refused"}


def test_times_are_rfc_3339_in_utc_with_milliseconds_whatever_the_zone() -> None:
    early = datetime(2026, 11, 22, 4, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    report = replace(SCENARIOS["healthy"](), started_at=early, finished_at=early.replace(tzinfo=None))
    document = documents(report)
    assert (document["started_at"], document["finished_at"]) == ("2026-11-22T03:04:05.000Z", "2026-11-22T04:04:05.000Z")


def test_a_healthy_report_has_no_diagnosis_and_one_of_a_symptom_is_not_certain() -> None:
    assert documents(SCENARIOS["healthy"]())["diagnosis"] is None
    diagnosis = documents(SCENARIOS["symptom"]())["diagnosis"]
    assert diagnosis["certain"] is False
    assert diagnosis["code"] not in diagnosis["causes"]


def test_jump_hosts_are_named_in_order_and_one_that_cannot_be_read_is_null() -> None:
    report = SCENARIOS["jump-hosts"]()
    unreadable = replace(EDGE, name="via-2", host=None)
    report = replace(report, tunnel=replace(report.tunnel, hops=(EDGE, unreadable, report.tunnel.bastion)))
    assert documents(report)["target"]["via"] == ["ssh://jump@edge.example.com:2222", None]


def test_a_number_that_json_lacks_is_null() -> None:
    document = documents(replace(SCENARIOS["healthy"](), facts={"a": float("nan"), "b": float("inf"), "c": 0.1 + 0.2}))
    assert document["facts"] == {"a": None, "b": None, "c": 0.3}


def test_control_characters_are_visible_and_line_breaks_stay() -> None:
    text = report_json(SCENARIOS["hostile"]())
    assert "\\u001b" not in text
    assert "\\u202e" not in text
    evidence = json.loads(text)["diagnosis"], json.loads(text)["checks"]
    finding = next(check for check in evidence[1] if check["status"] == "fail")["findings"][0]
    assert "\\x1b[31m" in finding["evidence"][0]["text"]
    assert "\n```\n" in finding["evidence"][0]["text"]


def test_the_schema_refuses_what_is_not_in_the_contract() -> None:
    document = documents(SCENARIOS["broken"]())
    with pytest.raises(ValidationError):
        validate("report", {**document, "extra": 1})
    with pytest.raises(ValidationError):
        validate("report", {key: value for key, value in document.items() if key != "vantage"})
    with pytest.raises(ValidationError):
        validate("report", {**document, "started_at": "2026-11-22 03:04:05"})


def test_a_fleet_validates_and_says_what_the_model_summed_up() -> None:
    reports = [make() for make in SCENARIOS.values()]
    document = json.loads(fleet_json(Fleet.of(reports, STARTED, STARTED + timedelta(seconds=2))))
    validate("fleet", document)
    assert list(document) == KEYS["fleet"].split()
    assert (document["verdict"], document["exit_code"]) == ("broken", 130)
    assert document["counts"] == {"healthy": 1, "degraded": 1, "broken": 4, "inconclusive": 2}


def events(report: Report) -> list[Event]:
    planned = tuple(PlannedCheck(check.id, check.hop, check.layer, check.title) for check in report.checks)
    ran = [check for check in report.checks if check.attempts]
    return [
        RunStarted(0.0, report.tunnel.name, planned),
        *(CheckStarted(each.started_ms or 0.0, each.id, each.hop) for each in ran),
        CheckProgress(1.25, ran[0].id, ran[0].hop, "still\x1b waiting", {"left": 12.5, "alive": "2, 4\x1b"}),
        *(CheckFinished(2.0, each) for each in report.checks),
        RunFinished(3.0, report),
    ]


def test_every_event_is_one_line_that_validates(report: Report) -> None:
    lines = [event_line(event) for event in events(report)]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    for line in lines:
        validate("events", json.loads(line))


def test_the_stream_begins_with_what_is_planned_and_ends_with_the_report() -> None:
    report = SCENARIOS["broken"]()
    documents_ = [json.loads(event_line(event, "orders")) for event in events(report)]
    first, last = documents_[0], documents_[-1]
    assert first["event"] == "run.started"
    assert [each["id"] for each in first["planned"]] == [check.id for check in report.checks]
    assert last["event"] == "report"
    assert last["report"] == documents(report)
    finished = [each for each in documents_ if each["event"] == "check.finished"]
    assert [each["result"] for each in finished] == last["report"]["checks"]
    assert {each["tunnel"] for each in documents_} == {"orders"}


def test_progress_cannot_write_on_the_terminal() -> None:
    line = event_line(CheckProgress(1.0, "tcp.connect", "bastion", "\x1b[2Jgone"))
    assert json.loads(line)["text"] == "\\x1b[2Jgone"
