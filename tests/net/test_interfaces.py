"""The way a packet would take; VPNs and routes of their own are held in tests/checks/tcp/test_route.py."""

from __future__ import annotations

import pytest

from tunneldoctor.net.interfaces import is_led_to, way_to


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9"])
def test_loopback_is_reached_over_its_own_interface(address: str) -> None:
    way = way_to(address)
    assert way is not None
    assert way.source.startswith("127.")
    assert not way.only_default
    assert is_led_to(address)


def test_a_name_has_no_way() -> None:
    assert way_to("bastion.example.com") is None
    assert not is_led_to("bastion.example.com")
