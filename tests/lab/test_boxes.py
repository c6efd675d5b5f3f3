"""The boxes that scenarios put on the way do to an unused connection what their names say: seen by bare sockets.

Each connection is left alone for longer than the box remembers it; then one end speaks. A scenario that names the wrong
cause can't be excused by its box then.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from fixtures.lab import network
from fixtures.lab.pairs import FIRST_LEG, SECOND_LEG, pairs
from fixtures.lab.session import why_not
from fixtures.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.lab.network import Network
    from fixtures.scenario import NetworkSide

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(why_not(needs_root=True) is not None, reason=str(why_not(needs_root=True))),
]

FORGETFUL = [
    # name of the scenario, leg, what becomes of a word of the client's, and of the server's
    ("router-forgets", FIRST_LEG, "silent", "silent"),
    ("router-forgets-with-reset", FIRST_LEG, "reset", "silent"),
    ("router-takes-up-again", FIRST_LEG, "alive", "silent"),
    ("router-gives-another-port", FIRST_LEG, "reset", "silent"),
    ("database-network-forgets", SECOND_LEG, "silent", "silent"),
    ("database-network-forgets-with-reset", SECOND_LEG, "reset", "silent"),
]


@contextlib.contextmanager
def box(name: str) -> Iterator[tuple[Network, NetworkSide]]:
    """The network of the scenario ``idle-NAME``, with nothing else in it."""
    side = next(scenario.network for scenario in load() if scenario.name == f"idle-{name}")
    machines = network.make_network()
    try:
        machines.break_as(side)
        yield machines, side
    finally:
        machines.remove()


@pytest.mark.parametrize(("name", "leg", "of_client", "of_server"), FORGETFUL, ids=[each[0] for each in FORGETFUL])
def test_a_box_forgets_an_unused_connection_as_its_name_says(
    name: str, leg: tuple[str, str, str], of_client: str, of_server: str
) -> None:
    with box(name) as (machines, side), pairs(machines, leg, 3) as (used, speaks, hears):
        assert used.rest(side.forget_after - 0.5)
        assert used.say(used.client, used.server) == "alive"
        assert speaks.rest(1)
        assert hears.say(hears.server, hears.client) == of_server
        assert speaks.say(speaks.client, speaks.server) == of_client


def test_losing_one_packet_in_a_hundred_ends_no_connection() -> None:
    with box("lossy-network") as (machines, _), pairs(machines, FIRST_LEG, 1) as (pair,):
        for _ in range(300):
            pair.exchange()


def test_where_age_counts_a_connection_in_use_ends_like_one_that_rests() -> None:
    with box("old-connections-end") as (machines, _), pairs(machines, FIRST_LEG, 2) as (busy, unused):
        with pytest.raises(ConnectionError, match="reset"):
            while unused.rest(0.2):
                busy.exchange()
        assert unused.say(unused.client, unused.server) == "reset"
        with pairs(machines, FIRST_LEG, 1) as (young,):
            assert young.say(young.client, young.server) == "alive"


def test_a_router_whose_link_was_down_knows_no_connection_any_more() -> None:
    with box("router-restarts") as (machines, side), pairs(machines, FIRST_LEG, 1) as (pair,):
        for _, machine, *argv in map(str.split, side.later):
            machines.run(machine, argv)
        assert pair.say(pair.client, pair.server) == "silent"
