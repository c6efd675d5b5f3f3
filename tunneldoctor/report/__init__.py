"""A Report as text, JSON, NDJSON, Markdown or JUnit. Prints nothing, probes nothing, counts nothing."""

from tunneldoctor.report.events import event_document, event_line
from tunneldoctor.report.junit import render_junit, render_junit_fleet
from tunneldoctor.report.markdown import render_markdown, render_markdown_fleet
from tunneldoctor.report.redact import redact, redact_event, secrets_in
from tunneldoctor.report.schema import schema, schema_json
from tunneldoctor.report.text import render as render_text
from tunneldoctor.report.text import render_fleet as render_text_fleet
from tunneldoctor.report.text_fault import render_finding
from tunneldoctor.report.to_json import (
    check_document,
    finding_document,
    fleet_document,
    fleet_json,
    harmless,
    report_document,
    report_json,
)

__all__ = [
    "check_document",
    "event_document",
    "event_line",
    "finding_document",
    "fleet_document",
    "fleet_json",
    "harmless",
    "redact",
    "redact_event",
    "render_finding",
    "render_junit",
    "render_junit_fleet",
    "render_markdown",
    "render_markdown_fleet",
    "render_text",
    "render_text_fleet",
    "report_document",
    "report_json",
    "schema",
    "schema_json",
    "secrets_in",
]
