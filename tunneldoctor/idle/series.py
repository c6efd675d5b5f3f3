"""The connections of one leg that are left alone in one way, and which silence each of them tries next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tunneldoctor.idle.flow import Arm, Flow, Leg, Loss
from tunneldoctor.idle.plan import ONE_BY_ONE, likelihood, spread
from tunneldoctor.idle.result import Fate

#: A server that speaks by itself makes the silence so much shorter than it was meant to be.
_DISTURBED, _DISTURBED_SHARE = 1.0, 0.05


@dataclass(slots=True, eq=False)
class Rung:
    """One connection and how it stands. ``opened``, ``begun`` and ``kept`` are moments of the monotonic clock.

    ``asked_after`` is how long it had been left alone when it was used last, ``asked_silence`` how long it had been
    silent then, in seconds; ``doubted``: it has not answered yet, and should have. ``answered``: it was used after the
    others had begun to go, and lived.
    """

    flow: Flow
    gap: float
    opened: float | None = None
    begun: float = 0.0
    kept: float = 0.0
    probing: bool = False
    asked_after: float = 0.0
    asked_silence: float = 0.0
    loss: Loss | None = None
    refused: bool = False
    doubted: bool = False
    answered: bool = False

    @property
    def quiet(self) -> bool:
        """Open, as far as is known, and not in use just now."""
        return self.opened is not None and self.loss is None and not (self.probing or self.refused)

    @property
    def pending(self) -> bool:
        """It may still tell something about its gap."""
        return self.loss is None and not self.refused

    def age(self, now: float) -> float:
        """Seconds since it was opened."""
        return now - self.opened if self.opened is not None else 0.0

    @property
    def ended_at(self) -> float:
        """The moment at which it was gone, as far as that was seen."""
        return self.begun + self.loss.after if self.loss else 0.0

    @property
    def lived(self) -> float:
        """Seconds from its opening until then."""
        return self.ended_at - (self.opened or 0.0)

    def unused(self, now: float) -> float:
        """Seconds for which it was left alone; what the far end was asked to say it says after the gap."""
        unused = now - self.begun if self.opened is not None else 0.0
        return min(unused, self.gap) if self.flow.arm is Arm.SERVER_FIRST else unused

    def silence(self, now: float) -> float:
        """The same, or less where the far end has spoken by itself in the meantime."""
        unused, heard = self.unused(now), self.flow.silence()
        disturbed = heard is not None and heard < unused - max(_DISTURBED, _DISTURBED_SHARE * unused)
        return heard if disturbed and heard is not None else unused

    def fate(self, silence: float, loss: Loss | None) -> Fate:
        """What became of it."""
        return Fate(self.flow.name, self.flow.arm, self.flow.leg, silence, loss)


@dataclass(slots=True, eq=False)
class Series:
    """*rungs* of one leg and arm. ``reached`` is the longest time one was left alone and lived, in seconds.

    ``fates`` hold the silences proper: where the far end speaks by itself they are shorter than that. ``outlived`` is
    how long one had been silent, and not ended in the open, when that was of interest. ``volley`` and ``second``:
    those below the first that went, and a second one, were asked.
    """

    leg: Leg
    arm: Arm
    rungs: list[Rung]
    fates: list[Fate] = field(default_factory=list)
    reached: float = 0.0
    disturbed: float | None = None
    outlived: float = 0.0
    volley: bool = False
    second: bool = False

    @property
    def dead(self) -> list[Fate]:
        """Those that did not survive."""
        return [each for each in self.fates if not each.alive]

    def survived(self, rung: Rung, silence: float, unused: float) -> None:
        """Note that *rung* lived after *silence* seconds, of the *unused* that were meant."""
        self.fates.append(rung.fate(silence, None))
        self.reached = max(self.reached, unused)
        if silence < unused:
            self.disturbed = max(silence, self.disturbed or 0.0)

    def lost(self, rung: Rung, loss: Loss) -> None:
        """Note that *rung* is gone."""
        rung.loss = loss
        self.fates.append(rung.fate(loss.after, loss))

    @property
    def upper(self) -> float | None:
        """The shortest silence, in seconds, that killed one, or seems to have."""
        doubted = [rung.asked_after for rung in self.rungs if rung.doubted and rung.probing]
        return min([*doubted, *(each.silence for each in self.dead)], default=None)

    def quiet(self) -> list[Rung]:
        """The connections that could be used now."""
        return [rung for rung in self.rungs if rung.quiet]

    def alone(self, planned: Sequence[float], now: float) -> None:
        """Where all others were refused, have the one that is left try silence after silence, short ones first."""
        left = [rung for rung in self.rungs if rung.pending]
        if len(left) == 1 and len(self.rungs) > 1 and self.arm is Arm.IDLE:
            left[0].gap = next((gap for gap in spread(planned, ONE_BY_ONE) if gap > left[0].unused(now)), planned[-1])

    def next_gap(self, planned: Sequence[float], number: int, now: float) -> float:
        """The silence that a connection which has just survived is to try next, beginning *now*.

        The one that would shorten the measurement most: a long silence that is tried already takes until it ends,
        while a shorter one below it, begun now, may tell sooner that it is dead.
        """
        waiting = [(rung.gap, rung.begun + rung.gap) for rung in self.rungs if rung.pending and rung.opened is not None]
        return next_gap(planned, waiting, self.reached, now, number)


def next_gap(
    planned: Sequence[float], waiting: Sequence[tuple[float, float]], reached: float, now: float, number: int
) -> float:
    """See :meth:`Series.next_gap`; *waiting* are the gaps under way with the moment each of them ends."""
    waiting = [(gap, ends) for gap, ends in waiting if gap > reached]
    left = [gap for gap in planned if gap > reached and all(not math.isclose(gap, each) for each, _ in waiting)]
    if not waiting:
        return next((gap for gap in spread(planned, number) if gap > reached), planned[-1])
    scores = {gap: _score(gap, waiting, max(reached, planned[0] / 2), now) for gap in left}
    best = max(scores, key=lambda gap: scores[gap], default=planned[-1])
    return best if scores.get(best, 0.0) > 0 else planned[-1]


def _score(gap: float, waiting: Sequence[tuple[float, float]], reached: float, now: float) -> float:
    """How much sooner it would be known, weighed by how likely the cut-off is just there."""
    above = [each for each in waiting if each[0] > gap]
    if not above:
        return 0.0
    first_above = min(each for each, _ in above)
    below = max([reached, *(each for each, _ in waiting if each < gap)])
    sooner = min(ends for _, ends in above) - (now + gap)
    return sooner / first_above * likelihood(below, gap)
