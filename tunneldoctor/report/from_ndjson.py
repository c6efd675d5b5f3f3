"""What a file holds that the program wrote: a stream of events (NDJSON), a report or a fleet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunneldoctor.model import (
    CheckFinished,
    CheckProgress,
    CheckStarted,
    Event,
    Fleet,
    Layer,
    PlannedCheck,
    Report,
    RunFinished,
    RunStarted,
)
from tunneldoctor.report.from_json import must_be, read_check, read_fleet, read_hop, read_report
from tunneldoctor.report.json_value import JsonValue, NotAReport, lines_of, parsed
from tunneldoctor.report.ticket import is_ticket, report_in
from tunneldoctor.report.to_json import FLEET_SCHEMA, REPORT_SCHEMA


def events_from_ndjson(lines: Iterable[str | bytes], tunnel: str | None = None) -> Iterator[Event]:
    """The events of a stream, line by line; of *tunnel* alone where one is named.

    What is not known here, a newer version may have told: it is passed over. Raises :class:`NotAReport` at the line
    that is to blame, after the events before it.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        value = parsed(line, f"line {number}")
        try:
            named = value.get("tunnel").maybe(JsonValue.text)
            event = _event(value) if tunnel is None or named in (None, tunnel) else None
        except NotAReport as error:
            raise NotAReport(f"line {number}: {error}") from None
        if event:
            yield event


def saved_from(data: str | bytes) -> Report | Fleet:
    """What a file holds that the program wrote: a report, a fleet, a ticket, or a stream of events with their reports.

    Raises :class:`NotAReport`.
    """
    first = next((line for line in lines_of(data) if line.strip()), "")
    if _is_event(first):
        return _told_in(events_from_ndjson(lines_of(data)))
    if is_ticket(data):
        return report_in(data)
    value = parsed(data)
    if value.get("schema").value == FLEET_SCHEMA:
        return read_fleet(value)
    must_be(value, REPORT_SCHEMA)
    return read_report(value)


def _is_event(line: str) -> bool:
    try:
        return "event" in parsed(line).value
    except (NotAReport, TypeError):
        return False


def _told_in(events: Iterable[Event]) -> Report | Fleet:
    reports = [event.report for event in events if isinstance(event, RunFinished)]
    if not reports:
        raise NotAReport("the stream ends before its report: the run was ended by force, or the copy is not complete")
    if len(reports) == 1:
        return reports[0]
    return Fleet.of(reports, min(each.started_at for each in reports), max(each.finished_at for each in reports))


def _event(value: JsonValue) -> Event | None:
    at_ms = value["at_ms"].number()
    match value["event"].text():
        case "run.started":
            return RunStarted(at_ms, value["tunnel"].text(), value["planned"].each(_planned))
        case "check.started":
            return CheckStarted(at_ms, value["check"].text(), read_hop(value["hop"]))
        case "check.progress":
            values = value.get("values").maybe(lambda each: each.named(JsonValue.scalar)) or {}
            return CheckProgress(at_ms, value["check"].text(), read_hop(value["hop"]), value["text"].text(), values)
        case "check.finished":
            return CheckFinished(at_ms, read_check(value["result"]))
        case "report":
            must_be(value["report"], REPORT_SCHEMA)
            return RunFinished(at_ms, read_report(value["report"]))
    return None


def _planned(value: JsonValue) -> PlannedCheck:
    by_hand = value.get("equivalent").maybe(JsonValue.text) or ""
    layer = value["layer"].word(Layer)
    return PlannedCheck(value["id"].text(), read_hop(value["hop"]), layer, value["title"].text(), by_hand)
