"""All connections of a ladder and what became of them: what its thread decides on, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tunneldoctor.idle.flow import MEASURED, Arm, Flow, How, Leg, Opener
from tunneldoctor.idle.plan import Plan
from tunneldoctor.idle.result import Kind, Result, bounds, just_before
from tunneldoctor.idle.series import Rung, Series

#: What is opened after the silent connections, in this order.
_COMPANIONS = (Arm.BUSY, Arm.SSH_KEEPALIVE, Arm.TCP_KEEPALIVE)
#: Those that are never unused.
_IN_USE = (Arm.BUSY, Arm.WITNESS)


class State:
    """``series`` are the connections that are left alone, ``companions`` those that are kept busy in one way or another
    beside them, ``witness`` is one that was open already and is in use.

    ``cut`` is the series of which one is dead or looks it, since the moment ``cut_at``; ``asked_last`` are those that
    were used once more after a connection in use had gone. *use* has a connection used. *only* leaves connections alone
    in that one way, and keeps none busy.
    """

    def __init__(
        self,
        plan: Plan,
        openers: Sequence[Opener],
        use: Callable[[Rung], None],
        witness: Flow | None = None,
        only: Arm | None = None,
    ) -> None:
        self.plan = plan
        self._use = use
        self._arms = (*MEASURED, *_COMPANIONS) if only is None else (only,)
        self.series = [each for opener in openers for each in self._series(opener)]
        self.companions = [each for opener in openers for each in self._companions(opener)]
        self.started = time.monotonic()
        self.witness = self._already_open(witness) if witness else None
        self._notes: dict[str, None] = {}
        self.cut: Series | None = None
        self.cut_at = 0.0
        self.asked_last: set[Rung] = set()

    # -- the connections -----------------------------------------------------------------------------------------

    @property
    def everybody(self) -> list[Rung]:
        """All connections, whatever became of them."""
        return [*(rung for each in self.series for rung in each.rungs), *self.kept]

    @property
    def own(self) -> list[Rung]:
        """Those that were opened for the ladder."""
        return [rung for rung in self.everybody if rung is not self.witness]

    @property
    def kept(self) -> list[Rung]:
        """Those that are kept busy or alive."""
        return [*self.companions, *([self.witness] if self.witness else [])]

    @property
    def lost_control(self) -> Rung | None:
        """A connection that went though it was in use."""
        return next((rung for rung in self.kept if rung.flow.arm in _IN_USE and rung.loss), None)

    def series_of(self, rung: Rung) -> Series | None:
        """Where *rung* belongs; None for one that is kept."""
        return next((each for each in self.series if any(rung is mine for mine in each.rungs)), None)

    def every(self, arm: Arm) -> float | None:
        """Seconds between what is sent on a connection of that arm; None for one that is left alone."""
        return self.plan.keepalive if arm is Arm.SSH_KEEPALIVE else self.plan.busy if arm in _IN_USE else None

    def probe(self, rung: Rung, now: float) -> None:
        """Use *rung* now."""
        rung.asked_after, rung.asked_silence = rung.unused(now), rung.silence(now)
        self._use(rung)

    def in_order(self) -> list[Rung]:
        """The first of all lives longest, and so sees an end in the open when it comes; then what is short."""
        silent = [rung for each in self.series for rung in (each.rungs[-1], *each.rungs[:-1])]
        everybody = [*silent, *self.companions]
        legs = [leg for leg in Leg if any(rung.flow.leg is leg for rung in everybody)]
        ways = (Arm.IDLE, *_COMPANIONS, Arm.SERVER_FIRST)
        return [
            rung for leg in legs for arm in ways for rung in everybody if (rung.flow.leg, rung.flow.arm) == (leg, arm)
        ]

    def _series(self, opener: Opener) -> list[Series]:
        found = []
        for arm in (arm for arm in MEASURED if arm in opener.arms and arm in self._arms):
            plan = self.plan
            idle, server_first = (plan.idle, plan.server_first) if opener.leg is Leg.BASTION else plan.behind
            gaps = plan.first(idle if arm is Arm.IDLE else server_first)
            found.append(Series(opener.leg, arm, [Rung(opener.flow(arm), gap) for gap in gaps]))
        return [each for each in found if each.rungs]

    def _companions(self, opener: Opener) -> list[Rung]:
        arms = [arm for arm in _COMPANIONS if arm in opener.arms and arm in self._arms]
        asked = self.plan.connections - self.plan.idle - self.plan.server_first
        wanted = arms[:asked] if opener.leg is Leg.BASTION else arms
        return [Rung(opener.flow(arm), self.plan.rungs[-1]) for arm in wanted]

    def _already_open(self, flow: Flow) -> Rung:
        flow.begin(self.plan.rungs[-1])
        return Rung(flow, self.plan.rungs[-1], opened=self.started, begun=self.started, kept=self.started)

    # -- what is known -------------------------------------------------------------------------------------------

    def note(self, words: str) -> None:
        """Something that a reader must know beside the result."""
        self._notes[words] = None

    def result(self, kind: Kind, reason: str = "", how: How | None = None, age: float | None = None) -> Result:
        """What is known now; *age* is that at which connections end, where that is what counts."""
        series = self.cut or max(self.series, key=lambda each: each.reached)
        lower, upper = bounds(tuple(series.fates))
        if age is not None:
            lower, upper = just_before(age), age
        if disturbed := max((each.disturbed or 0.0 for each in self.series), default=0.0):
            self.note(f"the far end speaks by itself: the longest silence that was really seen is {disturbed:.0f} s")
        dead = [each for each in series.fates if each.loss]
        return Result(
            kind,
            lower,
            upper,
            how,
            series.arm,
            series.leg,
            example=min(dead, key=lambda each: each.silence).loss if dead else None,
            confirmed=len(dead) > 1,
            companions=self._companions_fates(series.leg),
            outlived=self._outlived(series),
            fates=tuple(fate for each in self.series for fate in each.fates),
            notes=tuple(self._notes),
            reason=reason,
            age=age,
        )

    def _outlived(self, series: Series) -> dict[Arm, float]:
        others = (each for each in self.series if each.leg is series.leg and each is not series)
        return {each.arm: max(each.reached, each.outlived) for each in others if not each.dead}

    def _companions_fates(self, leg: Leg) -> dict[Arm, bool]:
        mine = [rung for rung in self.kept if rung.flow.leg is leg and rung.opened is not None]
        return {rung.flow.arm: rung.loss is None for rung in mine if rung.loss or rung.answered}
