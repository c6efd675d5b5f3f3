"""How a ladder stands, in words for a line on a terminal and as data for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.idle.flow import Leg
from tunneldoctor.idle.result import bounds
from tunneldoctor.model import Value

if TYPE_CHECKING:
    from tunneldoctor.idle.state import State


@dataclass(frozen=True, slots=True)
class Standing:
    """``elapsed``, ``at_most`` and ``usual`` are seconds; ``usual`` is how long it takes for the nearest usual cut-off
    that is not ruled out yet (``suspect``). ``asked`` and ``opened`` count connections to the bastion, ``sessions`` and
    ``sessions_opened`` those of the database on the leg behind it; ``alive`` and ``dead`` count both."""

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
    sessions: int = 0
    sessions_opened: int = 0

    @classmethod
    def of(cls, state: State, now: float) -> Standing:
        """How things stand at the moment *now* of the monotonic clock."""
        series = state.cut or state.series[0]
        lower, upper = bounds(tuple(series.fates))
        suspect = next((each for each in state.plan.usual if each > (lower or 0)), None)
        asked = Counter(rung.flow.leg for rung in state.own)
        there = [rung for rung in state.own if rung.opened is not None]
        opened = Counter(rung.flow.leg for rung in there)
        return cls(
            now - state.started,
            state.plan.at_most,
            suspect,
            state.plan.time_for(suspect) if suspect else None,
            opened[Leg.BASTION],
            asked[Leg.BASTION],
            sum(rung.loss is None for rung in there),
            sum(rung.loss is not None for rung in there),
            lower,
            upper,
            asked[Leg.DATABASE],
            opened[Leg.DATABASE],
        )

    @property
    def left(self) -> float:
        """Seconds that it may still take at most."""
        return max(0.0, self.at_most - self.elapsed)

    def __str__(self) -> str:
        """For a line of 80 columns: ``9:45 left at most (3:14 if 240 s): 7 alive at 60 s, 1 dead at 62 s``."""
        sooner = self.upper is None and self.usual and self.usual > self.elapsed
        usual = f" ({clock((self.usual or 0.0) - self.elapsed)} if {self.suspect} s)" if sooner else ""
        alive = f"{self.alive} alive" + (f" at {_figure(self.lower)} s" if self.lower else "")
        dead = f"{self.dead} dead" + (f" at {_figure(self.upper)} s" if self.upper is not None else "")
        return f"{clock(self.left)} left at most{usual}: {alive}, {dead}"

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
            "sessions_asked": self.sessions,
            "sessions_opened": self.sessions_opened,
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
