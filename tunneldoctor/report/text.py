"""The report for a person on call: the path, one line a check, what is broken and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tunneldoctor.model import CheckReport, FindingReport, Fleet, PathHop, Report, Severity, Status, Verdict
from tunneldoctor.report import reading
from tunneldoctor.report.shown import moment, one_line, without_double_blanks
from tunneldoctor.report.style import Style, folded, plain
from tunneldoctor.report.text_fault import in_full, in_short, note
from tunneldoctor.report.text_table import Table

_MARGIN = "  "
_NO_REMARKS: Mapping[str, str] = MappingProxyType({})


def render(
    report: Report,
    *,
    color: bool,
    unicode: bool,
    width: int,
    verbose: int = 0,
    quiet: bool = False,
    remarks: Mapping[str, str] = _NO_REMARKS,
) -> str:
    """The whole text with its final newline. Quiet: one line with verdict and code, and nothing at all when healthy.

    ``color`` adds SGR sequences, without ``unicode`` everything is ASCII, ``width`` is the terminal's, in columns.
    ``remarks`` are sentences to end with, by the name of the tunnel.
    """
    style = Style(color, unicode, width, verbose)
    blocks = _quiet(report) if quiet else [*_path(report, style), "", *_body(report, style), *_end(report, style)]
    if not quiet:
        blocks += folded(remarks.get(report.tunnel.name, ""), style, _MARGIN, _MARGIN)
    text = "".join(f"{line}\n" for line in without_double_blanks(blocks))
    return text if unicode else plain(text)


def render_fleet(
    fleet: Fleet,
    *,
    color: bool,
    unicode: bool,
    width: int,
    verbose: int = 0,
    quiet: bool = False,
    remarks: Mapping[str, str] = _NO_REMARKS,
) -> str:
    """Every tunnel's text, and one line that sums up; quiet leaves out what is healthy and the sum."""
    texts = [
        render(report, color=color, unicode=unicode, width=width, verbose=verbose, quiet=quiet, remarks=remarks)
        for report in fleet.reports
    ]
    if quiet:
        return "".join(texts)
    numbers = ", ".join(f"{count} {verdict.value}" for verdict, count in fleet.counts.items() if count)
    line = f"{len(fleet.reports)} tunnels: {numbers or 'none'}; exit status {fleet.exit_code}"
    line = Style(color, unicode, width).verdict(fleet.verdict, line)
    return "\n".join([*texts, (line if unicode else plain(line)) + "\n"])


def _quiet(report: Report) -> list[str]:
    if report.verdict == Verdict.HEALTHY and report.complete:
        return []
    what = (report.diagnosis.code or report.diagnosis.title) if report.diagnosis else ""
    return [one_line(": ".join(filter(None, (report.tunnel.name, reading.verdict_words(report), what))))]


def _path(report: Report, style: Style) -> list[str]:
    """The way from here to the database: on one line where it fits, else a stop a line."""
    stops = [stop for stop in report.path if stop.hop != "here"]
    names = [one_line(reading.hop_words(report, stop.hop)) for stop in stops]
    name = one_line(report.tunnel.name)
    on_one_line = [f" → {each} {_state(stop, Style(False, True, 0))}" for each, stop in zip(names, stops, strict=True)]
    if len(name) + len(": you") + sum(map(len, on_one_line)) <= style.columns:
        painted = (f" → {each} {_state(stop, style)}" for each, stop in zip(names, stops, strict=True))
        return [f"{style.paint(name, 'bold')}: you{''.join(painted)}"]
    width = max(map(len, names), default=0)
    below = (f"{_MARGIN}→ {each:<{width}}  {_state(stop, style)}" for each, stop in zip(names, stops, strict=True))
    return [f"{style.paint(name, 'bold')}: you", *below]


def _state(stop: PathHop, style: Style) -> str:
    took = f" {reading.latency(stop.latency_ms)}" if stop.latency_ms is not None else ""
    return style.status(stop.status) + took


