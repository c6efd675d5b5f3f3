"""A connection in use went: whatever that was, it was no limit on idleness. Whether all went at one moment, or at one
age.

When a connection went is known to lie in a span: exactly, where it was closed in the open; else between the last time
that it was heard and the time that it was used in vain.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.idle.clocks import by_the_clock
from tunneldoctor.idle.flow import Arm, How, Leg
from tunneldoctor.idle.result import SLACK, Kind, Result

if TYPE_CHECKING:
    from tunneldoctor.idle.series import Rung
    from tunneldoctor.idle.state import State

#: Seconds by which spans may miss each other: of moments (both ends of a proxy, our own looking), and of ages (a timer
#: that counts whole seconds).
_ONE_MOMENT, _ONE_AGE = 0.4, 1.3
#: A moment that is known that well is told as it is, in seconds.
_EXACT = 1.5


def farewell(state: State, control: Rung, now: float) -> Result | None:
    """The result, *control* having gone though it was in use; None until the others, once as old, have been asked."""
    askable = [rung for rung in state.everybody if rung.flow.arm is not Arm.SERVER_FIRST]  # that takes until it is due
    waiting = [rung for rung in askable if rung.quiet and rung not in state.asked_last]
    for rung in waiting:
        if rung.age(now) >= control.lived + SLACK:
            state.asked_last.add(rung)
            state.probe(rung, now)
    return None if waiting or any(rung.probing for rung in askable) else gone(state, control)


def gone(state: State, control: Rung) -> Result:
    """What is known now that *control* has gone."""
    leg, loss = control.flow.leg, control.loss
    assert loss is not None
    age = one_age(state, leg)
    if age is not None and loss.bare and loss.how is How.CLOSED and not loss.abrupt:
        # nothing ran over it: a server that counts channels (sshd's UnusedConnectionTimeout) took it for unused
        return state.result(Kind.CUT, by_age(age), How.CLOSED, age)
    words = by_age(age) if age is not None else _in_words(state, control)
    return replace(state.result(Kind.NOT_IDLE, words, loss.how, age), leg=leg)


def one_age(state: State, leg: Leg) -> float | None:
    """The age in seconds at which each connection of *leg* ended, used or not; None where it was not one age for all.

    The one that was there before is not among them: with its forward open it may be of another kind.
    """
    ages = _ages(state, leg)
    if ages is None or _one_moment(state, leg):
        return None
    low, high = ages
    now = time.monotonic()
    older = any(rung.age(now) > max(low, high) + _ONE_AGE for rung in _alive(state, leg))
    return None if older or low - high >= _ONE_AGE else max(low, high)


def by_age(age: float) -> str:
    """In words."""
    return f"each connection ended {age:.0f} s after it was opened, used or not"


def _in_words(state: State, control: Rung) -> str:
    leg = control.flow.leg
    moment, ages, alive = _one_moment(state, leg), _ages(state, leg), len(_alive(state, leg))
    if moment and not alive and ages and ages[0] >= ages[1]:
        return f"all connections ended at the same moment, those in use too: {_when(state, *moment)}"
    when = _when(state, *_span(state, control))
    if alive:
        return f"a connection in use went {when}, and {alive} others lived on"
    return f"connections in use went like those that were not, the first of them {when}"


def _when(state: State, low: float, high: float) -> str:
    """The moment by the clock, as logs have it, and since the beginning."""
    about = "at" if high - low < _EXACT else "by"
    return f"{about} {by_the_clock(high)}, {max(0.0, high - state.started):.0f} s after the measurement began"


def _ages(state: State, leg: Leg) -> tuple[float, float] | None:
    """From the highest age that one of them reached for sure to the lowest at which one was gone; None for one alone.

    Where the first is above the second, it was not one age for all.
    """
    mine = [rung for rung in _gone(state, leg) if rung is not state.witness]
    if len(mine) < 2:
        return None
    spans = [(rung.opened or 0.0, *_span(state, rung)) for rung in mine]
    return max(low - opened for opened, low, _ in spans), min(high - opened for opened, _, high in spans)


def _one_moment(state: State, leg: Leg) -> tuple[float, float] | None:
    """The span in which all of them may have ended at once; None where they did not."""
    spans = [_span(state, rung) for rung in _gone(state, leg)]
    low, high = max(low for low, _ in spans), min(high for _, high in spans)
    return (min(low, high), high) if low - high < _ONE_MOMENT else None


def _span(state: State, rung: Rung) -> tuple[float, float]:
    """From when to when, by the monotonic clock, *rung* may have ended."""
    loss, ended = rung.loss, rung.ended_at
    assert loss is not None
    every = state.every(rung.flow.arm)
    if loss.how is How.CLOSED and not loss.abrupt:
        return ended, ended
    if loss.how is How.CLOSED and rung.flow.arm is not Arm.SERVER_FIRST:  # what is sent may have brought the reset
        return ended - (every or (state.plan.keepalive if rung.flow.arm is Arm.TCP_KEEPALIVE else 0.0)), ended
    return (rung.begun, ended) if every is None else (ended, ended + every)


def _gone(state: State, leg: Leg) -> list[Rung]:
    return [rung for rung in state.everybody if rung.loss and rung.flow.leg is leg]


def _alive(state: State, leg: Leg) -> list[Rung]:
    """Those that were used after the first had gone, and answered; one that was there before may be of another kind."""
    asked = [rung for rung in state.own if rung.answered or rung in state.asked_last]
    return [rung for rung in asked if rung.pending and rung.flow.leg is leg]
