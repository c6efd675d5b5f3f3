"""ssh.in-front: what a port that hangs up or says nothing turns out to be."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.doubles import FakeBudget, FakeContext, a_tunnel, examine
from tests.ssh.fake_servers import Handler, hanging_up, saying, serving, silent
from tests.ssh.test_front import certificate
from tunneldoctor.model import BudgetSpent, Outcome
from tunneldoctor.ssh.handshake import SlowHandshake
from tunneldoctor_checks.facts import HANDSHAKE_SLOW
from tunneldoctor_checks.ssh.in_front import CHECK

Make = Callable[..., FakeContext]


def look(make: Make, *handlers: Handler, stage: str = "closed-before-banner", timeout: float = 5.0) -> Outcome:
    with serving(*handlers) as address:
        facts = {HANDSHAKE_SLOW: SlowHandshake(stage, address)}
        return examine(CHECK, make(CHECK, a_tunnel(*address, connect_timeout=timeout), None, facts))


def confirmed(outcome: Outcome) -> list[str]:
    return [ruling.code for ruling in outcome.rulings if not ruling.out]


def test_tls_with_ssh_inside_is_tls_in_front(make_context: Make, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))

    def stunnel(connection: socket.socket, done: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            done.wait(5)

    assert confirmed(look(make_context, stunnel)) == ["ssh.tls-in-front"]


def test_a_tls_alert_is_asked_for_ssh_inside_and_nothing_else(make_context: Make, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))

    def stunnel(connection: socket.socket, done: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            done.wait(5)

    assert confirmed(look(make_context, stunnel, stage="not-ssh")) == ["ssh.tls-in-front"]
    outcome = look(make_context, hanging_up, saying(b"SSH-2.0-x\r\n"), stage="not-ssh")
    assert [ruling.code for ruling in outcome.rulings] == ["ssh.tls-in-front"]


def test_an_answer_to_a_proxy_header_is_a_proxy_in_front(make_context: Make) -> None:
    outcome = look(make_context, hanging_up, saying(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert confirmed(outcome) == ["ssh.proxy-protocol-expected"]


def test_what_hangs_up_on_everybody_has_nothing_in_front(make_context: Make) -> None:
    outcome = look(make_context, hanging_up)
    assert {ruling.code for ruling in outcome.rulings if ruling.out} == {
        "ssh.tls-in-front",
        "ssh.proxy-protocol-expected",
    }


def test_silence_rules_nothing_out(make_context: Make) -> None:
    assert look(make_context, silent, stage="no-banner", timeout=0.8).rulings == ()


def test_no_connection_is_opened_once_the_budget_is_spent(make_context: Make) -> None:
    facts = {HANDSHAKE_SLOW: SlowHandshake("no-banner", ("127.0.0.1", 1))}
    with pytest.raises(BudgetSpent):
        examine(CHECK, make_context(CHECK, a_tunnel(), None, facts, budget=FakeBudget(bare=0)))


@pytest.mark.parametrize("slow", [SlowHandshake("kex-stalled", ("127.0.0.1", 1)), SlowHandshake("no-banner", None)])
def test_there_is_nothing_to_ask_of_an_ssh_server_or_through_a_jump_host(
    make_context: Make, slow: SlowHandshake
) -> None:
    assert examine(CHECK, make_context(CHECK, a_tunnel(), None, {HANDSHAKE_SLOW: slow})).skipped
