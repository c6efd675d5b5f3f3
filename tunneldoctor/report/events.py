"""Events as NDJSON: one object a line, as they happen (docs/json.md)."""

from __future__ import annotations

from typing import Any, assert_never

from tunneldoctor.model import CheckFinished, CheckProgress, CheckStarted, Event, PlannedCheck, RunFinished, RunStarted
from tunneldoctor.report.to_json import Document, check_document, harmless, report_document


def event_line(event: Event, tunnel: str | None = None) -> str:
    """One line with its newline. With several tunnels in one stream, *tunnel* says which one it is about."""
    import json

    return json.dumps(event_document(event, tunnel), allow_nan=False, separators=(",", ":")) + "\n"


def event_document(event: Event, tunnel: str | None = None) -> Document:
    """The object of one event. ``at_ms`` counts from the start of the tunnel's run."""
    match event:
        case RunStarted():
            planned = [_planned(check) for check in event.planned]
            return _document("run.started", event.at_ms, event.tunnel, planned=planned)
        case CheckStarted():
            return _document("check.started", event.at_ms, tunnel, check=event.check, hop=event.hop)
        case CheckProgress():
            said = {"text": event.text, "values": dict(event.values)}
            return _document("check.progress", event.at_ms, tunnel, check=event.check, hop=event.hop, **said)
        case CheckFinished():
            result = event.result
            return _document(
                "check.finished", event.at_ms, tunnel, check=result.id, hop=result.hop, result=check_document(result)
            )
        case RunFinished():
            name = event.report.tunnel.name
            return _document("report", event.at_ms, name, report=report_document(event.report))
        case _:
            assert_never(event)


def _document(name: str, at_ms: float, tunnel: str | None, **rest: Any) -> Document:
    document: Document = harmless({"event": name, "at_ms": round(at_ms, 1), "tunnel": tunnel, **rest})
    return document


def _planned(check: PlannedCheck) -> Document:
    by_hand = check.equivalent or None
    return {"id": check.id, "hop": check.hop, "layer": check.layer.value, "title": check.title, "equivalent": by_hand}