def _body(report: Report, style: Style) -> Iterator[str]:
    table = Table.of(report, style)
    named = len(report.tunnel.hops) > 1
    stop = ""
    for row in table.rows:
        if named and reading.place(row.check) != stop:
            stop = reading.place(row.check)
            yield _MARGIN + style.paint(one_line(reading.hop_words(report, stop)), "bold")
        yield table.line(row)
        yield from _below(report, row.check, style)
    if reading.diagnosed_check(report) is None:
        yield from _diagnosis(report, style)


def _below(report: Report, check: CheckReport, style: Style) -> Iterator[str]:
    """What there is to say about one check, under its line."""
    if reason := _reason(check):
        yield from note(reason, style, dim=check.status == Status.SKIPPED)
    diagnosed = None
    if report.diagnosis and check is reading.diagnosed_check(report):
        diagnosed = reading.diagnosed_finding(check, report.diagnosis)
        yield from _diagnosis(report, style)
    for finding in check.findings:
        if finding is not diagnosed:
            yield from _finding(finding, check, style)


def _diagnosis(report: Report, style: Style) -> list[str]:
    """In full, unless it says no more than that a check could not be made, which its line says already."""
    fault = reading.diagnosed_fault(report)
    if fault is None or (fault.words.code is None and not (fault.words.remedy or fault.words.verify)):
        return []
    return in_full(fault, style)


def _reason(check: CheckReport) -> str:
    if check.reason and check.status in (Status.UNKNOWN, Status.ERROR, Status.SKIPPED):
        return check.reason if check.status != Status.ERROR else f"{check.reason}; please report it"
    return ""


def _finding(finding: FindingReport, check: CheckReport, style: Style) -> list[str]:
    if finding.ignored:
        return note(f"ignored: {finding.code} ({finding.ignored})", style)
    if finding.severity == Severity.INFO:
        return note(f"note: {finding.title} ({finding.code})", style)
    return in_short(reading.Fault(finding, check.hop, finding.evidence), style)


def _end(report: Report, style: Style) -> Iterator[str]:
    """What did not run and why, the facts for those who want them all, and the sum of it."""
    yield ""
    for why, checks in reading.not_run(report).items():
        yield _not_run(why, checks, style)
    if style.verbose:
        yield from _facts(report, style)
    yield ""
    yield from _closing(report, style)


def _not_run(why: str, checks: list[CheckReport], style: Style) -> str:
    """One line, whatever the number of checks, unless all is asked for."""
    names = [one_line(check.id) for check in checks]
    text = f"not run: {', '.join(names)}{one_line(why)}"
    while len(text) + len(_MARGIN) > style.columns and len(names) > 1 and not style.verbose:
        names.pop()
        text = f"not run: {', '.join(names)} and {len(checks) - len(names)} more{one_line(why)}"
    return _MARGIN + style.paint(text, "dim")


def _facts(report: Report, style: Style) -> Iterator[str]:
    yield ""
    made = f"tunneldoctor {report.version} on {report.vantage.host}"
    yield f"{_MARGIN}{one_line(made)}, {moment(report.started_at)}"
    width = max(map(len, report.facts), default=0)
    for name, value in report.facts.items():
        yield f"{_MARGIN}{style.paint(f'{name:<{width}}', 'dim')}  {one_line(str(value))}"


def _closing(report: Report, style: Style) -> Iterator[str]:
    """The verdict and what it rests on, last, where the eye is when the program ends."""
    diagnosis = report.diagnosis
    what = f"{report.tunnel.name} is {reading.verdict_words(report)}"
    first, *rest = folded(f"{what}: {diagnosis.title}" if diagnosis else what, style, "  ", "  ")
    yield style.verdict(report.verdict, first.lstrip())
    yield from (style.verdict(report.verdict, line, glyph=False) for line in rest)
    if diagnosis and diagnosis.code:
        yield f"{_MARGIN}more about it: tunneldoctor explain {one_line(diagnosis.code)}"
    elif diagnosis and diagnosis.summary:
        yield from folded(diagnosis.summary, style, _MARGIN, _MARGIN)
    took = reading.duration(report.duration_ms)
    yield f"{_MARGIN}{reading.counts(report)}; {took}; exit status {report.exit_code}"
    if removed := reading.removed_words([report]):
        yield _MARGIN + style.paint(f"in this report, {removed}", "dim")
