"""A walk that arrives; one that ends on the way is held in tests/checks/tcp/test_route.py."""

from __future__ import annotations

import socket

from tunneldoctor.model import Address
from tunneldoctor.net.walk import BATCHES, Router, Walk, walk


def test_a_target_that_answers_is_reached_with_the_first_batch() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = walk(Address("127.0.0.1", server.getsockname()[1]), 2.0)
    assert seen.reached
    assert seen.sent == BATCHES[0]


def test_a_refusal_is_an_answer_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert walk(Address("127.0.0.1", port), 2.0).reached


def test_at_most_twelve_requests_are_ever_sent() -> None:
    assert sum(map(len, BATCHES)) <= 12


def test_the_farthest_router_is_the_last_and_the_rest_were_silent() -> None:
    seen = Walk((Router(2, "192.0.2.1"), Router(1, "198.51.100.1")), sent=(1, 2, 3))
    assert seen.last == Router(2, "192.0.2.1")
    assert seen.silent == (3,)
