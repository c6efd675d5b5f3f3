"""The ladder: connections that are each left alone for a time of their own, until the first is found dead.

Everything is decided in one thread that looks at all of them many times a second; what takes time is the crew's. Only
what is used is disturbed: a connection is used once, at the end of its silence, and then begins a new one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tunneldoctor.idle import settle
from tunneldoctor.idle.clocks import Clocks
from tunneldoctor.idle.crew import Crew, Doubted, Kept, Message, Opened, Probed, Refused
from tunneldoctor.idle.flow import MEASURED, Arm, Flow, How, Leg, Loss, NotOpened, Opener
from tunneldoctor.idle.plan import Plan
from tunneldoctor.idle.result import Kind, Result, bounds, just_before
from tunneldoctor.idle.series import Rung, Series
from tunneldoctor.idle.standing import Standing

#: Seconds between two looks at all connections.
_TICK = 0.05
#: Seconds that are left when it is time to come to an end.
_LAST = 1.0
#: Seconds between two words of how things stand, and where something has happened.
_WORD, _WORD_OF_NEWS = 5.0, 0.5
#: What is opened after the silent connections, in this order.
_COMPANIONS = (Arm.BUSY, Arm.SSH_KEEPALIVE, Arm.TCP_KEEPALIVE)


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a ladder is run. ``timeout`` is seconds for one opening, ``remaining`` what is left of all.

    ``tell`` gets how things stand, several times a minute and whenever something happened.
    """

    timeout: float
    remaining: Callable[[], float]
    cancelled: threading.Event
    tell: Callable[[Standing], None]


