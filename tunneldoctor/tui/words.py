"""Glyph, word and look of how a check stands; always a word, so that no colour has to be seen."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from tunneldoctor.model import Status, Verdict
from tunneldoctor.report.reading import duration
from tunneldoctor.report.style import Style
from tunneldoctor.tui.state import Look, Phase

#: What a reader must look at, the worst first.
LOUD = (Status.FAIL, Status.ERROR, Status.UNKNOWN, Status.WARN)
_LOOKS = {
    Status.PASS: "$text-success",
    Status.WARN: "$text-warning",
    Status.FAIL: "bold $text-error",
    Status.BLOCKED: "$foreground-muted",
    Status.SKIPPED: "$foreground-muted",
    Status.UNKNOWN: "$text-warning",
    Status.ERROR: "bold $text-error",
}
_VERDICTS = {
    Verdict.HEALTHY: Status.PASS,
    Verdict.DEGRADED: Status.WARN,
    Verdict.BROKEN: Status.FAIL,
    Verdict.INCONCLUSIVE: Status.UNKNOWN,
}
_PLAIN = Style(color=False, unicode=True, width=0)
_RUNNING, _WAITING = ("… running", "$text-accent"), ("· waiting", "$foreground-muted")


def state_words(status: Status | None, phase: Phase = Phase.ENDED) -> tuple[str, str]:
    """``✗ FAIL`` and the style that it is shown in; a stop of the path that has no status was not reached."""
    if phase is not Phase.ENDED:
        return _RUNNING if phase is Phase.RUNNING else _WAITING
    return _PLAIN.status(status), _LOOKS[status] if status else "$foreground-muted"


def verdict_style(verdict: Verdict) -> str:
    """The style of a verdict."""
    return _LOOKS[_VERDICTS[verdict]]


def verdict_glyph(verdict: Verdict) -> str:
    """Its glyph."""
    return _PLAIN.status(_VERDICTS[verdict])[0]


def together(looks: Iterable[Look]) -> tuple[Status | None, Phase]:
    """How several checks stand together: what is worst of what ended, and whether something goes on or is to come."""
    looks = tuple(looks)
    phases = {look.phase for look in looks}
    phase = next((each for each in (Phase.RUNNING, Phase.WAITING) if each in phases), Phase.ENDED)
    statuses = [look.status for look in looks if look.status]
    return Status.worst(statuses) or (Status.SKIPPED if statuses else None), phase


def seconds(milliseconds: float) -> str:
    """``4.1 s``: for a number that changes while it is looked at, always in the same unit."""
    return f"{max(0.0, milliseconds) / 1000:.1f} s"


def took(look: Look, now_ms: float, deadline: float | None) -> str:
    """How long a check took, or, while it runs, how much of its stage's *deadline* (seconds) is used."""
    if look.result:
        return "" if look.result.duration_ms is None else duration(look.result.duration_ms)
    if look.started_ms is None:
        return ""
    used = max(0.0, now_ms - look.started_ms) / 1000
    return f"{used:.1f}/{deadline:g} s" if deadline else f"{used:.1f} s"


def cut(text: str, width: int) -> str:
    """*text* in at most *width* columns."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else text[:width]


def joined(parts: Iterable[Content], between: str = "  ") -> Content:
    """*parts* in one line, without those that are empty."""
    return Content(between).join([part for part in parts if len(part)])
