"""What single connections say together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tunneldoctor.idle.flow import Arm, How, Leg, Loss
from tunneldoctor.idle.result import SLACK, Fate, Kind, Result, bounds, contradiction

SILENCES = st.lists(st.floats(0.5, 4000.0), max_size=20)


def fate(silence: float, alive: bool) -> Fate:
    return Fate("idle", Arm.IDLE, Leg.BASTION, silence, None if alive else Loss(How.SILENT, silence))


def network(cutoff: float, silences: list[float]) -> tuple[Fate, ...]:
    return tuple(fate(each, alive=each <= cutoff) for each in silences)


@given(st.floats(1.0, 3600.0), SILENCES)
def test_the_bounds_hold_the_cutoff(cutoff: float, silences: list[float]) -> None:
    lower, upper = bounds(network(cutoff, silences))
    assert lower is None or lower <= cutoff
    assert upper is None or upper > cutoff


@given(st.floats(1.0, 3600.0), SILENCES)
def test_a_network_that_keeps_to_its_limit_does_not_contradict_itself(cutoff: float, silences: list[float]) -> None:
    assert contradiction(network(cutoff, silences)) is None


def test_a_longer_silence_that_is_survived_contradicts_a_shorter_one_that_killed() -> None:
    clash = contradiction((fate(60.0, alive=False), fate(120.0, alive=True)))
    assert clash is not None
    assert [each.silence for each in clash] == [120.0, 60.0]


def test_timers_may_differ_by_their_grain() -> None:
    assert contradiction((fate(60.0, alive=False), fate(60.0 + SLACK, alive=True))) is None


def test_an_end_that_was_seen_is_the_cutoff_itself_and_what_was_probed_lies_in_the_middle() -> None:
    assert Result(Kind.CUT, 340.0, 360.0, How.SILENT).estimate == 350.0
    assert Result(Kind.CUT, 346.0, 350.0, How.CLOSED).estimate == 350.0
