"""ssh.handshake: what a user is told of each way in which a port turns out not to be a working SSH server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.checks.doubles import FakeContext, a_tunnel, codes, examine
from tests.ssh.fake_servers import Handler, hanging_up, resetting, saying, serving, silent
from tests.ssh.real_sshd import needs_sshd, sshd
from tunneldoctor.model import Outcome
from tunneldoctor_checks.facts import HANDSHAKE_FAILED, HANDSHAKE_SLOW, PINS, STREAM, TRANSPORT
from tunneldoctor_checks.ssh.handshake import CHECK

Make = Callable[..., FakeContext]


def handshake(make: Make, address: tuple[str, int], timeout: float = 5.0, pins: object = None) -> Outcome:
    with socket.create_connection(address, 5) as stream:
        facts: dict[Any, Any] = {STREAM: stream, PINS: pins}
        context = make(CHECK, a_tunnel(*address, connect_timeout=timeout), None, facts)
        outcome = examine(CHECK, context)
        context.close()
        outcome_facts = {**context.given, **outcome.facts}
    return Outcome(outcome.findings, outcome_facts, outcome.measured, outcome.rulings, outcome.unknown, outcome.skipped)


def ruled_out(outcome: Outcome) -> set[str]:
    return {ruling.code for ruling in outcome.rulings if ruling.out}


@needs_sshd
def test_a_healthy_server_is_measured_and_nothing_is_found(make_context: Make) -> None:
    with sshd() as server:
        outcome = handshake(make_context, (server.host, server.port))
    assert codes(outcome) == []
    assert TRANSPORT in outcome.facts
    assert str(outcome.measured["bastion.software"]).startswith("OpenSSH_")
    assert str(outcome.measured["bastion.host_key"]).startswith("SHA256:")
    assert outcome.measured["ssh.host_key_algorithm"] == "ssh-ed25519"
    assert {"ssh.kex", "ssh.cipher", "ssh.mac"} <= set(outcome.measured)
    assert HANDSHAKE_SLOW not in outcome.facts


@pytest.mark.parametrize(
    ("handler", "code", "what"),
    [
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "ssh.not-ssh", "HTTP"),
        (saying(b"J\x00\x00\x00\x0a8.0.35\x00abc", then_close=False), "ssh.not-ssh", "MySQL"),
        (saying(b"-ERR unknown command\r\n"), "ssh.not-ssh", "Redis"),
        (saying(b"SSH-1.5-Box\r\n"), "ssh.protocol-too-old", None),
        (saying(b"SSH-2.0-x\r\n"), "ssh.closed-during-kex", None),
        (saying(b"SSH-2.0-x\r\nInvalid SSH identification string.\r\n"), "ssh.proxy-protocol-unexpected", None),
        (saying(b"SSH-2.0-x\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff", then_close=False), "ssh.unclassified", None),
        (saying(b"Exceeded MaxStartups\r\n"), "ssh.max-startups", None),
        (resetting, "ssh.closed-before-banner", None),
    ],
)
def test_each_wrong_greeting_has_its_code(make_context: Make, handler: Handler, code: str, what: str | None) -> None:
    with serving(handler) as address:
        outcome = handshake(make_context, address)
    assert codes(outcome) == [code]
    assert HANDSHAKE_FAILED in outcome.facts
    if what:
        assert outcome.findings[0].params["what"] == what


def test_a_hang_up_without_a_word_asks_for_a_second_look(make_context: Make) -> None:
    with serving(hanging_up) as address:
        outcome = handshake(make_context, address)
    assert codes(outcome) == ["ssh.closed-before-banner"]
    assert ruled_out(outcome) == {"ssh.not-ssh", "ssh.penalised"}, (
        "sshd says a word before it drops a penalised address"
    )
    assert outcome.facts[HANDSHAKE_SLOW].address == address


def test_a_tls_alert_asks_for_a_second_look(make_context: Make) -> None:
    with serving(saying(b"\x15\x03\x01\x00\x02\x02\x46")) as address:
        outcome = handshake(make_context, address)
    assert codes(outcome) == ["ssh.not-ssh"]
    assert outcome.findings[0].params["what"] == "TLS"
    assert outcome.facts[HANDSHAKE_SLOW].stage == "not-ssh"


def test_postgresql_on_the_port_is_asked_in_its_own_protocol(make_context: Make) -> None:
    with serving(hanging_up, saying(b"S")) as address:
        outcome = handshake(make_context, address)
    assert codes(outcome) == ["ssh.not-ssh"]
    assert outcome.findings[0].params["what"] == "PostgreSQL"


def test_a_stream_that_is_closed_already_is_a_hang_up(make_context: Make) -> None:
    stream = socket.socket()
    stream.close()
    outcome = examine(CHECK, make_context(CHECK, a_tunnel(), None, {STREAM: stream, PINS: None}))
    assert codes(outcome) == ["ssh.closed-before-banner"]


def test_not_allowed_at_this_time_leaves_load_and_penalty(make_context: Make) -> None:
    with serving(saying(b"Not allowed at this time\r\n")) as address:
        outcome = handshake(make_context, address)
    assert codes(outcome) == ["ssh.closed-before-banner"]
    assert not ruled_out(outcome) & {"ssh.max-startups", "ssh.penalised"}
    assert {"ssh.source-denied", "ssh.no-backend", "ssh.server-misconfigured"} <= ruled_out(outcome)
    assert HANDSHAKE_SLOW not in outcome.facts, "sshd itself has spoken: nothing stands in front of it"


@pytest.mark.parametrize(
    ("handler", "code"),
    [(silent, "ssh.no-banner"), (saying(b"SSH-2.0-x\r\n", then_close=False), "ssh.kex-stalled")],
)
def test_silence_is_told_at_half_time_and_ends_with_the_deadline(
    make_context: Make, handler: Handler, code: str
) -> None:
    with serving(handler) as address:
        outcome = handshake(make_context, address, timeout=0.8)
    assert codes(outcome) == [code]
    assert outcome.facts[HANDSHAKE_SLOW].address == address


@needs_sshd
@pytest.mark.parametrize("config", ["Ciphers chacha20-poly1305@openssh.com", "KexAlgorithms sntrup761x25519-sha512"])
def test_what_only_this_program_lacks_is_no_fault_of_the_server(make_context: Make, config: str) -> None:
    if "sntrup" in config:
        config += "@openssh.com"
    with sshd(config) as server:
        outcome = handshake(make_context, (server.host, server.port))
    assert codes(outcome) == []
    assert outcome.unknown is not None
    assert config.split()[1] in outcome.unknown


@needs_sshd
def test_lists_without_anything_in_common_are_both_shown(make_context: Make) -> None:
    with sshd("KexAlgorithms diffie-hellman-group14-sha1") as server:
        outcome = handshake(make_context, (server.host, server.port))
    assert codes(outcome) == ["ssh.no-common-kex"]
    assert outcome.findings[0].params["offered"] == "diffie-hellman-group14-sha1"
    assert "curve25519-sha256" in str(outcome.findings[0].params["ours"])


@needs_sshd
def test_weak_algorithms_count_only_where_they_are_agreed_on(make_context: Make) -> None:
    with sshd("Ciphers 3des-cbc,aes128-ctr") as server:
        assert codes(handshake(make_context, (server.host, server.port))) == []
    with sshd("Ciphers 3des-cbc") as server:
        outcome = handshake(make_context, (server.host, server.port))
    assert codes(outcome) == ["ssh.weak-algorithms"]
    assert outcome.findings[0].params["algorithms"] == "3des-cbc"
    assert TRANSPORT in outcome.facts
