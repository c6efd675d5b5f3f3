"""Which silences are tried, with how many connections, and how long that takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Seconds after which boxes in common use forget a connection, by their vendors' documents (suspects.py), those met
#: most often first: 350 and 240 are load balancers and NAT gateways, 3600 most firewalls, 600 Google's, 60 and 1200
#: proxies and Cloud NAT; 120, 180 and 7200 are what administrators and tcp(7) choose.
KNOWN = (350, 240, 3600, 600, 60, 1200, 1800, 900, 300, 120, 180, 7200)
#: How many of them are the usual ones.
_USUAL = 4
#: Connections that any bastion stands, and the most that are ever used: each is a process or two on the far side.
POLITE, MOST = 8, 32
#: A connection is left alone for so much less, or more, than a known time.
BESIDE = 0.03
#: With ``up_to`` below so many seconds, what is looked for is no box in common use.
_SHORT = 200.0
#: Each silence is at most so many times the one before it; finer where the whole of it is short.
_STEP, _FINE_STEP = 1.3, 1.15
#: The shortest silence: as a share of ``up_to``, and in seconds.
_SHARE, _SHORTEST = 1 / 8, 1.0
#: Connections that are kept alive, by SSH or by the kernel; the run's own is the one in use.
COMPANIONS = 2
#: Sessions of the database that are left alone in one way at a time.
_MOST_BEHIND = 6
#: A single connection tries so many silences one after the other.
ONE_BY_ONE = 6
#: Openings in any one second, and so the seconds between two of them in the long run.
A_SECOND = 2
BETWEEN = 1 / A_SECOND
#: Seconds until five retransmissions in a row are known to be lost: 0.2 + 0.4 + … + 3.2, with a little for slow ways.
NOTICE = 8.0


@dataclass(frozen=True, slots=True)
class Plan:
    """``rungs`` are the silences that may be tried, in seconds, ascending; the last is just above ``up_to``.

    Of the ``connections`` to the bastion so many are left ``idle``, and on ``server_first`` the far end speaks first;
    ``behind`` says the same of the sessions on the database's leg, where one is in use. ``keepalive`` and ``busy`` are
    the seconds between what is sent on those that are kept.
    """

    up_to: float
    connections: int
    rungs: tuple[float, ...]
    idle: int
    server_first: int
    behind: tuple[int, int]
    keepalive: float
    busy: float

    def first(self, number: int) -> tuple[float, ...]:
        """The silences that *number* connections begin with, ascending."""
        return spread(self.rungs, number) if number > 1 else spread(self.rungs, ONE_BY_ONE)[:number]

    @property
    def at_most(self) -> float:
        """Seconds that it takes at most, without refining: as long as the longest silence."""
        opened = self.connections + (sum(self.behind) + 1 if self.server_first else 0)
        return self.rungs[-1] + opened * BETWEEN + (3 if self.server_first else 2) * NOTICE

    def time_for(self, cutoff: float) -> float:
        """Seconds that it takes where unused connections are cut after *cutoff* seconds."""
        above = next((gap for gap in self.first(self.idle) if gap > cutoff), self.rungs[-1])
        return above + self.idle * BETWEEN + NOTICE

    @property
    def usual(self) -> tuple[int, ...]:
        """The usual cut-offs that this can find, ascending."""
        return tuple(sorted(seconds for seconds in KNOWN[:_USUAL] if seconds <= self.up_to))


def plan(up_to: float, connections: int = POLITE, *, with_database: bool = False) -> Plan:
    """The plan for cut-offs up to *up_to* seconds, with at most *connections* to the bastion (at least 2)."""
    rungs = tuple(_rungs(up_to))
    companions = min(COMPANIONS, connections - 1)
    server_first = min(connections // 4, max(2, connections // 6)) if with_database else 0
    keepalive = min(20.0, max(1.0, rungs[0] / 2))
    return Plan(
        up_to=up_to,
        connections=connections,
        rungs=rungs,
        idle=connections - companions - server_first,
        server_first=server_first,
        behind=_behind(connections - server_first - 1),
        keepalive=keepalive,
        busy=min(5.0, max(0.5, keepalive / 2)),
    )


def _behind(sessions: int) -> tuple[int, int]:
    idle = min(_MOST_BEHIND, (sessions + 1) // 2)
    return idle, min(_MOST_BEHIND, sessions - idle)


def seconds_at_most(up_to: float, connections: int, precise: bool) -> float:
    """What the whole may take, in seconds: the ladder, the bounds narrowed and the hop looked for."""
    asked = plan(up_to, connections)
    again = asked.rungs[-1] * 1.2 + connections * BETWEEN + 2 * NOTICE
    return asked.at_most + again * (2 if precise else 1)


def spread(rungs: Sequence[float], number: int) -> tuple[float, ...]:
    """*number* of the *rungs* to begin with, the last among them: what is cut after a known time is dead just above it.

    Where no known time is among them they are evenly spread on a logarithmic scale; all, where there are fewer.
    """
    if number >= len(rungs):
        return tuple(rungs)
    known = [gap for seconds in KNOWN for gap in rungs if math.isclose(gap, seconds * (1 + BESIDE))]
    if not known:
        return _evenly(rungs, number)
    wanted = dict.fromkeys([rungs[-1], *known, *_evenly(rungs, min(len(rungs), 2 * number))])
    return tuple(sorted(list(wanted)[:number]))


def _evenly(rungs: Sequence[float], number: int) -> tuple[float, ...]:
    if number < 2:
        return tuple(rungs[-1:])
    low, high = math.log(rungs[0]), math.log(rungs[-1])
    chosen: list[float] = []
    for place in (low + (high - low) * each / (number - 1) for each in range(number)):
        left = (gap for gap in rungs if gap not in chosen)
        chosen.append(min(left, key=lambda gap: abs(math.log(gap) - place)))
    return tuple(sorted(chosen))


def likelihood(above: float, up_to: float) -> float:
    """How much of what may be lies in there: evenly on a logarithm, and more where known times are, seconds each."""
    known = sum(1.0 if place < _USUAL else 0.3 for place, each in enumerate(KNOWN) if above < each <= up_to)
    return math.log(up_to / above) + known


def _rungs(up_to: float) -> Iterable[float]:
    top = up_to * (1 + BESIDE)
    lowest = max(_SHORTEST, min(KNOWN[0] * (1 - BESIDE), up_to * _SHARE))
    if up_to < _SHORT:
        return _filled([min(lowest, top), top], _FINE_STEP)
    around = {known * (1 + side) for known in KNOWN for side in (-BESIDE, BESIDE) if known <= up_to}
    return _filled(sorted({lowest, *around, top}), _STEP)


def _filled(rungs: Sequence[float], step: float) -> list[float]:
    """With more between any two that are further apart than *step*."""
    filled = [rungs[0]]
    for gap in rungs[1:]:
        ratio = gap / filled[-1]
        pieces = max(1, math.ceil(math.log(ratio) / math.log(step) - 1e-9))
        below = filled[-1]
        filled += [below * ratio ** (each / pieces) for each in range(1, pieces)] + [gap]
    return filled
