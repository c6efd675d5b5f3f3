"""Racing addresses on loopback. A full accept queue is the silence: Linux drops further SYNs (listen(2))."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tunneldoctor.net.attempt import Result
from tunneldoctor.net.connect import Connected, ConnectFailure, Trouble, connect_each, connect_first


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of 127.0.0.2 where nothing comes back."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.2", 0), backlog=0))
        port: int = server.getsockname()[1]
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.2", port))
        yield port


def test_silence_is_a_timeout_and_half_time_is_told_once(silent: int) -> None:
    told: list[Trouble] = []
    result = connect_first(["127.0.0.2"], silent, 0.6, slow_after=0.2, on_slow=told.append)
    assert isinstance(result, ConnectFailure)
    assert [attempt.result for attempt in result.attempts] == [Result.TIMEOUT]
    assert told == [Trouble(slow=True)]


def test_half_time_hands_on_what_was_decided_by_then(silent: int) -> None:
    told: list[Trouble] = []
    connect_first(["127.0.0.3", "127.0.0.2"], silent, 0.5, slow_after=0.2, on_slow=told.append)
    assert [attempt.result for attempt in told[0].attempts] == [Result.REFUSED]


def test_a_silent_first_address_is_overtaken_by_the_second(silent: int) -> None:
    with socket.create_server(("127.0.0.3", silent)):
        result = connect_first(["127.0.0.2", "127.0.0.3"], silent, 5.0)
        assert isinstance(result, Connected)
        with result.socket:
            assert result.attempt.target.host == "127.0.0.3"


def test_a_cancelled_run_stops_the_race(silent: int) -> None:
    cancelled = threading.Event()
    cancelled.set()
    assert isinstance(connect_first(["127.0.0.2"], silent, 60.0, cancelled=cancelled), ConnectFailure)


def test_every_address_is_tried_once_and_closed_again(silent: int) -> None:
    with socket.create_server(("127.0.0.3", silent)) as server:
        attempts = connect_each(["127.0.0.2", "127.0.0.3", "127.0.0.4"], silent, 0.5)
        assert [attempt.result for attempt in attempts] == [Result.TIMEOUT, Result.CONNECTED, Result.REFUSED]
        client, _ = server.accept()
        with client:
            assert client.recv(1) == b""
