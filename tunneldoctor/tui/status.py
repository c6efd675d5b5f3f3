"""The line at the foot: what it all comes to, or how far it is; and the lines that stay when the program ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich.cells import cell_len
from textual.content import Content

from tunneldoctor.model import Report, visible
from tunneldoctor.report.difference import ago
from tunneldoctor.report.reading import counts, diagnosed_fault, duration, verdict_words, where
from tunneldoctor.tui.state import Look, Phase, State
from tunneldoctor.tui.words import cut, seconds, took, verdict_glyph, verdict_style


def status_line(state: State, now_ms: float, width: int, before: str = "") -> Content:
    """How it stands; *before* says how the last run went, while there is nothing newer to say."""
    if state.phase is Phase.RUNNING:
        return _fit(Content.styled(_running(state, now_ms), "$text-accent"), before, width)
    report = state.report
    if report is None:
        return _fit(Content(f"{state.name}: R examines it"), before, width)
    what = f"{verdict_glyph(report.verdict)} {report.tunnel.name} is {verdict_words(report)}"
    if report.diagnosis:
        what += f": {report.diagnosis.title}"
    left = Content.styled(visible(what), verdict_style(report.verdict))
    return _fit(left, f"{counts(report)} · {duration(report.duration_ms)}", width)


def last_run(report: Report, state_of_now: timedelta) -> str:
    """``last run: healthy 2 h ago``."""
    return f"last run: {verdict_words(report)} {ago(state_of_now.total_seconds())}"


def _running(state: State, now_ms: float) -> str:
    number, ended = len(state.looks), state.in_phase(Phase.ENDED)
    text = f"… {ended}/{number} · {seconds(now_ms)}"
    deadline = state.tunnel.connect_timeout if state.tunnel else None
    slowest = min((look for look in state.looks.values() if look.phase is Phase.RUNNING), key=_since, default=None)
    if slowest:
        said = slowest.said or slowest.planned.title
        text += f" · {slowest.planned.hop}: {visible(said)} {took(slowest, now_ms, deadline)}"
    return text


def _since(look: Look) -> float:
    return look.started_ms or 0.0


def _fit(left: Content, right: str, width: int) -> Content:
    """*left* is the more important: *right* is only there where both fit."""
    room = width - cell_len(right) - 2
    if right and cell_len(left.plain) <= room:
        gap = " " * (width - cell_len(left.plain) - cell_len(right))
        return Content.assemble(left, gap, (right, "$text-muted"))
    if cell_len(left.plain) <= width:
        return left
    return Content.styled(cut(left.plain, width), left.spans[0].style if left.spans else "")


def summary(report: Report) -> Iterator[str]:
    """At most five lines that stay on the terminal: the verdict, the fault, the first thing to do, where to read on."""
    yield f"{verdict_glyph(report.verdict)} {report.tunnel.name} is {verdict_words(report)}, {counts(report)}"
    fault = diagnosed_fault(report)
    if fault is None:
        return
    code = f" ({fault.words.code})" if fault.words.code else ""
    yield f"  {visible(fault.words.title)}{code}"
    step = (fault.words.next_step if fault.open_causes else None) or next(iter(fault.words.remedy), None)
    if step:
        yield f"  {'find out which' if fault.open_causes else 'fix'}: {visible(step.text)}"
        if step.command and "\n" not in step.command:  # a script is no line to type
            yield f"  {where(step, fault.hop)}$ {visible(step.command)}"
    if fault.words.code:
        yield f"  more about it: tunneldoctor explain {fault.words.code}"
