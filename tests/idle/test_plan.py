"""Which silences are tried, and how long that takes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunneldoctor.idle.plan import BESIDE, KNOWN, POLITE, plan, seconds_at_most

UP_TO = st.floats(2.0, 86400.0)
CONNECTIONS = st.integers(2, 32)


@given(UP_TO, CONNECTIONS, st.booleans())
def test_no_more_connections_than_asked_for_on_either_server(up_to: float, number: int, database: bool) -> None:
    planned = plan(up_to, number, with_database=database)
    kept_alive = number - planned.idle - planned.server_first
    assert planned.idle >= 1
    assert kept_alive >= 1
    assert len(planned.first(planned.idle)) <= planned.idle
    in_use = 1
    assert planned.server_first + sum(planned.behind) + in_use <= number


@given(UP_TO, CONNECTIONS)
def test_silences_ascend_and_the_longest_is_just_above_what_is_looked_for(up_to: float, number: int) -> None:
    planned = plan(up_to, number)
    assert list(planned.rungs) == sorted(set(planned.rungs))
    assert up_to < planned.rungs[-1] <= up_to * 1.05
    assert set(planned.first(planned.idle)) <= set(planned.rungs)


@given(UP_TO, st.integers(4, 32))
def test_the_longest_silence_is_among_the_first(up_to: float, number: int) -> None:
    planned = plan(up_to, number)
    assert planned.first(planned.idle)[-1] == planned.rungs[-1]


def test_each_known_time_has_a_silence_just_below_and_one_just_above_it() -> None:
    rungs = plan(7200).rungs
    for known in KNOWN:
        assert any(abs(gap - known * (1 - BESIDE)) < 1e-6 for gap in rungs)
        assert any(abs(gap - known * (1 + BESIDE)) < 1e-6 for gap in rungs)


@pytest.mark.parametrize("usual", [240, 350, 600, 3600])
def test_a_usual_cutoff_is_found_in_little_more_than_its_own_time(usual: int) -> None:
    assert plan(3600).time_for(usual) <= 1.15 * (usual + 8)


def test_a_short_search_is_evenly_spread() -> None:
    rungs = plan(25).rungs
    steps = [above / below for below, above in itertools.pairwise(rungs)]
    assert max(steps) <= 1.16
    assert max(steps) / min(steps) < 1.01


def test_a_single_idle_connection_begins_with_a_short_silence() -> None:
    assert plan(3600, 3).first(1)[0] < 100


@given(UP_TO, CONNECTIONS)
def test_the_deadline_leaves_time_for_all_that_may_come(up_to: float, number: int) -> None:
    planned = plan(up_to, number)
    assert planned.at_most > planned.rungs[-1]
    assert seconds_at_most(up_to, number, precise=False) > planned.at_most
    assert seconds_at_most(up_to, number, precise=True) > planned.at_most + 2 * planned.rungs[-1]


def test_a_small_bastion_is_spared_by_default() -> None:
    assert plan(3600).connections == POLITE == 8
