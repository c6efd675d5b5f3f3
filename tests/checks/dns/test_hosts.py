"""dns.hosts: only where connecting fails, the hosts file is held against the DNS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.net.namespaces import usable

Look = Callable[..., Any]
pytestmark = [pytest.mark.lab, usable]


def hosts(look: Look, host: str, entry: str, **rest: Any) -> Any:
    return look("dns.hosts", host, before=["dns.resolve", "tcp.connect"], hosts=f"{entry}\n", port=9, **rest)


def test_a_stale_entry_is_shown_beside_what_the_dns_says(look: Look) -> None:
    seen = hosts(look, "hosted.example.com", "203.0.113.2 hosted.example.com")
    assert seen["codes"] == ["dns.answers-differ"]
    assert seen["params"][0]["source"] == "/etc/hosts line 2"
    assert seen["params"][0]["other_addresses"] == "203.0.113.99"


def test_an_entry_that_the_dns_confirms_is_fine(look: Look) -> None:
    assert hosts(look, "hosted.example.com", "203.0.113.99 hosted.example.com", seconds=1.0)["codes"] == []


def test_an_entry_that_leads_to_this_machine_is_a_warning(look: Look) -> None:
    seen = hosts(look, "unknown.example.com", "127.0.0.1 unknown.example.com")
    assert (seen["codes"], seen["severities"]) == (["dns.unspecified-address"], ["warning"])
    assert "/etc/hosts line 2" in seen["params"][0]["why"]


def test_a_name_that_is_not_in_the_hosts_file_is_passed_over(look: Look) -> None:
    assert hosts(look, "good.example.com", "", seconds=1.0)["skipped"]
