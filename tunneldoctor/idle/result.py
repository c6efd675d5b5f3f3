"""What a ladder came to: the bounds of the cut-off, how connections die, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tunneldoctor.idle.flow import Arm, How, Leg, Loss

#: Two measurements may overlap by so many seconds, or by that share, before they contradict each other.
SLACK, SLACK_SHARE = 1.0, 0.03
#: What an end that is seen may come too late by: a share, and seconds.
_SEEN_SHARE, _SEEN = 0.01, 0.1


class Kind(StrEnum):
    """What can be said in the end."""

    CUT = "cut"  # unused connections are cut
    NONE = "none"  # none was cut as far as was looked
    NOT_IDLE = "not idle"  # connections in use go as well
    INCONSISTENT = "inconsistent"  # the same silence killed one connection and not another
    UNMEASURED = "unmeasured"  # it came to nothing; the reason is in words


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one connection after *silence* seconds unused (of a companion: after so many seconds of life)."""

    name: str
    arm: Arm
    leg: Leg
    silence: float
    loss: Loss | None

    @property
    def alive(self) -> bool:
        """It survived."""
        return self.loss is None


@dataclass(frozen=True, slots=True)
class Result:
    """The cut-off lies above ``lower`` and at ``upper`` seconds or below; None where nothing bounds it on that side.

    ``arm`` and ``leg`` are those of the connections that went, ``how`` is how; ``example`` is one of their losses.
    ``confirmed``: a second connection went like the first. ``companions`` tells which ways of keeping a connection
    busy saved it, where that was seen; ``outlived`` how many seconds of silence a connection of the same leg survived
    on which the other side speaks first. ``hop`` is the number of the hop that holds the timer, ``notes`` what else a
    reader must know, in words, ``reason`` why there is no cut-off to tell. ``age``: it is after so many seconds of life
    that each connection ends, used or not.
    """

    kind: Kind
    lower: float | None = None
    upper: float | None = None
    how: How | None = None
    arm: Arm = Arm.IDLE
    leg: Leg = Leg.BASTION
    example: Loss | None = None
    confirmed: bool = False
    companions: Mapping[Arm, bool] = field(default_factory=dict)
    outlived: Mapping[Arm, float] = field(default_factory=dict)
    fates: tuple[Fate, ...] = ()
    hop: int | None = None
    hop_name: str = ""
    notes: tuple[str, ...] = ()
    reason: str = ""
    age: float | None = None

    @property
    def estimate(self) -> float | None:
        """The middle of the bounds, in seconds; the moment itself, where the end was seen when it came."""
        if self.lower is None or self.upper is None or self.how is How.CLOSED:
            return self.upper
        return (self.lower + self.upper) / 2


def contradiction(fates: tuple[Fate, ...]) -> tuple[Fate, Fate] | None:
    """A connection that survived a longer silence than one which killed another, beyond what timers differ by."""
    alive = max((each for each in fates if each.alive), key=lambda each: each.silence, default=None)
    dead = min((each for each in fates if not each.alive), key=lambda each: each.silence, default=None)
    if alive is None or dead is None:
        return None
    allowed = max(SLACK, SLACK_SHARE * dead.silence)
    return (alive, dead) if alive.silence - dead.silence > allowed else None


def bounds(fates: tuple[Fate, ...]) -> tuple[float | None, float | None]:
    """The longest silence that was survived below the shortest that was not; where the end was seen, just before it."""
    first = min((each for each in fates if each.loss), key=lambda each: each.silence, default=None)
    upper = first.silence if first else None
    survived = [each.silence for each in fates if each.alive and (upper is None or each.silence < upper)]
    if first and first.loss and first.loss.how is How.CLOSED:
        survived.append(just_before(first.silence))
    return max(survived, default=None), upper


def just_before(seconds: float) -> float:
    """An end in the open is seen when it comes, but for the way back and the timer's grain."""
    return max(0.0, seconds * (1 - _SEEN_SHARE) - _SEEN)
