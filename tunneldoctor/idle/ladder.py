"""The ladder: connections that are each left alone for a time of their own, until the first is found dead.

Everything is decided in one thread that looks at all of them many times a second; what takes time is the crew's. Only
what is used is disturbed: a connection is used once, at the end of its silence, and then begins a new one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tunneldoctor.idle.clocks import Clocks
from tunneldoctor.idle.crew import Crew, Doubted, Kept, Message, Opened, Probed, Refused
from tunneldoctor.idle.flow import Arm, Flow, Loss, NotOpened, Opener
from tunneldoctor.idle.not_idle import farewell, gone
from tunneldoctor.idle.plan import Plan
from tunneldoctor.idle.result import Kind, Result
from tunneldoctor.idle.series import Rung, Series
from tunneldoctor.idle.settle import settled, verdict
from tunneldoctor.idle.standing import Standing
from tunneldoctor.idle.state import State

#: Seconds between two looks at all connections.
_TICK = 0.05
#: Seconds that are left when it is time to come to an end.
_LAST = 1.0
#: Seconds between two words of how things stand, and where something has happened.
_WORD, _WORD_OF_NEWS = 5.0, 0.5


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

    *only* leaves connections alone in that one way, and keeps none busy beside them.
    """

    def __init__(
        self,
        plan: Plan,
        openers: Sequence[Opener],
        conduct: Conduct,
        witness: Flow | None = None,
        only: Arm | None = None,
    ) -> None:
        self._conduct = conduct
        self._crew = Crew(conduct.timeout)
        self._clocks = Clocks()
        self._state = State(plan, openers, self._crew.probe, witness, only)
        self._told = self._state.started
        self._news = True

    def run(self) -> Result:
        """Measure. Returns early where the run is cancelled or time is up, with what is known by then."""
        state = self._state
        self._crew.open(state.in_order())
        try:
            while True:
                for message in self._crew.messages(_TICK):
                    self._take(message)
                if result := self._step(time.monotonic()):
                    return result
        finally:
            self._conduct.tell(Standing.of(state, time.monotonic()))
            self._crew.dismiss(state.own)

    # -- what happens --------------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        rung, now = message.rung, time.monotonic()
        self._news |= not isinstance(message, Kept | Doubted)
        match message:
            case Kept():
                rung.probing = False
                if message.loss:
                    self._lost(rung, message.loss)
            case Opened():
                self._begin(rung, rung.gap)
                rung.opened = rung.kept = rung.begun
            case Refused():
                self._refused(rung, message.reason)
            case Doubted():
                rung.doubted = True
                self._doubt(rung)
            case Probed():
                rung.probing = rung.doubted = False
                self._probed(rung, message.loss, now)

    def _refused(self, rung: Rung, reason: str) -> None:
        rung.refused, rung.probing, rung.doubted = True, False, False
        if reason:
            which = "was not to be had" if rung.opened is None else "told nothing"
            self._state.note(f"a connection ({rung.flow.name}) {which}: {reason}")
        if series := self._state.series_of(rung):
            series.alone(self._state.plan.rungs, time.monotonic())
        self._relent()

    def _probed(self, rung: Rung, loss: Loss | None, now: float) -> None:
        state, series = self._state, self._state.series_of(rung)
        if loss:
            self._lost(rung, loss)
        elif series is None:
            rung.answered = True
        else:
            series.survived(rung, rung.asked_silence, rung.asked_after)
            self._begin(rung, series.next_gap(state.plan.rungs, len(series.rungs), now))
            self._relent()

    def _begin(self, rung: Rung, gap: float) -> None:
        rung.begun = time.monotonic()
        rung.flow.begin(gap)
        rung.gap = gap

    def _lost(self, rung: Rung, loss: Loss) -> None:
        self._news = True
        if series := self._state.series_of(rung):
            series.lost(rung, loss)
            self._doubt(rung)
        else:
            rung.loss = loss

    def _relent(self) -> None:
        """What was in doubt has answered after all, or says nothing about its leg: go on as before."""
        series = self._state.cut
        if series and not series.dead and not any(each.probing for each in series.rungs):
            self._state.cut, series.volley, series.second = None, False, False

    def _doubt(self, rung: Rung) -> None:
        """Something looks dead: from now on the others are looked at too."""
        state, series = self._state, self._state.series_of(rung)
        if state.cut is None and series is not None:
            state.cut, state.cut_at = series, time.monotonic()

    # -- many times a second -------------------------------------------------------------------------------------

    def _step(self, now: float) -> Result | None:
        state = self._state
        if slept := self._clocks.slept():
            words = f"this machine slept for {slept:.0f} s meanwhile, which no box on the way did"
            return state.result(Kind.UNMEASURED, words)
        for rung in state.everybody:
            if rung.quiet:
                self._look(rung, now)
        for each in state.series if state.cut is None else ():
            self._probe_due(each, now)
        self._tell(now)
        if self._conduct.cancelled.is_set():
            return state.result(Kind.UNMEASURED, self._interrupted(now))
        if control := state.lost_control:
            return farewell(state, control, now) or self._over()
        return settled(state, now) or self._over()

    def _interrupted(self, now: float) -> str:
        upper = self._state.cut.upper if self._state.cut else None
        doubt = f"; one that had been unused for {upper:.0f} s has not answered so far" if upper is not None else ""
        return f"interrupted after {now - self._state.started:.0f} s{doubt}"

    def _look(self, rung: Rung, now: float) -> None:
        try:
            loss = rung.flow.look()
        except NotOpened as error:
            self._take(Refused(rung, str(error)))
            return
        if loss:
            self._lost(rung, loss)
        elif (every := self._state.every(rung.flow.arm)) and now - rung.kept >= every:
            rung.kept = now
            self._crew.keep(rung)

    def _probe_due(self, series: Series, now: float) -> None:
        for rung in series.quiet():
            if rung.unused(now) >= rung.gap:
                self._state.probe(rung, now)

    def _over(self) -> Result | None:
        """No cut was found as far as was asked for, or as there is time; or nothing could be opened at all."""
        state = self._state
        if self._conduct.remaining() < _LAST:
            return self._out_of_time()
        if state.cut is not None or state.lost_control or self._crew.opening:
            return None
        going = [each for each in state.series if any(rung.pending and rung.opened for rung in each.rungs)]
        if not going:
            return state.result(Kind.UNMEASURED, "no connection to measure with was to be had")
        return state.result(Kind.NONE) if all(each.reached >= state.plan.up_to for each in going) else None

    def _out_of_time(self) -> Result:
        state = self._state
        if control := state.lost_control:
            return gone(state, control)
        if state.cut and state.cut.dead:
            return verdict(state, state.cut)
        reached = max(each.reached for each in state.series)
        words = f"there was time for silences of up to {reached:.0f} s only"
        if not reached or state.cut:
            return state.result(Kind.UNMEASURED, words)
        state.note(words)
        return state.result(Kind.NONE)

    def _tell(self, now: float) -> None:
        if now - self._told >= (_WORD_OF_NEWS if self._news else _WORD):
            self._news, self._told = False, now
            self._conduct.tell(Standing.of(self._state, now))
