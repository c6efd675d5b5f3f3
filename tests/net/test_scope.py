"""Kinds of addresses."""

from __future__ import annotations

import pytest

from tunneldoctor.net.scope import is_loopback, is_private, is_unspecified, literal, same_site
from tunneldoctor.net.sinkholes import why_not_real


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "172.31.255.1", "192.168.1.1", "100.100.1.1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_private_networks(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["203.0.113.2", "172.32.0.1", "100.128.0.1", "2001:db8::1", "127.0.0.1", "a-name"])
def test_addresses_that_are_not_private(address: str) -> None:
    assert not is_private(address)


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001"])
def test_an_old_form_of_an_address_is_that_address(host: str) -> None:
    assert literal(host) == "127.0.0.1"


@pytest.mark.parametrize("host", ["127.0.0.1.", "1.2.3.4.5", "256.1", "abc", "0xg", "1.2.3.4 x", "", "10.example"])
def test_what_only_looks_like_an_address_is_a_name(host: str) -> None:
    assert literal(host) is None


def test_unspecified_and_loopback() -> None:
    assert is_unspecified("0.0.0.0")
    assert is_unspecified("::")
    assert is_loopback("127.8.9.1")
    assert is_loopback("::1")


def test_neighbours_of_one_site() -> None:
    assert same_site("10.1.2.3", "10.1.200.9")
    assert not same_site("10.1.2.3", "10.2.2.3")
    assert not same_site("10.1.2.3", "fd00::1")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("0.0.0.0", "no host"),
        ("::", "no host"),
        ("127.0.0.1", "this machine"),
        ("127.0.53.53", "ICANN"),
        ("146.112.61.106", "Umbrella"),
        ("208.91.112.55", "FortiGate"),
    ],
)
def test_addresses_that_lead_nowhere_say_why(address: str, says: str) -> None:
    assert says in (why_not_real(address, loopback_is_fine=False) or "")


def test_loopback_that_is_meant_is_fine() -> None:
    assert why_not_real("127.0.0.1", loopback_is_fine=True) is None
    assert why_not_real("203.0.113.2", loopback_is_fine=False) is None
