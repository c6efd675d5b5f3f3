"""The diagnosis table on the terminal and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.diagnosis import named_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.diagnosis import Row
    from benchmarks.figures import Figure

_COLUMNS = ("scenario", "what is broken", "what ssh and psql say", "by hand", "tunneldoctor says", "", "s", "s by hand")
_LONGEST = 110
#: How to read it, above the table.
EXPLAINED = """\
By hand: the real ssh -N -L and psql, with the same key, known_hosts and time. "named" means that no scenario with \
another cause makes them say the same (names, addresses, paths and numbers apart): the reader is taken to know what \
every text means. tunneldoctor: exact (the cause and no other), in the set (just those causes that can't be told apart \
from outside), unknown (something was not given, and it says so), missed, false alarm; the seconds are those of one of \
its two examinations."""


def show(rows: Sequence[Row]) -> None:
    """Print it."""
    table = Table(*_COLUMNS, title="the diagnosis table", caption=EXPLAINED, caption_justify="left")
    for cells in _cells(rows):
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    Console(width=210).print(table)


def markdown(rows: Sequence[Row], figures: Sequence[Figure]) -> str:
    """Totals and table for the docs."""
    totals = [(figure.name, f"{figure.shown} {figure.unit}".strip(), figure.detail) for figure in figures]
    parts = [EXPLAINED, _markdown(("", "", ""), totals), _markdown(_COLUMNS, _cells(rows))]
    return "\n\n".join(parts) + "\n"


def _cells(rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    named = named_by_hand(rows)
    for row in rows:
        hand = "works" if row.hand.works else "named" if row.name in named else "not named"
        outcome = row.outcome if row.stable else f"{row.outcome}, differs"
        seconds = (f"{row.seconds:.1f}", f"{row.hand.seconds:.1f}")
        yield row.name, row.cause, _short(row.hand.shown), hand, row.said.shown, outcome, *seconds


def _short(text: str) -> str:
    """The beginning and the end of each line that is shown; what is wrong stands in either."""
    return " / ".join(each if len(each) <= _LONGEST else f"{each[:40]}…{each[-69:]}" for each in text.split(" / "))


def _markdown(heads: Sequence[str], lines: Sequence[Sequence[str]] | Iterator[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows)
