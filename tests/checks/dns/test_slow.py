"""dns.slow with the system's real resolver and scripted name servers that leave questions unanswered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.net.namespaces import usable

pytestmark = [pytest.mark.lab, usable]
Look = Callable[..., Any]
#: glibc waits so long for each server before it asks the next one (resolv.conf(5)).
PATIENCE = "options timeout:3 attempts:1"


def _seen(look: Look, host: str, servers: list[str], options: str = PATIENCE) -> Any:
    return look("dns.slow", host, before=["dns.resolve"], servers=servers, options=options, seconds=10.0)


def test_a_first_server_that_is_silent_is_named(look: Look) -> None:
    seen = _seen(look, "late.example.com", ["127.0.0.2", "127.0.0.4"])
    assert (seen["codes"], seen["params"][0]["server_ip"]) == (["dns.slow"], "127.0.0.2")
    assert seen["params"][0]["what"] == "any question"
    assert seen["params"][0]["seconds"] >= 2


def test_a_server_that_drops_questions_about_ipv6_is_named_with_them(look: Look) -> None:
    seen = _seen(look, "half-silent.example.com", ["127.0.0.1"])
    assert (seen["codes"], seen["params"][0]["what"]) == (["dns.slow"], "questions for AAAA records")


def test_where_all_answer_by_now_nobody_is_blamed(look: Look) -> None:
    assert look("dns.slow", "good.example.com", slow=5.0)["codes"] == []


@pytest.mark.parametrize("servers", [["127.0.0.1"], ["127.0.0.9", "127.0.0.1"]])
def test_a_quick_answer_is_not_looked_into(look: Look, servers: list[str]) -> None:
    assert _seen(look, "good.example.com", servers) == {"missing": ["lookup slow"]}
