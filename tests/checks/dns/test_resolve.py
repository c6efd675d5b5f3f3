"""dns.resolve with the system's real resolver, asking scripted name servers in a network namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.checks.doubles import codes
from tests.net.namespaces import usable
from tunneldoctor.model import Address
from tunneldoctor_checks.dns.resolve import CHECK
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT

Look = Callable[..., Any]


@pytest.mark.parametrize("host", ["203.0.113.2", "2001:db8::2", "127.0.0.1", "::1", "fe80::1%eth0"])
def test_an_address_is_handed_on_as_it_is(run_check: Callable[..., Any], host: str) -> None:
    outcome = run_check(CHECK, facts={ENDPOINT: Address(host, 22)})
    assert (codes(outcome), outcome.facts) == ([], {ADDRESSES: (host,)})


@pytest.mark.parametrize("host", ["127.1", "0x7f.0.0.1"])
def test_a_short_form_of_an_address_is_the_address(run_check: Callable[..., Any], host: str) -> None:
    outcome = run_check(CHECK, facts={ENDPOINT: Address(host, 22)})
    assert (codes(outcome), outcome.facts) == ([], {ADDRESSES: ("127.0.0.1",)})


def test_localhost_is_this_machine_and_healthy(run_check: Callable[..., Any]) -> None:
    outcome = run_check(CHECK, facts={ENDPOINT: Address("localhost", 22)})
    assert codes(outcome) == []
    assert "127.0.0.1" in outcome.facts[ADDRESSES]


@pytest.mark.parametrize("host", ["a" * 64 + ".example.com", "bastion..example.com", "bastion.example.com/"])
def test_a_name_that_cannot_exist_is_told_without_asking_anybody(run_check: Callable[..., Any], host: str) -> None:
    outcome = run_check(CHECK, facts={ENDPOINT: Address(host, 22)})
    assert codes(outcome) == ["dns.nxdomain"]
    assert "no name server was asked" in outcome.findings[0].evidence[0].text


def test_the_unspecified_address_is_no_place_to_go_to(run_check: Callable[..., Any]) -> None:
    outcome = run_check(CHECK, facts={ENDPOINT: Address("0.0.0.0", 22)})
    assert (codes(outcome), outcome.facts) == (["dns.unspecified-address"], {})


@pytest.mark.lab
@usable
class TestNames:
    def test_a_healthy_name_gives_its_addresses_and_loads_no_dns_library(self, look: Look) -> None:
        seen = look("dns.resolve", "good.example.com", modules=["dns"])
        assert (seen["codes"], seen["facts"], seen["modules"]) == ([], {"addresses": ["203.0.113.2"]}, [])

    def test_a_name_of_the_hosts_file_needs_no_name_server(self, look: Look) -> None:
        seen = look(
            "dns.resolve", "b.example.com", hosts="203.0.113.9 b.example.com\n", servers=["127.0.0.9"], modules=["dns"]
        )
        assert (seen["codes"], seen["facts"], seen["modules"]) == ([], {"addresses": ["203.0.113.9"]}, [])

    def test_an_alias_is_healthy(self, look: Look) -> None:
        seen = look("dns.resolve", "alias.example.com")
        assert seen["facts"] == {"addresses": ["203.0.113.2"], "canonical name": "lb.example.net"}

    @pytest.mark.parametrize("host", ["over-tcp.example.com", "half-failing.example.com", "printer.local"])
    def test_a_name_that_resolves_all_the_same_is_healthy(self, look: Look, host: str) -> None:
        seen = look("dns.resolve", host)
        assert (seen["codes"], seen["facts"]) == ([], {"addresses": ["203.0.113.2"]})

    def test_of_a_thousand_addresses_the_first_sixteen_are_enough(self, look: Look) -> None:
        seen = look("dns.resolve", "many.example.com")
        assert (seen["codes"], len(seen["facts"]["addresses"])) == ([], 16)

    def test_what_a_server_sends_that_is_no_answer_is_told(self, look: Look) -> None:
        assert "it answers another question" in str(look("dns.resolve", "other-id.example.com")["evidence"])

    def test_a_system_that_asks_no_name_server_is_told_with_the_line_that_says_so(self, look: Look) -> None:
        seen = look("dns.resolve", "good.example.com", switch="passwd: files\nhosts: files mymachines\n")
        assert seen["codes"] == ["dns.unclassified"]
        assert "/etc/nsswitch.conf: hosts: files mymachines" in seen["evidence"]

    def test_a_search_domain_completes_a_short_name(self, look: Look) -> None:
        seen = look("dns.resolve", "bastion", options="search corp.example")
        assert seen["facts"]["addresses"] == ["203.0.113.2"]

    @pytest.mark.parametrize(
        ("host", "code"),
        [
            ("unknown.example.com", "dns.nxdomain"),
            ("text-only.example.com", "dns.no-address"),
            ("servfail.example.com", "dns.servfail"),
            ("refused.example.com", "dns.refused"),
            ("silent.example.com", "dns.timeout"),
            ("gone.example.com", "dns.dangling-alias"),
            ("empty-alias.example.com", "dns.dangling-alias"),
            ("chain.example.com", "dns.dangling-alias"),
            ("garbage.example.com", "dns.unclassified"),
            ("other-id.example.com", "dns.unclassified"),
            ("notimp.example.com", "dns.unclassified"),
            ("only-udp.example.com", "dns.tcp-blocked"),
        ],
    )
    def test_what_the_name_server_says_is_the_code(self, look: Look, host: str, code: str) -> None:
        seen = look("dns.resolve", host)
        assert seen["codes"] == [code]
        assert seen["params"][0]["server"] == "127.0.0.1"
        assert seen["facts"] == {}
        assert any(line.startswith("getaddrinfo: ") for line in seen["evidence"])

    def test_the_dead_end_of_an_alias_is_named(self, look: Look) -> None:
        assert look("dns.resolve", "gone.example.com")["params"][0]["alias"] == "deleted.elb.example.net"

    def test_a_name_server_that_is_not_there_is_unreachable(self, look: Look) -> None:
        seen = look("dns.resolve", "good.example.com", servers=["127.0.0.9"])
        assert seen["codes"] == ["dns.resolver-unreachable"]
        assert seen["params"][0]["server"] == "127.0.0.9"

    def test_a_resolver_slower_than_the_deadline_is_a_timeout_within_it(self, look: Look) -> None:
        seen = look("dns.resolve", "silent.example.com", options="options timeout:10", seconds=1.5)
        assert seen["codes"] == ["dns.timeout"]

    def test_a_second_server_saves_a_dead_first_one(self, look: Look) -> None:
        seen = look("dns.resolve", "good.example.com", servers=["127.0.0.9", "127.0.0.1"])
        assert (seen["codes"], seen["facts"]) == ([], {"addresses": ["203.0.113.2"]})

    @pytest.mark.parametrize("host", ["zero.example.com", "loop.example.com", "blocked.example.com"])
    def test_an_address_that_leads_nowhere_is_found_and_not_handed_on(self, look: Look, host: str) -> None:
        seen = look("dns.resolve", host)
        assert (seen["codes"], seen["severities"], seen["facts"]) == (["dns.unspecified-address"], [None], {})

    def test_beside_a_good_address_it_is_a_warning(self, look: Look) -> None:
        seen = look("dns.resolve", "half.example.com")
        assert (seen["severities"], seen["facts"]) == (["warning"], {"addresses": ["203.0.113.2"]})

    def test_loopback_in_the_hosts_file_is_meant(self, look: Look) -> None:
        seen = look("dns.resolve", "b.example.com", hosts="127.0.0.1 b.example.com\n")
        assert (seen["codes"], seen["facts"]) == ([], {"addresses": ["127.0.0.1"]})
