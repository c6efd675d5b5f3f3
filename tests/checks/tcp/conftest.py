"""One network for all tests of the tcp checks: each port of the bastion is treated in a way of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.net.namespaces import Lab

OPEN, DROPPED, FIREWALLED, PROHIBITED, RESET_TO_SYN, NOBODY, HOST_PROHIBITED = range(2200, 2207)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab() as network:
        network.ip(network.bastion, "addr add 203.0.113.3/24 dev eth0")
        network.ip(network.bastion, "addr add 203.0.113.4/24 dev eth0")
        network.listen("203.0.113.2", "203.0.113.3", "2001:db8:2::2", port=OPEN)
        for rule in (
            f"tcp dport {DROPPED} drop",
            f"tcp dport {FIREWALLED} meta nfproto ipv4 reject with icmp port-unreachable",
            f"tcp dport {FIREWALLED} meta nfproto ipv6 reject with icmpv6 port-unreachable",
            f"tcp dport {RESET_TO_SYN} reject with tcp reset",
            f"ip daddr 203.0.113.4 tcp dport {OPEN} drop",
        ):
            network.rule(network.bastion, rule)
        for rule in (
            f"tcp dport {PROHIBITED} meta nfproto ipv4 reject with icmp admin-prohibited",
            f"tcp dport {PROHIBITED} meta nfproto ipv6 reject with icmpv6 admin-prohibited",
            f"tcp dport {HOST_PROHIBITED} meta nfproto ipv4 reject with icmp host-prohibited",
        ):
            network.rule(network.router, rule, "forward")
        yield network
