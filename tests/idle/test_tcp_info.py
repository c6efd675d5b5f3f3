"""What the kernel knows of a connection."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from tunneldoctor.idle.clocks import Clocks
from tunneldoctor.idle.tcp_info import keep_alive, limit_hops, tcp_info

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="struct tcp_info is Linux's")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname(), 5)
        other, _ = server.accept()
        with client, other:
            yield client, other


def test_a_connection_in_order_has_no_retransmissions(pair: tuple[socket.socket, socket.socket]) -> None:
    client, other = pair
    client.sendall(b"question")
    assert other.recv(100) == b"question"
    info = tcp_info(client)
    assert info is not None
    assert (info.backoff, info.retransmits) == (0, 0)
    assert 0 < info.round_trip < 1
    assert info.silence < 5


def test_a_closed_socket_tells_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].close()
    assert tcp_info(pair[0]) is None
    assert tcp_info(None) is None


def test_keepalives_are_the_kernels_and_never_end_the_connection_themselves(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    client = pair[0]
    assert keep_alive(client, 20.0, ttl=3)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 20
    assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 127
    assert client.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 3
    assert limit_hops(client, 64)
    assert client.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 64


def test_a_machine_that_was_awake_did_not_sleep() -> None:
    assert Clocks().slept() == 0.0
