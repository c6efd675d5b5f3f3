"""The checks as a table: glyph and word, layer, the healthy state, what was seen, how long it took."""

from __future__ import annotations

from dataclasses import dataclass

from tunneldoctor.model import CheckReport, Layer, Report, Status
from tunneldoctor.report.reading import diagnosed_check, duration, key_facts, place
from tunneldoctor.report.shown import one_line
from tunneldoctor.report.style import Style, word_width

_MARGIN = _GAP = "  "
_LONGEST_TITLE = 48
#: Facts that don't fit are cut; where not even this many characters fit, they are left out.
_LEAST_FACTS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One check's line, before its columns are laid out."""

    check: CheckReport
    name: str
    title: str
    facts: str
    time: str


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that are shown, and the widths of their columns. ``middle`` is that of title and facts together."""

    rows: tuple[Row, ...]
    style: Style
    word: int
    name: int
    title: int
    middle: int
    time: int

    @classmethod
    def of(cls, report: Report, style: Style) -> Table:
        """Lay out the checks of *report*; with ``-v`` they go by their ids instead of their layers."""
        rows = tuple(_rows(report, style))
        word = max((word_width(row.check.status) for row in rows), default=0)
        name, titles, facts, time = (
            max((len(getattr(row, column)) for row in rows), default=0) for column in ("name", "title", "facts", "time")
        )
        title = min(titles, _LONGEST_TITLE)
        room = style.columns - len(_MARGIN) - len("✓ ") - word - name - time - 3 * len(_GAP)
        return cls(rows, style, word, name, title, min(max(titles, title + len(_GAP) + facts), room), time)

    def line(self, row: Row) -> str:
        """One check. Facts get the room that the title leaves; they are in the JSON in full."""
        state = self.style.status(row.check.status, self.word)
        name = self.style.paint(f"{row.name:<{self.name}}", "dim")
        title = f"{row.title:<{self.title}}"
        room = self.middle - len(title) - len(_GAP)
        middle = (
            title + _GAP + _cut(row.facts, room) if row.facts and room >= min(_LEAST_FACTS, len(row.facts)) else title
        )
        return _MARGIN + _GAP.join([state, name, f"{middle:<{self.middle}}", f"{row.time:>{self.time}}"]).rstrip()


def _rows(report: Report, style: Style) -> list[Row]:
    told: set[tuple[str, Layer]] = set()
    main = diagnosed_check(report)
    shown = [check for check in report.checks if check is main or _has_line(check, style)]
    return [_row(report, check, told, style) for check in shown]


def _has_line(check: CheckReport, style: Style) -> bool:
    """What never ran is summed up elsewhere; what had nothing to look at is for those who ask for more."""
    if check.status == Status.SKIPPED:
        return style.verbose > 0
    return check.status != Status.BLOCKED and (check.status != Status.UNKNOWN or check.attempts > 0)


def _row(report: Report, check: CheckReport, told: set[tuple[str, Layer]], style: Style) -> Row:
    """The layer's facts are told once a hop, on the first check that went well; not where one failed before it."""
    first = (check.hop, check.layer) not in told
    facts = key_facts(report, check) if first and check.status == Status.PASS else ""
    if check.status in (Status.PASS, Status.FAIL):
        told.add((check.hop, check.layer))
    name = check.id if style.verbose else check.layer.value
    time = duration(check.duration_ms) if check.duration_ms is not None else ""
    return Row(check, one_line(name), one_line(_title(report, check)), one_line(facts), time)


def _title(report: Report, check: CheckReport) -> str:
    """The healthy state; where several hops' checks stand under one heading, with the hop's name."""
    several = len(report.tunnel.hops) > 1 and check.hop not in (place(check), "here")
    return f"{check.title} ({check.hop})" if several else check.title


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
