"""From the first dead connection to an answer that is worth telling: the others are looked at before it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.idle.flow import Arm, How, Leg
from tunneldoctor.idle.plan import BESIDE, BETWEEN
from tunneldoctor.idle.result import SLACK, Kind, Result, bounds, contradiction

if TYPE_CHECKING:
    from tunneldoctor.idle.ladder import Ladder
    from tunneldoctor.idle.series import Rung, Series

#: For a better lower bound one waits so much longer at most, as a share of the upper bound.
_WAIT = 0.15
#: A lower bound that near to the upper one is good enough, likewise.
_NEAR = 0.05
#: Companions must have lived so much longer than what died.
_LONGER = 1.03
#: Connections that end within so many seconds of each other ended at the same moment; with so many between their ages
#: they ended at the same age, by a timer that counts whole seconds.
_TOGETHER, _ONE_AGE = 0.4, 1.3


def settled(ladder: Ladder, now: float) -> Result | None:
    """The result, once all that can be asked about the cut has been; None until then, or where nothing is cut."""
    if control := _lost_control(ladder):
        return _farewell(ladder, control, now)
    series = ladder.cut
    if series is None:
        return None
    asked = [each(ladder, series, now) for each in (_second, _below, _companions, _counterpart)]
    if any(rung.probing for rung in ladder.everybody) or not all(asked) or not series.dead:
        return None
    return verdict(ladder, series)


def verdict(ladder: Ladder, series: Series) -> Result:
    """What the connections of *series*, of which at least one is dead, say together."""
    how = _how(series)
    kept = next((rung for rung in ladder.companions if rung.flow.arm is Arm.SSH_KEEPALIVE), None)
    if kept and kept.loss and (age := _same_age(ladder)) is not None:
        return ladder.result(Kind.CUT, _by_age(age), how, age)
    if clash := contradiction(tuple(series.fates)):
        alive, dead = clash
        return ladder.result(
            Kind.INCONSISTENT,
            f"one connection died after {dead.silence:.0f} s and another lived after {alive.silence:.0f} s: "
            "several ways that differ, packet loss, or a limit that is none on idleness",
            how,
        )
    return ladder.result(Kind.CUT, "", how)


def _how(series: Series) -> How:
    first = min(series.dead, key=lambda each: each.silence)
    assert first.loss is not None
    return first.loss.how


def _second(ladder: Ladder, series: Series, now: float) -> bool:
    """Whether a second connection was, or can't be, asked about the upper bound."""
    upper, quiet = series.upper, series.quiet()
    if upper is None or series.second or len(series.dead) > 1 or series.arm is not Arm.IDLE or not quiet:
        return True
    oldest = max(quiet, key=lambda rung: rung.unused(now))
    if not series.dead or _how(series) is not How.CLOSED:
        past = [rung for rung in quiet if rung.unused(now) >= upper]
        if past:
            ladder.probe(min(past, key=lambda rung: rung.unused(now)), now)
            series.second = True
        return True
    # one that ends in the open does so by itself: the next to reach that age ends too, or proves us wrong
    enough = upper + max(SLACK, BESIDE * upper)
    if oldest.unused(now) >= enough:
        ladder.probe(oldest, now)
        return True
    return enough - oldest.unused(now) > _WAIT * upper + ladder.plan.idle * BETWEEN + SLACK


def _below(ladder: Ladder, series: Series, now: float) -> bool:
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
    if upper - nearest > _NEAR * upper and len(below) < ladder.plan.idle and now - ladder.cut_at < _WAIT * upper:
        return False
    for rung in below:
        ladder.probe(rung, now)
    series.volley = True
    return False


def _companions(ladder: Ladder, series: Series, now: float) -> bool:
    """Whether all that is kept busy has been asked, at an age at which it would be dead if age were what counts."""
    dead = [rung.lived if rung.loss else rung.age(now) for rung in series.rungs if rung.loss or rung.doubted]
    if not dead:
        return True
    waiting = [rung for rung in _kept(ladder) if rung.quiet and not rung.answered and rung.flow.leg is series.leg]
    for rung in waiting:
        if rung.age(now) >= min(dead) * _LONGER + BETWEEN:
            ladder.probe(rung, now)
    return not waiting


def _kept(ladder: Ladder) -> list[Rung]:
    return [*ladder.companions, *([ladder.witness] if ladder.witness else [])]


def _counterpart(ladder: Ladder, series: Series, now: float) -> bool:
    """Whether it is known of the same leg how a connection fares on which the other side speaks first."""
    other = next((each for each in ladder.series if each.leg is series.leg and each.arm is not series.arm), None)
    upper = series.upper
    if other is None or upper is None or other.dead or other.reached >= upper or not other.quiet():
        return True
    closed = bool(series.dead) and _how(series) is How.CLOSED
    if series.arm is Arm.IDLE and not (closed and series.leg is Leg.DATABASE):
        return True  # it would tell nothing that is not known
    oldest = max(other.quiet(), key=lambda rung: rung.unused(now))
    if oldest.unused(now) < upper + max(SLACK, BESIDE * upper):
        return False
    if other.arm is Arm.IDLE:
        ladder.probe(oldest, now)
        return False
    other.outlived = max(other.outlived, oldest.unused(now))
    return True


def _lost_control(ladder: Ladder) -> Rung | None:
    """A connection that went though it was in use."""
    return next((rung for rung in _kept(ladder) if rung.flow.arm in (Arm.BUSY, Arm.WITNESS) and rung.loss), None)


def _farewell(ladder: Ladder, control: Rung, now: float) -> Result | None:
    """Whatever ended *control*, it was not that it was unused. The others are asked once they are as old."""
    waiting = [rung for rung in ladder.everybody if rung.quiet and rung not in ladder.asked_last]
    for rung in waiting:
        if rung.age(now) >= control.lived + SLACK:
            ladder.asked_last.add(rung)
            ladder.probe(rung, now)
    if waiting or any(rung.probing for rung in ladder.everybody):
        return None
    age = _same_age(ladder)
    how = control.loss.how if control.loss else None
    return ladder.result(Kind.NOT_IDLE, _in_words(ladder, control.lived, age), how, age)


def _ended(ladder: Ladder) -> list[Rung]:
    own = [rung for rung in ladder.everybody if rung is not ladder.witness]
    return [rung for rung in own if rung.loss and rung.loss.how is How.CLOSED]


def _same_age(ladder: Ladder) -> float | None:
    """The age in seconds at which each connection ended, used or not; None where it was not one age for all.

    The one that was there before is not among them: with its forward open it may be of another kind.
    """
    ended = _ended(ladder)
    ages, moments = [rung.lived for rung in ended], [rung.ended_at for rung in ended]
    if len(ended) < 2 or max(moments) - min(moments) < _TOGETHER:
        return None
    return sum(ages) / len(ages) if max(ages) - min(ages) < _ONE_AGE else None


def _by_age(age: float) -> str:
    return f"each connection ended {age:.0f} s after it was opened, used or not"


def _in_words(ladder: Ladder, lived: float, age: float | None) -> str:
    if age is not None:
        return _by_age(age)
    moments = [rung.ended_at for rung in _ended(ladder)]
    if len(moments) > 1 and max(moments) - min(moments) < _TOGETHER:
        return f"all connections ended at the same moment, those in use too, after {lived:.0f} s"
    alive = sum(rung.loss is None for rung in ladder.everybody if rung.opened is not None)
    if alive:
        return f"a connection in use went after {lived:.0f} s, and {alive} others lived on"
    return f"after {lived:.0f} s every connection had gone, those in use too"
