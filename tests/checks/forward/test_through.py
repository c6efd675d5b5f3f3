"""forward.through: a jump host opens the way to the hop behind it.

The transport here is a stand-in that answers as asked: what a real sshd answers is held in the tests of the transport.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.checks.doubles import a_tunnel, codes
from tunneldoctor.model import Address, Hop
from tunneldoctor.ssh.forwarding import OpenFailure
from tunneldoctor_checks.facts import ENDPOINT, SESSION, STREAM
from tunneldoctor_checks.forward.through import CHECK

EDGE = Hop("via-1", "edge.example.com", 2222, "jump")
TUNNEL = a_tunnel("bastion.corp", via=(EDGE,))


@dataclass
class Answering:
    """Opens what it was given, and remembers for whom."""

    answer: Any
    asked: Address | None = None
    debug_messages: tuple[str, ...] = ()
    software: str = "OpenSSH_9.2p1"
    login_algorithm: str = ""
    login_lines: tuple[str, str] = ("", "")

    def open(self, address: Address, timeout: float) -> Any:
        assert timeout > 0
        self.asked = address
        return self.answer


def through(run_check: Callable[..., Any], answer: Any) -> tuple[Any, Answering]:
    session = Answering(answer)
    facts = {ENDPOINT.after: Address("bastion.corp", 22), SESSION: session}
    return run_check(CHECK, TUNNEL, "via-1", facts), session


def test_the_channel_becomes_the_next_hops_stream(run_check: Callable[..., Any]) -> None:
    here, there = socket.socketpair()
    with here, there:
        outcome, session = through(run_check, here)
        assert codes(outcome) == []
        assert session.asked == Address("bastion.corp", 22)
        assert outcome.facts == {STREAM.after: here}
        assert outcome.measured == {"bastion.address": "bastion.corp"}


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (OpenFailure(1, "open failed", 0.1), "forward.prohibited"),
        (OpenFailure(2, "Connection refused", 0.1), "forward.refused"),
        (OpenFailure(2, "Name or service not known", 0.1), "forward.name-not-resolved"),
        (OpenFailure(2, "open failed", 0.1), "forward.connect-failed"),
    ],
)
def test_a_refused_channel_is_told_with_the_hop_behind_as_the_target(
    run_check: Callable[..., Any], failure: OpenFailure, code: str
) -> None:
    outcome, _ = through(run_check, failure)
    assert codes(outcome) == [code]
    params = outcome.findings[0].params
    assert (params["remote_host"], params["remote_port"]) == ("bastion.corp", 22)
    assert failure.text in outcome.findings[0].evidence[0].text
