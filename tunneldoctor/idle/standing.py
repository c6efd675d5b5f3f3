"""How a ladder stands, in words for a line on a terminal and as data for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.idle.result import bounds
from tunneldoctor.model import Value

if TYPE_CHECKING:
    from tunneldoctor.idle.ladder import Ladder


@dataclass(frozen=True, slots=True)
class Standing:
    """``elapsed``, ``at_most`` and ``usual`` are seconds; ``usual`` is how long it takes for the nearest usual cut-off
    that is not ruled out yet (``suspect``)."""

    elapsed: float
    at_most: float
    suspect: int | None
    usual: float | None
    opened: int
    asked: int
    alive: int
    dead: int
    lower: float | None
    upper: float | None

    @classmethod
    def of(cls, ladder: Ladder, elapsed: float) -> Standing:
        """How *ladder* stands."""
        series = ladder.cut or ladder.series[0]
        lower, upper = bounds(tuple(series.fates))
        suspect = next((each for each in ladder.plan.usual if each > (lower or 0)), None)
        everybody = [rung for rung in ladder.everybody if rung is not ladder.witness]
        opened = [rung for rung in everybody if rung.opened is not None]
        return cls(
            elapsed,
            ladder.plan.at_most,
            suspect,
            ladder.plan.time_for(suspect) if suspect else None,
            len(opened),
            len(everybody),
            sum(rung.loss is None for rung in opened),
            sum(rung.loss is not None for rung in opened),
            lower,
            upper,
        )

    @property
    def left(self) -> float:
        """Seconds that it may still take at most."""
        return max(0.0, self.at_most - self.elapsed)

    def __str__(self) -> str:
        parts = [f"{clock(self.left)} left at most"]
        if self.upper is None and self.usual and self.usual > self.elapsed:
            parts.append(f"{clock(self.usual - self.elapsed)} if it is {self.suspect} s")
        alive = f"{self.alive} alive" + (f" (unused for up to {_figure(self.lower)} s)" if self.lower else "")
        dead = f"{self.dead} dead" + (f" (unused for {_figure(self.upper)} s)" if self.upper is not None else "")
        return ", ".join([*parts, alive, dead])

    @property
    def values(self) -> dict[str, Value]:
        """The same as data (docs/json.md)."""
        return {
            "elapsed_seconds": round(self.elapsed, 1),
            "at_most_seconds": round(self.at_most, 1),
            "left_seconds": round(self.left, 1),
            "suspect_seconds": self.suspect,
            "suspect_left_seconds": round(max(0.0, self.usual - self.elapsed), 1) if self.usual is not None else None,
            "connections_asked": self.asked,
            "connections_opened": self.opened,
            "alive": self.alive,
            "dead": self.dead,
            "alive_after_seconds": None if self.lower is None else round(self.lower, 1),
            "dead_after_seconds": None if self.upper is None else round(self.upper, 1),
        }


def clock(seconds: float) -> str:
    """``0:07``, ``5:20``, ``1:02:05``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def _figure(seconds: float) -> str:
    """Tenths where they matter."""
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
