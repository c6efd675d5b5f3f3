"""From the first dead connection to an answer that is worth telling: the others are looked at before it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.idle.flow import Arm, How, Leg
from tunneldoctor.idle.not_idle import by_age, one_age
from tunneldoctor.idle.plan import BESIDE, BETWEEN
from tunneldoctor.idle.result import SLACK, Kind, Result, bounds, contradiction

if TYPE_CHECKING:
    from tunneldoctor.idle.series import Series
    from tunneldoctor.idle.state import State

#: For a better lower bound one waits so much longer at most, as a share of the upper bound.
_WAIT = 0.15
#: A lower bound that near to the upper one is good enough, likewise.
_NEAR = 0.05
#: Companions must have lived so much longer than what died.
_LONGER = 1.03


def settled(state: State, now: float) -> Result | None:
    """The result, once all that can be asked about the cut has been; None until then, or where nothing is cut."""
    series = state.cut
    if series is None:
        return None
    asked = [each(state, series, now) for each in (_second, _below, _companions, _counterpart)]
    waited_for = any(rung.probing for rung in state.everybody if rung.flow.leg is series.leg)
    if waited_for or not all(asked) or not series.dead:
        return None
    return verdict(state, series)


def verdict(state: State, series: Series) -> Result:
    """What the connections of *series*, of which at least one is dead, say together."""
    how = _how(series)
    kept = next((rung for rung in state.companions if rung.flow.arm is Arm.SSH_KEEPALIVE), None)
    if kept and kept.loss and (age := one_age(state, kept.flow.leg)) is not None:
        return state.result(Kind.CUT, by_age(age), how, age)
    if clash := contradiction(tuple(series.fates)):
        alive, dead = clash
        return state.result(
            Kind.INCONSISTENT,
            f"one connection died after {dead.silence:.0f} s and another lived after {alive.silence:.0f} s: "
            "several ways that differ, packet loss, or a limit that is none on idleness",
            how,
        )
    return state.result(Kind.CUT, "", how)


def _how(series: Series) -> How:
    first = min(series.dead, key=lambda each: each.silence)
    assert first.loss is not None
    return first.loss.how


def _second(state: State, series: Series, now: float) -> bool:
    """Whether a second connection was, or can't be, asked about the upper bound."""
    upper, quiet = series.upper, series.quiet()
    if upper is None or series.second or len(series.dead) > 1 or series.arm is not Arm.IDLE or not quiet:
        return True
    oldest = max(quiet, key=lambda rung: rung.unused(now))
    if not series.dead or _how(series) is not How.CLOSED:
        past = [rung for rung in quiet if rung.unused(now) >= upper]
        if past:
            state.probe(min(past, key=lambda rung: rung.unused(now)), now)
            series.second = True
        return True
    # one that ends in the open does so by itself: the next to reach that age ends too, or proves us wrong
    enough = upper + max(SLACK, BESIDE * upper)
    if oldest.unused(now) >= enough:
        state.probe(oldest, now)
        return True
    return enough - oldest.unused(now) > _WAIT * upper + state.plan.idle * BETWEEN + SLACK


def _below(state: State, series: Series, now: float) -> bool:
    """Whether the lower bound is as near as the silences under way can bring it; they are all used at one moment."""
    upper, lower = series.upper, bounds(tuple(series.fates))[0] or 0.0
    if upper is None or series.volley or series.arm is not Arm.IDLE:
        return True
    if series.dead and _how(series) is How.CLOSED:
        return True
    below = [rung for rung in series.quiet() if lower < rung.unused(now) < upper]
    if not below or upper - lower < _NEAR * upper:
        return True
    nearest = max(rung.unused(now) for rung in below)
    if upper - nearest > _NEAR * upper and len(below) < state.plan.idle and now - state.cut_at < _WAIT * upper:
        return False
    for rung in below:
        state.probe(rung, now)
    series.volley = True
    return False


def _companions(state: State, series: Series, now: float) -> bool:
    """Whether all that is kept busy has been asked, at an age at which it would be dead if age were what counts."""
    dead = [rung.lived if rung.loss else rung.age(now) for rung in series.rungs if rung.loss or rung.doubted]
    if not dead:
        return True
    waiting = [rung for rung in state.kept if rung.quiet and not rung.answered and rung.flow.leg is series.leg]
    for rung in waiting:
        if rung.age(now) >= min(dead) * _LONGER + BETWEEN:
            state.probe(rung, now)
    return not waiting


def _counterpart(state: State, series: Series, now: float) -> bool:
    """Whether it is known of the same leg how a connection fares on which the other side speaks first."""
    other = next((each for each in state.series if each.leg is series.leg and each.arm is not series.arm), None)
    upper = series.upper
    if other is None or upper is None or other.dead or other.reached >= upper or not other.quiet():
        return True
    closed = bool(series.dead) and _how(series) is How.CLOSED
    if series.arm is Arm.IDLE and not (closed and series.leg is Leg.DATABASE):
        return True  # it would tell nothing that is not known
    enough = upper + max(SLACK, BESIDE * upper)
    long_enough = [rung for rung in other.quiet() if rung.gap >= enough or other.arm is Arm.IDLE]
    if not long_enough:
        return True
    oldest = max(long_enough, key=lambda rung: rung.unused(now))
    if oldest.unused(now) < enough:
        return False
    if other.arm is Arm.IDLE:
        state.probe(oldest, now)
        return False
    other.outlived = max(other.outlived, oldest.unused(now))
    return True
