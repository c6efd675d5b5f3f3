"""Reasons of servers for not opening a channel, in the words that each of them uses."""

from __future__ import annotations

import pytest

from tunneldoctor.ssh.forwarding import OpenFailure, classify


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (1, "open failed", "forward.prohibited"),
        (1, "", "forward.prohibited"),
        (1, "Port forwarding not permitted to db port 5432", "forward.prohibited"),
        (1, "port forwarding is disabled", "forward.prohibited"),
        (2, "Connection refused", "forward.refused"),
        (2, "[Errno 111] Connect call failed ('127.0.0.11', 9)", "forward.refused"),
        (2, "dial tcp 10.0.0.9:5432: connect: connection refused", "forward.refused"),
        (2, "Name or service not known", "forward.name-not-resolved"),
        (2, "Temporary failure in name resolution", "forward.name-not-resolved"),
        (2, "Error resolving 'nope.invalid' port '5432'. Name or service not known", "forward.name-not-resolved"),
        (2, "[Errno -2] Name or service not known", "forward.name-not-resolved"),
        (2, "dial tcp: lookup db on 10.0.0.2:53: no such host", "forward.name-not-resolved"),
        (2, "dial tcp: lookup db: i/o timeout", "forward.name-not-resolved"),
        (2, "Connection timed out", "forward.timeout"),
        (2, "dial tcp 10.0.0.9:5432: i/o timeout", "forward.timeout"),
        (2, "No route to host", "forward.no-route"),
        (2, "Network is unreachable", "forward.no-route"),
        (2, "open failed", "forward.connect-failed"),
        (2, "", "forward.connect-failed"),
        (3, "unknown channel type", "forward.not-supported"),
        (4, "", "forward.resource-shortage"),
        (99, "?", "forward.unclassified"),
    ],
)
def test_a_servers_reason_gets_its_code(code: int, text: str, expected: str) -> None:
    assert classify(OpenFailure(code, text, 0.01)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Connection refused", "forward.prohibited"),
        ("[Errno 111] Connect call failed ('127.0.0.11', 9)", "forward.refused"),
        ("[Errno -2] Name or service not known", "forward.name-not-resolved"),
    ],
)
def test_a_program_around_asyncssh_that_says_no_is_no_closed_port(text: str, expected: str) -> None:
    assert classify(OpenFailure(2, text, 0.01, software="AsyncSSH_2.24.1")) == expected


def test_silence_is_a_time_out_and_the_end_of_the_connection_is_not() -> None:
    assert classify(OpenFailure(0, "", 8.0, timed_out=True)) == "forward.timeout"
    assert classify(OpenFailure(0, "", 0.1, closed=True)) == "forward.unclassified"
