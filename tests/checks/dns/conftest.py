"""One network with scripted name servers for all tests of the dns checks; the system's own resolver asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.net.namespaces import Lab

_BOTH = ("A", "AAAA")
MAIN = {
    "good.example.com. A": ["A 203.0.113.2"],
    "alias.example.com. A": ["CNAME lb.example.net.", "A 203.0.113.2"],
    "gone.example.com. ALIAS": ["CNAME deleted.elb.example.net."],
    **{f"gone.example.com. {family}": "NXDOMAIN" for family in _BOTH},
    **{f"empty-alias.example.com. {family}": ["CNAME nothing.example.net."] for family in _BOTH},
    "text-only.example.com. TXT": [],
    **{f"servfail.example.com. {family}": "SERVFAIL" for family in _BOTH},
    **{f"refused.example.com. {family}": "REFUSED" for family in _BOTH},
    **{f"silent.example.com. {family}": "SILENCE" for family in _BOTH},
    **{f"garbage.example.com. {family}": "GARBAGE" for family in _BOTH},
    **{f"other-id.example.com. {family}": "OTHER ID" for family in _BOTH},
    **{f"only-udp.example.com. {family}": "ONLY UDP" for family in _BOTH},
    **{f"chain.example.com. {family}": "CHAIN" for family in _BOTH},
    **{f"notimp.example.com. {family}": "NOTIMP" for family in _BOTH},
    "over-tcp.example.com. A": ["TRUNCATED", "A 203.0.113.2"],
    "many.example.com. A": ["TRUNCATED", *(f"A 203.0.{third}.{last}" for third in range(5) for last in range(1, 201))],
    "half-silent.example.com. A": ["A 203.0.113.2"],
    "half-silent.example.com. AAAA": "SILENCE",
    "half-failing.example.com. A": ["A 203.0.113.2"],
    "half-failing.example.com. AAAA": "SERVFAIL",
    "printer.local. A": ["A 203.0.113.2"],
    "zero.example.com. A": ["A 0.0.0.0"],
    "loop.example.com. A": ["A 127.0.0.1"],
    "blocked.example.com. A": ["A 146.112.61.106"],
    "half.example.com. A": ["A 0.0.0.0", "A 203.0.113.2"],
    "bastion.corp.example. A": ["A 203.0.113.2"],
    "differs.example.com. A": ["A 203.0.113.2"],
    "overlaps.example.com. A": ["A 203.0.113.2", "A 203.0.113.3"],
    "private.example.com. A": ["A 10.20.30.40"],
    "private.example.internal. A": ["A 10.20.30.40"],
    "hosted.example.com. A": ["A 203.0.113.99"],
}
OTHER = {
    "good.example.com. A": ["A 203.0.113.2"],
    "differs.example.com. A": ["A 192.0.2.99"],
    "overlaps.example.com. A": ["A 203.0.113.3", "A 203.0.113.4"],
    "private.example.com. A": ["A 198.51.100.99"],
    **{f"late.example.com. {family}": "SILENCE" for family in _BOTH},
}


@pytest.fixture(scope="session")
def network() -> Iterator[Lab]:
    with Lab() as lab:
        lab.serve(lab.client, MAIN, "127.0.0.1")
        lab.serve(lab.client, OTHER, "127.0.0.2")
        lab.serve(lab.client, {}, "127.0.0.3")
        lab.serve(lab.client, {"late.example.com. A": ["A 203.0.113.2"]}, "127.0.0.4")
        yield lab


@pytest.fixture
def look(network: Lab) -> Callable[..., Any]:
    """``look("dns.resolve", "good.example.com", servers=["127.0.0.1"], hosts="…")``: the check's outcome as JSON."""

    def run(check: str, host: str, **rest: Any) -> Any:
        servers = rest.pop("servers", ["127.0.0.1"])
        options = rest.pop("options", "options timeout:1 attempts:1")
        resolv_conf = "".join(f"nameserver {each}\n" for each in servers) + f"{options}\n"
        network.files(nsswitch_conf=rest.pop("switch", "hosts: files dns\n"))
        network.files(resolv_conf=resolv_conf, hosts="127.0.0.1 localhost\n" + rest.pop("hosts", ""))
        return network.probe("tests/checks/driver.py", check=check, host=host, **rest)

    return run
