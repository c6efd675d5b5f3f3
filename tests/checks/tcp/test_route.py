"""tcp.route: the way chosen, and the last router, in network namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.tcp.conftest import DROPPED, NOBODY
from tests.net.namespaces import Lab, usable

pytestmark = [pytest.mark.lab, usable]


def route(lab: Lab, address: str, port: int = DROPPED, seconds: float = 4.0) -> Any:
    """tcp.connect first, with a second of time, so that its trouble is there."""
    return lab.probe(
        "tests/checks/driver.py",
        check="tcp.route",
        before=["tcp.connect"],
        host="bastion.example.com",
        port=port,
        addresses=[address],
        seconds=seconds,
    )


def test_the_last_router_that_answers_is_named(lab: Lab) -> None:
    seen = route(lab, "203.0.113.2", seconds=2.0)
    assert seen["codes"] == ["tcp.path-ends-at"]
    assert seen["params"][0]["router"] == "198.51.100.1"
    assert seen["params"][0]["hops"] == 1
    assert seen["spent"] == [["bare", "bastion"]]


def test_ipv6_routers_are_named_too(lab: Lab) -> None:
    assert route(lab, "2001:db8:2::2", seconds=2.0)["params"][0]["router"] == "2001:db8:1::1"


def test_a_refusal_is_not_followed(lab: Lab) -> None:
    seen = route(lab, "203.0.113.2", NOBODY)
    assert (seen["codes"], seen["spent"]) == ([], [])


def test_a_private_address_behind_the_default_route_alone_lacks_its_vpn(lab: Lab) -> None:
    seen = route(lab, "10.20.30.40")
    assert seen["codes"] == ["tcp.vpn-missing"]
    assert seen["params"][0] == {"address": "10.20.30.40", "interface": "eth0", "source": "198.51.100.2"}


def test_a_private_address_with_a_route_of_its_own_does_not(lab: Lab) -> None:
    lab.ip(lab.client, "route add 10.99.0.0/16 via 198.51.100.1")
    assert route(lab, "10.99.0.7")["codes"] == []


def test_a_vpn_interface_leads_there(lab: Lab) -> None:
    lab.ip(lab.client, "tuntap add td-tun0 mode tun")
    lab.ip(lab.client, "addr add 192.0.2.9/32 dev td-tun0")
    lab.ip(lab.client, "link set td-tun0 up")
    lab.ip(lab.client, "route add 172.20.0.0/16 dev td-tun0")
    assert "tcp.vpn-missing" not in route(lab, "172.20.0.7", seconds=1.0)["codes"]
    lab.ip(lab.client, "link del td-tun0")
