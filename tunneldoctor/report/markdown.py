"""The report for a ticket, in GitHub's Markdown. What a server said stays text, whatever it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tunneldoctor.model import CheckReport, Evidence, FindingReport, Fleet, Report, Status, Step
from tunneldoctor.report import reading
from tunneldoctor.report.reading import Fault
from tunneldoctor.report.shown import moment, multiline, one_line, without_double_blanks

# CommonMark §2.4: a backslash makes any of these plain text.
_MARKUP = re.compile(r"[\\`*_\[\]<>&|~#$!]")
# GFM §6.9: addresses that become links without any markup; and mentions, which would call people to the ticket.
_LINKS = re.compile(r"(?i)(?<=\w)(?=://)|(?<=\bwww)(?=\.)")
_MENTION = re.compile(r"(?<![\w.])@(?=\w)")
# CommonMark §5.2: what makes a list item, and §4.1 and §4.3 a rule or a heading, at the start of a line.
_OPENING = re.compile(r"^(\s*\d*)([-+=]|(?<=\d)[.)])")


def render_markdown(report: Report) -> str:
    """One tunnel's report, with its final newline."""
    return "\n".join(without_double_blanks(_report(report))).strip("\n") + "\n"


def render_markdown_fleet(fleet: Fleet) -> str:
    """A table of the tunnels, then their reports."""
    rows = [
        (escaped(report.tunnel.name), reading.verdict_words(report), code_span(_code(report)))
        for report in fleet.reports
    ]
    head = [f"# {len(fleet.reports)} tunnels: {fleet.verdict}", "", *_table(("Tunnel", "Verdict", "Code"), rows), ""]
    return "\n".join(head) + "\n" + "\n".join(render_markdown(report) for report in fleet.reports)


def escaped(text: str) -> str:
    """*text* as running text that Markdown and HTML leave alone."""
    safe = _MARKUP.sub(r"\\\g<0>", one_line(text)).replace("\\<", "&lt;").replace("\\&", "&amp;")
    safe = _LINKS.sub("<!-- -->", safe)
    return _OPENING.sub(r"\1\\\2", _MENTION.sub("@<!-- -->", safe))


def code_span(text: str) -> str:
    """*text* as code within a line (CommonMark §6.1), also within a table (GFM §4.10: bars are escaped there)."""
    shown = one_line(text).replace("|", "\\|")
    if not shown:
        return ""
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fenced(text: str, language: str, indent: str = "") -> list[str]:
    """*text* as a block of code, whose fence is longer than any run of backticks in it (CommonMark §4.5)."""
    shown = multiline(text)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return [f"{indent}{line}" for line in (f"{fence}{language}", *shown.split("\n"), fence)]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _report(report: Report) -> Iterator[str]:
    yield f"## {escaped(report.tunnel.name)}: {reading.verdict_words(report)}"
    yield ""
    yield from _path(report)
    if fault := reading.diagnosed_fault(report):
        yield from _fault(fault)
    for check, finding in reading.other_findings(report):
        yield from _other(check, finding)
    yield from _checks(report)
    yield from _facts(report)
    yield from _footer(report)


def _fault(fault: Fault) -> Iterator[str]:
    words = fault.words
    code = f" ({code_span(words.code)} on {fault.hop})" if words.code else f" (on {fault.hop})"
    yield f"**{escaped(words.title)}**{code}"
    yield ""
    yield escaped(words.summary)
    yield ""
    if fault.evidence:
        yield "### Seen"
        yield ""
        for evidence in fault.evidence:
            yield from _evidence(evidence)
    yield from _causes(fault)
    yield from _steps("### What to do", words.remedy, fault.hop)
    yield from _steps("### How to make sure", [words.verify] if words.verify else [], fault.hop)
    yield from _notes("### Your notes", words.notes)


def _evidence(evidence: Evidence) -> Iterator[str]:
    yield f"- from {reading.seen_from(evidence)}, {escaped(evidence.kind)}:"
    yield ""
    yield from fenced(evidence.text, "text", "  ")
    yield ""


