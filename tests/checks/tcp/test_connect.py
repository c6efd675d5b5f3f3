"""tcp.connect against real firewalls in network namespaces, and on loopback for what needs none."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.checks.doubles import codes
from tests.checks.tcp.conftest import (
    DROPPED,
    FIREWALLED,
    HOST_PROHIBITED,
    NOBODY,
    OPEN,
    PROHIBITED,
    RESET_TO_SYN,
)
from tests.net.namespaces import Lab, usable
from tunneldoctor.model import Address
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT, STREAM
from tunneldoctor_checks.tcp.connect import CHECK

V4, V6 = "203.0.113.2", "2001:db8:2::2"


def connect(lab: Lab, port: int, *addresses: str, seconds: float = 3.0) -> Any:
    return lab.probe(
        "tests/checks/driver.py",
        check="tcp.connect",
        host="bastion.example.com",
        port=port,
        addresses=addresses or [V4],
        seconds=seconds,
    )


def test_an_open_port_gives_the_stream_its_address_and_one_round_trip(run_check: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        facts = {ENDPOINT: Address("127.0.0.1", port), ADDRESSES: ("127.0.0.1",)}
        outcome = run_check(CHECK, facts=facts)
        assert outcome.findings == ()
        assert outcome.measured["bastion.address"] == "127.0.0.1"
        assert outcome.measured["bastion.latency_ms"] >= 0
        assert outcome.facts[STREAM].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert outcome.facts[STREAM].gettimeout() is None


def test_a_port_where_nobody_listens_is_refused_by_the_host_itself(run_check: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    outcome = run_check(CHECK, facts={ENDPOINT: Address("127.0.0.1", port), ADDRESSES: ("127.0.0.1",)})
    assert codes(outcome) == ["tcp.refused"]
    assert outcome.findings[0].params["address"] == f"127.0.0.1:{port}"
    assert "no ICMP message" in outcome.findings[0].evidence[0].text


def test_the_second_address_is_taken_when_the_first_refuses(run_check: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.3", 0)) as server:
        port = server.getsockname()[1]
        facts = {ENDPOINT: Address("bastion.example.com", port), ADDRESSES: ("127.0.0.2", "127.0.0.3")}
        outcome = run_check(CHECK, facts=facts)
    assert outcome.findings == ()
    assert outcome.measured["bastion.address"] == "127.0.0.3"


def test_without_time_left_nothing_is_claimed(run_check: Callable[..., Any]) -> None:
    facts = {ENDPOINT: Address("127.0.0.1", 22), ADDRESSES: ("127.0.0.1",)}
    outcome = run_check(CHECK, facts=facts, seconds=0.0)
    assert outcome.findings == ()
    assert outcome.unknown


@pytest.mark.parametrize("host", ["fe80::1", "fe80::1%no-such-interface"])
def test_a_link_local_address_without_its_interface_is_no_route(run_check: Callable[..., Any], host: str) -> None:
    outcome = run_check(CHECK, facts={ENDPOINT: Address(host, 22), ADDRESSES: (host,)})
    assert codes(outcome) == ["tcp.no-route"]


@pytest.mark.lab
@usable
class TestBehindFirewalls:
    def test_an_ipv6_address_is_connected_to(self, lab: Lab) -> None:
        assert connect(lab, OPEN, V6)["measured"]["bastion.address"] == V6

    def test_silence_is_a_timeout_and_at_half_time_others_are_told(self, lab: Lab) -> None:
        seen = connect(lab, DROPPED, seconds=1.5)
        assert seen["codes"] == ["tcp.timeout"]
        assert seen["given"] == ["connect trouble"]
        assert "nothing came back" in seen["evidence"][0]

    @pytest.mark.parametrize(
        ("address", "icmp"), [(V4, "ICMP type 3 code 3"), (V6, "ICMPv6 type 1 code 4")], ids=["IPv4", "IPv6"]
    )
    def test_a_refusal_made_by_icmp_is_the_firewalls(self, lab: Lab, address: str, icmp: str) -> None:
        seen = connect(lab, FIREWALLED, address)
        assert seen["codes"] == ["tcp.refused-by-firewall"]
        assert seen["params"][0]["sender"] == address
        assert f"{icmp} (port unreachable) from {address}" in seen["evidence"][0]

    def test_a_refusal_by_reset_can_only_be_told_as_the_hosts(self, lab: Lab) -> None:
        assert connect(lab, RESET_TO_SYN)["codes"] == ["tcp.refused"]
        assert connect(lab, NOBODY)["codes"] == ["tcp.refused"]

    @pytest.mark.parametrize(
        ("port", "address", "icmp", "sender"),
        [
            (PROHIBITED, V4, "ICMP type 3 code 13", "198.51.100.1"),
            (HOST_PROHIBITED, V4, "ICMP type 3 code 10", "198.51.100.1"),
            (PROHIBITED, V6, "ICMPv6 type 1 code 1", "2001:db8:1::1"),
        ],
    )
    def test_a_prohibition_names_the_router_that_made_it(
        self, lab: Lab, port: int, address: str, icmp: str, sender: str
    ) -> None:
        seen = connect(lab, port, address)
        assert seen["codes"] == ["tcp.prohibited"]
        assert seen["params"][0]["sender"] == sender
        assert icmp in seen["evidence"][0]

    def test_a_network_that_no_router_knows_is_no_route(self, lab: Lab) -> None:
        seen = connect(lab, OPEN, "192.0.2.77")
        assert seen["codes"] == ["tcp.no-route"]
        assert seen["params"][0]["sender"] == "198.51.100.1"
        assert "network unreachable" in seen["evidence"][0]

    def test_a_dead_first_address_is_passed_over(self, lab: Lab) -> None:
        seen = connect(lab, OPEN, "203.0.113.4", V4)
        assert seen["codes"] == []
        assert seen["measured"]["bastion.address"] == V4

    def test_addresses_that_fail_differently_are_told_apart_nearest_first(self, lab: Lab) -> None:
        lab.rule(lab.bastion, f"ip daddr 203.0.113.3 tcp dport {NOBODY} drop")
        seen = connect(lab, NOBODY, "203.0.113.3", V4, seconds=1.0)
        assert seen["codes"] == ["tcp.refused", "tcp.timeout"]
        assert [params["ip"] for params in seen["params"]] == [V4, "203.0.113.3"]

    def test_an_address_family_that_this_machine_lacks_hides_nothing(self, lab: Lab) -> None:
        seen = connect(lab, NOBODY, "fe80::1", V4)
        assert seen["codes"] == ["tcp.refused"]