class Ladder:
    """One measurement with the connections that *openers* make; *witness* is one that is open already and in use.

    *only* leaves connections alone in that one way, and keeps none alive beside them.
    """

    def __init__(
        self,
        plan: Plan,
        openers: Sequence[Opener],
        conduct: Conduct,
        witness: Flow | None = None,
        only: Arm | None = None,
    ) -> None:
        self.plan = plan
        self._conduct = conduct
        self._crew = Crew(conduct.timeout)
        self._arms = (*MEASURED, *_COMPANIONS) if only is None else (only,)
        self.series = [each for opener in openers for each in self._series(opener)]
        self.companions = [each for opener in openers for each in self._companions(opener)]
        self.witness = self._already_open(witness) if witness else None
        self._clocks = Clocks()
        self._notes: list[str] = []
        self._started = self._told = time.monotonic()
        self._news = True
        self.cut: Series | None = None
        self.cut_at = 0.0
        self.asked_last: set[Rung] = set()

    def run(self) -> Result:
        """Measure. Returns early where the run is cancelled or time is up, with what is known by then."""
        self._crew.open(self._in_order())
        try:
            while True:
                for message in self._crew.messages(_TICK):
                    self._take(message)
                if result := self._step(time.monotonic()):
                    return result
        finally:
            self._conduct.tell(Standing.of(self, time.monotonic() - self._started))
            self._crew.dismiss([rung for rung in self.everybody if rung is not self.witness])

    @property
    def everybody(self) -> list[Rung]:
        """All connections, whatever became of them."""
        witness = [self.witness] if self.witness else []
        return [*(rung for each in self.series for rung in each.rungs), *self.companions, *witness]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside the result."""
        return tuple(dict.fromkeys(self._notes))

    # -- the beginning -------------------------------------------------------------------------------------------

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

    def _in_order(self) -> list[Rung]:
        """The first of all lives longest, and so sees an end in the open when it comes; then what is short."""
        silent = [rung for each in self.series for rung in (each.rungs[-1], *each.rungs[:-1])]
        everybody = [*silent, *self.companions]
        legs = [leg for leg in Leg if any(rung.flow.leg is leg for rung in everybody)]
        ways = (Arm.IDLE, *_COMPANIONS, Arm.SERVER_FIRST)
        return [
            rung for leg in legs for arm in ways for rung in everybody if (rung.flow.leg, rung.flow.arm) == (leg, arm)
        ]

    def _already_open(self, flow: Flow) -> Rung:
        now = time.monotonic()
        flow.begin(self.plan.rungs[-1])
        return Rung(flow, self.plan.rungs[-1], opened=now, begun=now, kept=now)

    # -- what happens --------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        rung, now = message.rung, time.monotonic()
        self._news |= not isinstance(message, Kept | Doubted)
        match message:
            case Kept():
                rung.probing = False
            case Opened():
                self._begin(rung, rung.gap)
                rung.opened = rung.kept = rung.begun
            case Refused():
                rung.refused, rung.probing, rung.doubted = True, False, False
                if message.reason:
                    which = "was not to be had" if rung.opened is None else "told nothing"
                    self._notes.append(f"a connection ({rung.flow.name}) {which}: {message.reason}")
                self._relent()
            case Doubted():
                rung.doubted = True
                self._doubt(rung)
            case Probed():
                rung.probing = rung.doubted = False
                self._probed(rung, message.loss, now)

    def _probed(self, rung: Rung, loss: Loss | None, now: float) -> None:
        series = self._series_of(rung)
        if loss:
            self._lost(rung, loss)
        elif series is None:
            rung.answered = True
        else:
            series.survived(rung, rung.asked_silence, rung.asked_after)
            self._begin(rung, series.next_gap(self.plan.rungs, len(series.rungs), now))
            self._relent()

    def _begin(self, rung: Rung, gap: float) -> None:
        rung.begun = time.monotonic()
        rung.flow.begin(gap)
        rung.gap = gap

    def _lost(self, rung: Rung, loss: Loss) -> None:
        self._news = True
        if series := self._series_of(rung):
            series.lost(rung, loss)
            self._doubt(rung)
        else:
            rung.loss = loss

    def _relent(self) -> None:
        """What was in doubt has answered after all, or says nothing about its leg: go on as before."""
        series = self.cut
        if series and not series.dead and not any(each.probing for each in series.rungs):
            self.cut, series.volley, series.second = None, False, False

    def _doubt(self, rung: Rung) -> None:
        """Something looks dead: from now on the others are looked at too."""
        series = self._series_of(rung)
        if self.cut is None and series is not None:
            self.cut, self.cut_at = series, time.monotonic()

    def _series_of(self, rung: Rung) -> Series | None:
        return next((each for each in self.series if any(rung is mine for mine in each.rungs)), None)

    # -- many times a second -------------------------------------------------------------------------------------

    def _step(self, now: float) -> Result | None:
        if slept := self._clocks.slept():
            words = f"this machine slept for {slept:.0f} s meanwhile, which no box on the way did"
            return self.result(Kind.UNMEASURED, words)
        for rung in self.everybody:
            if rung.quiet:
                self._look(rung, now)
        for each in self.series if self.cut is None else ():
            self._probe_due(each, now)
        self._tell(now)
        if self._conduct.cancelled.is_set():
            return self.result(Kind.UNMEASURED, f"interrupted after {now - self._started:.0f} s")
        return settle.settled(self, now) or self._over(now)

    def _look(self, rung: Rung, now: float) -> None:
        try:
            loss = rung.flow.look()
        except NotOpened as error:
            self._take(Refused(rung, str(error)))
            return
        if loss:
            self._lost(rung, loss)
        elif (every := self._every(rung.flow.arm)) and now - rung.kept >= every:
            rung.kept = now
            self._crew.keep(rung)

    def _every(self, arm: Arm) -> float | None:
        return {Arm.BUSY: self.plan.busy, Arm.WITNESS: self.plan.busy, Arm.SSH_KEEPALIVE: self.plan.keepalive}.get(arm)

    def _probe_due(self, series: Series, now: float) -> None:
        for rung in series.quiet():
            if rung.unused(now) >= rung.gap:
                self.probe(rung, now)

    def probe(self, rung: Rung, now: float) -> None:
        """Use *rung* now."""
        rung.asked_after, rung.asked_silence = rung.unused(now), rung.silence(now)
        self._crew.probe(rung)

    def _over(self, now: float) -> Result | None:
        """No cut was found as far as was asked for, or as there is time; or nothing could be opened at all."""
        if self._conduct.remaining() < _LAST:
            return self._out_of_time()
        if self.cut is not None or self._crew.opening:
            return None
        going = [each for each in self.series if any(rung.pending and rung.opened for rung in each.rungs)]
        if not going:
            return self.result(Kind.UNMEASURED, "no connection to measure with was to be had")
        return self.result(Kind.NONE) if all(each.reached >= self.plan.up_to for each in going) else None

    def _out_of_time(self) -> Result:
        if self.cut and self.cut.dead:
            return settle.verdict(self, self.cut)
        reached = max(each.reached for each in self.series)
        words = f"there was time for silences of up to {reached:.0f} s only"
        self._notes.append(words)
        return self.result(Kind.NONE) if reached and not self.cut else self.result(Kind.UNMEASURED, words)

    # -- the end -------------------------------------------------------------------------------------------------

    def result(self, kind: Kind, reason: str = "", how: How | None = None, age: float | None = None) -> Result:
        """What is known now; *age* is that at which connections end, where that is what counts."""
        series = self.cut or max(self.series, key=lambda each: each.reached)
        lower, upper = bounds(tuple(series.fates))
        if age is not None:
            lower, upper = just_before(age), age
        disturbed = max((each.disturbed or 0.0 for each in self.series), default=0.0)
        if disturbed:
            self._notes.append(
                f"the far end speaks by itself: the longest silence that was really seen is {disturbed:.0f} s"
            )
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
            notes=self.notes,
            reason=reason,
            age=age,
        )

    def _outlived(self, series: Series) -> dict[Arm, float]:
        others = (each for each in self.series if each.leg is series.leg and each is not series)
        return {each.arm: max(each.reached, each.outlived) for each in others if not each.dead}

    def _companions_fates(self, leg: Leg) -> dict[Arm, bool]:
        kept = [*self.companions, *([self.witness] if self.witness else [])]
        mine = [rung for rung in kept if rung.flow.leg is leg and rung.opened is not None]
        return {rung.flow.arm: rung.loss is None for rung in mine if rung.loss or rung.answered}

    def _tell(self, now: float) -> None:
        if now - self._told >= (_WORD_OF_NEWS if self._news else _WORD):
            self._news, self._told = False, now
            self._conduct.tell(Standing.of(self, now - self._started))
