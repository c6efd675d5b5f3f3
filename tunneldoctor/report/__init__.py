"""A Report as text, JSON, NDJSON, Markdown, JUnit or metrics. Prints nothing, probes nothing, counts nothing."""

from tunneldoctor.report.alias_addresses import AliasesFull
from tunneldoctor.report.aliases import Aliases
from tunneldoctor.report.difference import Change, Difference, difference, since_it_worked
from tunneldoctor.report.difference_formats import difference_document, difference_json, render_difference
from tunneldoctor.report.essence import essence
from tunneldoctor.report.events import event_document, event_line
from tunneldoctor.report.from_json import fleet_from_json, report_from_json
from tunneldoctor.report.from_ndjson import events_from_ndjson, saved_from
from tunneldoctor.report.json_value import NotAReport
from tunneldoctor.report.junit import render_junit, render_junit_fleet
from tunneldoctor.report.markdown import render_markdown, render_markdown_fleet
from tunneldoctor.report.prometheus import render_prometheus, render_prometheus_fleet
from tunneldoctor.report.redact import redact, redact_event, redact_text, redact_value, secrets_in
from tunneldoctor.report.schema import schema, schema_json
from tunneldoctor.report.text import render as render_text
from tunneldoctor.report.text import render_fleet as render_text_fleet
from tunneldoctor.report.text_fault import render_finding
from tunneldoctor.report.ticket import render_ticket, who_must_act
from tunneldoctor.report.to_json import (
    check_document,
    finding_document,
    fleet_document,
    fleet_json,
    harmless,
    report_document,
    report_json,
)
from tunneldoctor.report.topology import Topology, unredacted

__all__ = [
    "Aliases",
    "AliasesFull",
    "Change",
    "Difference",
    "NotAReport",
    "Topology",
    "check_document",
    "difference",
    "difference_document",
    "difference_json",
    "essence",
    "event_document",
    "event_line",
    "events_from_ndjson",
    "finding_document",
    "fleet_document",
    "fleet_from_json",
    "fleet_json",
    "harmless",
    "redact",
    "redact_event",
    "redact_text",
    "redact_value",
    "render_difference",
    "render_finding",
    "render_junit",
    "render_junit_fleet",
    "render_markdown",
    "render_markdown_fleet",
    "render_prometheus",
    "render_prometheus_fleet",
    "render_text",
    "render_text_fleet",
    "render_ticket",
    "report_document",
    "report_from_json",
    "report_json",
    "saved_from",
    "schema",
    "schema_json",
    "secrets_in",
    "since_it_worked",
    "unredacted",
    "who_must_act",
]
