"""The report as JUnit XML: one suite a tunnel, one case a check, as continuous integration reads it.

The format has no standard; this keeps to what Ant's ``junitreport``, Jenkins and GitLab have in common: failure for
what is broken, error for what could not be told, skipped for what did not run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tunneldoctor.model import CheckReport, FindingReport, Fleet, Report, Status
from tunneldoctor.report.reading import Fault, seen_from, where
from tunneldoctor.report.shown import moment, multiline, one_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_UNTOLD = (Status.UNKNOWN, Status.ERROR)
_NOT_RUN = (Status.BLOCKED, Status.SKIPPED)


def render_junit(report: Report) -> str:
    """One tunnel, as a document with one suite."""
    return _document([report], report.duration_ms)


def render_junit_fleet(fleet: Fleet) -> str:
    """A suite for each tunnel."""
    return _document(fleet.reports, (fleet.finished_at - fleet.started_at).total_seconds() * 1000)


def _document(reports: Sequence[Report], took_ms: float) -> str:
    from xml.etree.ElementTree import Element, indent, tostring

    root = Element("testsuites", {"name": "tunneldoctor", "time": _seconds(took_ms)})
    suites = [_suite(report) for report in reports]
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(report: Report) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    suite = Element("testsuite", _suite_attributes(report))
    properties = SubElement(suite, "properties")
    named = {"verdict": report.verdict, "exit_code": report.exit_code, "complete": report.complete, **report.facts}
    for name, value in named.items():
        SubElement(properties, "property", {"name": name, "value": one_line(str(value))})
    suite.extend(_case(report, check) for check in report.checks)
    return suite


def _suite_attributes(report: Report) -> dict[str, str]:
    return {
        "name": one_line(report.tunnel.name),
        "tests": str(len(report.checks)),
        "failures": _count(report, Status.FAIL),
        "errors": _count(report, *_UNTOLD),
        "skipped": _count(report, *_NOT_RUN),
        "time": _seconds(report.duration_ms),
        "timestamp": moment(report.started_at, "seconds").rstrip("Z"),
        "hostname": one_line(report.vantage.host),
    }


def _count(report: Report, *statuses: Status) -> str:
    return str(sum(report.counts.get(status, 0) for status in statuses))


def _case(report: Report, check: CheckReport) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    case = Element(
        "testcase",
        {
            "classname": one_line(f"{report.tunnel.name}.{check.hop}"),
            "name": one_line(f"{check.id}: {check.title}"),
            "time": _seconds(check.duration_ms or 0.0),
        },
    )
    told = [each for each in check.findings if not each.ignored]
    worst = min(told, key=lambda each: each.severity.rank, default=None)
    if check.status is Status.FAIL and worst:
        SubElement(case, "failure", {"type": worst.code, "message": one_line(worst.title)}).text = _text(told, check)
    elif check.status in _UNTOLD:
        SubElement(case, "error", {"type": check.status, "message": one_line(check.reason or "")})
    elif check.status in _NOT_RUN:
        SubElement(case, "skipped", {"message": one_line(_why(check))})
    elif told:
        SubElement(case, "system-out").text = _text(told, check)
    return case


def _why(check: CheckReport) -> str:
    if check.blocked_by:
        return f"not run, because of {check.blocked_by.code or check.blocked_by.check}"
    return check.reason or ""


def _text(findings: Sequence[FindingReport], check: CheckReport) -> str:
    return "\n\n".join("\n".join(_lines(Fault(each, check.hop, each.evidence))) for each in findings)


def _lines(fault: Fault) -> Iterator[str]:
    words = fault.words
    yield one_line(f"{words.code}: {words.title}")
    yield one_line(words.summary)
    for evidence in fault.evidence:
        yield multiline(f"seen from {seen_from(evidence)}: {evidence.kind}: {evidence.text}")
    if fault.open_causes:
        yield f"one of: {', '.join(fault.open_causes)}"
    looks = [words.next_step] if words.next_step else []
    for step in [*looks, *words.remedy]:
        yield one_line(step.text)
        if step.command:
            yield f"  {where(step, fault.hop)}$ {multiline(step.command)}"


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}" if math.isfinite(milliseconds) else "0.000"