def _causes(fault: Fault) -> Iterator[str]:
    words = fault.words
    if not (fault.open_causes or words.ruled_out):
        return
    yield "### Why"
    yield ""
    if fault.open_causes:
        yield "One of these, likeliest first: " + ", ".join(map(code_span, fault.open_causes))
        yield ""
    elif words.code:
        symptom = f" of {code_span(words.symptom)}" if words.symptom else ""
        yield f"The evidence leaves no other cause{symptom} than {code_span(words.code)}."
        yield ""
    for each in words.ruled_out:
        yield f"- not {code_span(each.code)}: {escaped(each.because)}"
    yield ""
    yield from _steps("To find out which:", [words.next_step] if words.next_step else [], fault.hop)


def _steps(heading: str, steps: Sequence[Step], hop: str) -> Iterator[str]:
    if not steps:
        return
    yield heading
    yield ""
    for number, step in enumerate(steps, 1):
        mark = f"{number}. " if len(steps) > 1 else ""
        place = f" ({reading.where(step, hop)})" if step.command else ""
        yield f"{mark}{escaped(step.text)}{place}"
        if step.command:
            yield ""
            yield from fenced(step.command, "sh", " " * len(mark))
        yield ""


def _path(report: Report) -> Iterator[str]:
    stops = []
    for stop in report.path:
        state = f" {stop.status or 'not reached'}" if stop.hop != "here" else ""
        took = f", {reading.latency(stop.latency_ms)}" if stop.latency_ms is not None else ""
        stops.append(f"{escaped(reading.hop_words(report, stop.hop))}{state and f' ({state.strip()}{took})'}")
    yield "Path: " + " → ".join(stops)
    yield ""


def _other(check: CheckReport, finding: FindingReport) -> Iterator[str]:
    yield f"### Also, on {check.hop}: {escaped(finding.title)} ({code_span(finding.code)})"
    yield ""
    yield escaped(finding.summary)
    yield ""
    if len(finding.causes) > 1:
        yield "One of: " + ", ".join(map(code_span, finding.causes))
        yield ""
    looks = [finding.next_step] if finding.next_step else []
    yield from _steps("What to do:", [*looks, *finding.remedy], check.hop)
    yield from _notes("Your notes:", finding.notes)


def _notes(heading: str, notes: str | None) -> Iterator[str]:
    """A company's own words as they were written, so that an address in them can be copied and nothing else happens."""
    if notes:
        yield heading
        yield ""
        yield from fenced(notes, "markdown")
        yield ""


def _checks(report: Report) -> Iterator[str]:
    yield "### Checks"
    yield ""
    rows = [
        (
            check.status.value if check.status != Status.FAIL else "**fail**",
            check.hop,
            code_span(check.id),
            escaped(check.title),
            reading.duration(check.duration_ms) if check.duration_ms is not None else "",
            _note(check),
        )
        for check in report.checks
    ]
    yield from _table(("Status", "Hop", "Check", "Looks for", "Time", "Note"), rows)
    yield ""


def _note(check: CheckReport) -> str:
    if check.blocked_by:
        return f"because of {code_span(check.blocked_by.code or check.blocked_by.check)}"
    codes = [code_span(each.code) + (" ignored" if each.ignored else "") for each in check.findings]
    return ", ".join(codes) or escaped(check.reason or "")


def _facts(report: Report) -> Iterator[str]:
    if report.facts:
        yield "### Facts"
        yield ""
        rows = [(code_span(name), code_span(str(value))) for name, value in report.facts.items()]
        yield from _table(("Fact", "Value"), rows)
        yield ""


def _footer(report: Report) -> Iterator[str]:
    started = moment(report.started_at)
    removed = reading.removed_words([report])
    yield (
        f"{escaped(f'tunneldoctor {report.version} on {report.vantage.host}')}, {started}, "
        f"{reading.duration(report.duration_ms)}: {reading.counts(report)}; exit status {report.exit_code}"
        + (f"; {removed}" if removed else "")
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(["---"] * len(heads))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(report: Report) -> str:
    return (report.diagnosis.code if report.diagnosis else None) or ""
