"""A report or a fleet read back from what ``to_json`` writes (docs/json.md).

Strict about what it knows, silent about keys that it does not: version 1 of a document may grow. Texts are as hostile
as a server's, because anybody may have written them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from tunneldoctor import __version__
from tunneldoctor.model import (
    Address,
    BlockedBy,
    CheckReport,
    Database,
    Diagnosis,
    Evidence,
    FindingReport,
    Fleet,
    Hop,
    Layer,
    PathHop,
    Place,
    Provider,
    Redacted,
    Report,
    RuledOut,
    Severity,
    Status,
    Step,
    Tunnel,
    Vantage,
    Verdict,
)
from tunneldoctor.report.json_value import WRITE_IT, JsonValue, NotAReport, parsed
from tunneldoctor.report.to_json import FLEET_SCHEMA, REPORT_SCHEMA

_CODE = re.compile(r"[a-z0-9]+\.[a-z0-9]+(-[a-z0-9]+)*")
_HOP = re.compile(r"here|via-[1-9][0-9]*|bastion|database")
_ADDRESS = re.compile(r"(?:\[(?P<literal>[^]]+)\]|(?P<host>.+)):(?P<port>[0-9]{1,5})", re.DOTALL)
_URL = "ssh://"
_GREATEST_PORT, _GREATEST_STATUS = 65535, 255


def report_from_json(document: str | bytes | dict[str, Any]) -> Report:
    """The report in a JSON text or in a document already parsed. Raises :class:`NotAReport`."""
    value = _value(document)
    must_be(value, REPORT_SCHEMA)
    return read_report(value)


def fleet_from_json(document: str | bytes | dict[str, Any]) -> Fleet:
    """The same for a fleet."""
    value = _value(document)
    must_be(value, FLEET_SCHEMA)
    return read_fleet(value)


def _value(document: str | bytes | dict[str, Any]) -> JsonValue:
    return JsonValue(document) if isinstance(document, dict) else parsed(document)


def must_be(value: JsonValue, schema: str) -> None:
    """Raise :class:`NotAReport` where *value* is another document, or another version of it."""
    found = value.get("schema").value
    if found == schema:
        return
    ours, _, version = schema.rpartition("/")
    if isinstance(found, str) and found.startswith(f"{ours}/"):
        newer = (
            f"this tunneldoctor ({__version__}) reads version {version}: read it with the one that wrote it, or later"
        )
        raise NotAReport(f"it is {found}, and {newer}")
    what = f"it is {found!r}" if isinstance(found, str) else "it is JSON, but not of tunneldoctor's"
    raise NotAReport(f"{what}, not {schema}; {WRITE_IT}")


def read_report(value: JsonValue) -> Report:
    """The report that *value* is."""
    return Report(
        tunnel=_tunnel(value),
        vantage=Vantage(value["vantage"]["host"].text(), value["vantage"]["egress_address"].maybe(JsonValue.text)),
        started_at=_moment(value["started_at"]),
        finished_at=_moment(value["finished_at"]),
        duration_ms=value["duration_ms"].number(),
        complete=value["complete"].flag(),
        verdict=value["verdict"].word(Verdict),
        exit_code=value["exit_code"].whole(_GREATEST_STATUS),
        diagnosis=value["diagnosis"].maybe(_diagnosis),
        path=value["path"].each(_path_hop),
        checks=value["checks"].each(read_check),
        facts=value["facts"].named(JsonValue.scalar),
        redacted=Redacted(value["redacted"]["level"].text(), value["redacted"]["removed"].named(JsonValue.whole)),
        counts={status: value["counts"][status].whole() for status in Status},
        version=value["tool"]["version"].text(),
    )


def read_fleet(value: JsonValue) -> Fleet:
    """The fleet that *value* is."""

    def report(each: JsonValue) -> Report:
        must_be(each, REPORT_SCHEMA)
        return read_report(each)

    return Fleet(
        reports=value["reports"].each(report),
        started_at=_moment(value["started_at"]),
        finished_at=_moment(value["finished_at"]),
        verdict=value["verdict"].word(Verdict),
        exit_code=value["exit_code"].whole(_GREATEST_STATUS),
        counts={verdict: value["counts"][verdict].whole() for verdict in Verdict},
    )


def _tunnel(value: JsonValue) -> Tunnel:
    """The tunnel as far as the document carries it: its name and its target."""
    target = value["target"]
    via = [_jump_host(each, f"via-{number}") for number, each in enumerate(target["via"].each(lambda each: each), 1)]
    bastion = Hop(
        "bastion",
        target["bastion_host"].maybe(JsonValue.text),
        target["bastion_port"].whole(_GREATEST_PORT),
        target["bastion_username"].maybe(JsonValue.text),
    )
    remote = target["remote_bind"].maybe(_address)
    return Tunnel(
        name=value["tunnel"].text(),
        hops=(*via, bastion),
        remote=remote,
        database=_database(target, remote),
        provider=target["provider"].maybe(lambda each: each.word(Provider)),
    )


def _jump_host(value: JsonValue, name: str) -> Hop:
    if value.value is None:
        return Hop(name, None)
    user, _, address = value.text().removeprefix(_URL).rpartition("@")
    at = _address(JsonValue(address, value.place))
    return Hop(name, at.host, at.port, user or None)


def _database(target: JsonValue, remote: Address | None) -> Database | None:
    engine = target["engine"].maybe(JsonValue.text)
    user = target["database_user"].maybe(JsonValue.text)
    at = remote or Address("", 0)
    return Database(engine, at.host, at.port, user) if engine is not None else None


def _address(value: JsonValue) -> Address:
    match = _ADDRESS.fullmatch(value.text())
    if match is None or int(match["port"]) > _GREATEST_PORT:
        raise value.wrong("HOST:PORT")
    return Address(match["literal"] or match["host"], int(match["port"]))


def _moment(value: JsonValue) -> datetime:
    """A time of RFC 3339; one without a zone is UTC."""
    try:
        time = datetime.fromisoformat(value.text())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise value.wrong("a time such as 2026-11-22T03:04:05.123Z") from None


def _diagnosis(value: JsonValue) -> Diagnosis:
    return Diagnosis(
        code=value["code"].maybe(_code),
        symptom=value["symptom"].maybe(_code),
        hop=read_hop(value["hop"]),
        layer=value["layer"].word(Layer),
        title=value["title"].text(),
        summary=value["summary"].text(),
        certain=value["certain"].flag(),
        causes=value["causes"].each(_code),
        ruled_out=value["ruled_out"].each(_ruled_out),
        next_step=value["next_step"].maybe(_step),
        remedy=value["remedy"].each(_step),
        verify=value["verify"].maybe(_step),
        notes=value.get("notes").maybe(JsonValue.text),
    )


def read_check(value: JsonValue) -> CheckReport:
    """The check that *value* is."""
    return CheckReport(
        id=value["id"].text(),
        hop=read_hop(value["hop"]),
        layer=value["layer"].word(Layer),
        title=value["title"].text(),
        status=value["status"].word(Status),
        reason=value["reason"].maybe(JsonValue.text),
        blocked_by=value["blocked_by"].maybe(
            lambda each: BlockedBy(each["check"].text(), each["code"].maybe(_code)),
        ),
        started_ms=value["started_ms"].maybe(JsonValue.number),
        duration_ms=value["duration_ms"].maybe(JsonValue.number),
        attempts=value["attempts"].whole(),
        findings=value["findings"].each(_finding),
    )


def _finding(value: JsonValue) -> FindingReport:
    return FindingReport(
        code=_code(value["code"]),
        severity=value["severity"].word(Severity),
        title=value["title"].text(),
        summary=value["summary"].text(),
        params=value["params"].named(JsonValue.scalar),
        symptom=value["symptom"].maybe(_code),
        causes=value["causes"].each(_code),
        ruled_out=value["ruled_out"].each(_ruled_out),
        next_step=value["next_step"].maybe(_step),
        remedy=value["remedy"].each(_step),
        verify=value["verify"].maybe(_step),
        notes=value.get("notes").maybe(JsonValue.text),
        ignored=value["ignored"].maybe(JsonValue.text),
        evidence=value["evidence"].each(_evidence),
    )


def _evidence(value: JsonValue) -> Evidence:
    """Its text was cut when it was seen, before control characters were written out: cut again, it would lose some."""
    evidence = Evidence(value["kind"].text(), "", value["seen_from"].word(Place))
    object.__setattr__(evidence, "text", value["text"].text())
    return evidence


def _ruled_out(value: JsonValue) -> RuledOut:
    return RuledOut(_code(value["code"]), value["because"].text())


def _step(value: JsonValue) -> Step:
    """A look has no provider."""
    provider = value.get("provider").maybe(lambda each: each.word(Provider))
    return Step(value["text"].text(), value["command"].maybe(JsonValue.text), value["run_on"].word(Place), provider)


def _path_hop(value: JsonValue) -> PathHop:
    return PathHop(
        read_hop(value["hop"]),
        value["address"].maybe(JsonValue.text),
        value["latency_ms"].maybe(JsonValue.number),
        value["status"].maybe(lambda each: each.word(Status)),
    )


def _code(value: JsonValue) -> str:
    return value.matching(_CODE, "a code such as auth.key-not-authorized")


def read_hop(value: JsonValue) -> str:
    """The name of a hop."""
    return value.matching(_HOP, "here, via-1, bastion or database")
