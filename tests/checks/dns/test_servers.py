"""dns.servers: name servers that agree, that differ, and that are silent, in a network namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.net.namespaces import Lab, usable
from tunneldoctor.model import Address
from tunneldoctor_checks.dns.servers import CHECK
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT

Look = Callable[..., Any]
BOTH = ["127.0.0.1", "127.0.0.2"]


@pytest.mark.parametrize("host", ["203.0.113.2", "localhost"])
def test_what_needs_no_dns_is_passed_over(run_check: Callable[..., Any], host: str) -> None:
    assert run_check(CHECK, facts={ENDPOINT: Address(host, 22), ADDRESSES: (host,)}).skipped


def test_without_addresses_there_is_nothing_to_compare(run_check: Callable[..., Any]) -> None:
    assert run_check(CHECK, facts={ENDPOINT: Address("bastion.example.com", 22)}).skipped


@pytest.mark.lab
@usable
class TestComparing:
    def servers(self, look: Look, host: str, servers: list[str], **rest: Any) -> Any:
        return look("dns.servers", host, before=["dns.resolve"], servers=servers, **rest)

    def test_a_name_of_the_hosts_file_is_passed_over_and_loads_no_dns_library(self, look: Look) -> None:
        entry = "203.0.113.9 b.example.com\n"
        seen = self.servers(look, "b.example.com", BOTH, hosts=entry, modules=["dns"])
        assert (seen["skipped"], seen["modules"]) == ("the host needs no DNS", [])

    @pytest.mark.parametrize("host", ["good.example.com", "overlaps.example.com"])
    def test_one_address_in_common_is_healthy(self, look: Look, host: str) -> None:
        seen = self.servers(look, host, BOTH)
        assert (seen["codes"], seen["skipped"]) == ([], None)

    def test_a_server_that_is_dead_or_knows_nothing_disturbs_nobody(self, look: Look) -> None:
        assert self.servers(look, "good.example.com", ["127.0.0.1", "127.0.0.3", "127.0.0.9"])["codes"] == []

    def test_two_servers_with_nothing_in_common_are_shown(self, look: Look) -> None:
        seen = self.servers(look, "differs.example.com", BOTH)
        assert seen["codes"] == ["dns.answers-differ"]
        assert seen["params"][0]["addresses"] == "203.0.113.2"
        assert seen["params"][0]["other_addresses"] == "192.0.2.99"
        assert seen["params"][0]["server"] == "127.0.0.2"

    def test_a_public_name_with_a_private_address_that_another_server_knows_better(self, look: Look) -> None:
        seen = self.servers(look, "private.example.com", BOTH)
        assert seen["codes"] == ["dns.private-address"]
        assert "127.0.0.2 answers 198.51.100.99" in seen["params"][0]["why"]

    def test_the_inside_view_is_healthy_where_a_route_leads_inside(self, look: Look, network: Lab) -> None:
        network.ip(network.client, "route add 10.20.0.0/16 via 198.51.100.1")
        try:
            assert self.servers(look, "private.example.com", BOTH)["codes"] == []
        finally:
            network.ip(network.client, "route del 10.20.0.0/16")

    def test_a_private_address_alone_is_healthy(self, look: Look) -> None:
        assert self.servers(look, "private.example.com", ["127.0.0.1"])["codes"] == []

    def test_without_any_route_to_it_a_private_address_of_a_public_name_is_told(self, look: Look, network: Lab) -> None:
        network.ip(network.client, "route add unreachable 10.20.0.0/16")
        try:
            assert self.servers(look, "private.example.com", ["127.0.0.1"])["codes"] == ["dns.private-address"]
            assert self.servers(look, "private.example.internal", ["127.0.0.1"])["codes"] == []
        finally:
            network.ip(network.client, "route del unreachable 10.20.0.0/16")
