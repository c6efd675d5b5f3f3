"""Which silence a connection tries next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tunneldoctor.idle.plan import plan
from tunneldoctor.idle.series import next_gap

PLANNED = plan(3600).rungs


def test_a_survivor_tries_what_would_tell_sooner_than_the_long_silence_that_is_under_way() -> None:
    gap = next_gap(PLANNED, [(3708.0, 3708.0)], reached=62.0, now=62.0, number=6)
    assert 62 < gap < 3708 - 62


def test_nothing_is_tried_twice_at_a_time() -> None:
    waiting = [(618.0, 618.0), (3708.0, 3708.0)]
    first = next_gap(PLANNED, waiting, reached=62.0, now=62.0, number=6)
    assert next_gap(PLANNED, [*waiting, (first, 62.0 + first)], 124.0, 124.0, 6) != first


def test_where_no_other_connection_is_left_the_silences_are_tried_one_after_the_other() -> None:
    tried = [next_gap(PLANNED, [], 0.0, 0.0, 6)]
    while tried[-1] < PLANNED[-1]:
        tried.append(next_gap(PLANNED, [], tried[-1], sum(tried), 6))
    assert tried == sorted(set(tried))
    assert 4 <= len(tried) <= 6


@given(
    st.lists(st.sampled_from(PLANNED), max_size=6, unique=True),
    st.floats(0.0, 3600.0),
    st.floats(0.0, 3600.0),
    st.integers(1, 30),
)
def test_the_next_silence_is_longer_than_what_is_known_already(
    gaps: list[float], reached: float, now: float, number: int
) -> None:
    gap = next_gap(PLANNED, [(each, now + each / 2) for each in gaps], reached, now, number)
    assert gap in PLANNED
    assert gap > reached
