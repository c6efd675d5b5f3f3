"""Figures with the bounds that are wanted of them, and the table of them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured. ``bound`` is the most it may be; None: only told. ``detail`` says how it came."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    detail: str = ""

    @property
    def over(self) -> bool:
        """Whether it is more than it may be."""
        return self.bound is not None and self.value > self.bound

    @property
    def shown(self) -> str:
        """The value: a count as it is, anything else with two places."""
        return str(self.value) if isinstance(self.value, int) else f"{self.value:.2f}"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def spread(values: Sequence[float], unit: str = "ms") -> str:
    """Smallest, middle and largest, for a figure's detail."""
    low, middle, high = min(values), median(values), max(values)
    return f"{low:.1f} / {middle:.1f} / {high:.1f} {unit}"


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table("what", "value", "bound", "", "how it came", title="tunneldoctor: what it costs")
    for figure in figures:
        bound = "" if figure.bound is None else f"{figure.bound:g} {figure.unit}"
        verdict = "" if figure.bound is None else ("[red]over[/red]" if figure.over else "ok")
        table.add_row(figure.name, f"{figure.shown} {figure.unit}", bound, verdict, figure.detail)
    Console(width=140).print(table)
