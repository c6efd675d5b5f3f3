"""hostkey.same-host: two real sshds at two addresses of one name, and a third party in between that takes turns."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab.fronts import pass_on
from fixtures.lab.ports import free_port
from fixtures.lab.sshd import Sshd, make_host_keys, start_sshd
from tests.checks.doubles import FakeBudget, FakeContext, codes, examine
from tests.ssh.fake_servers import serving
from tests.ssh.real_sshd import needs_sshd
from tunneldoctor.model import Outcome, Severity
from tunneldoctor.ssh.host_trust import judge
from tunneldoctor.ssh.known_hosts import File, read
from tunneldoctor.ssh.pins import Pins
from tunneldoctor.ssh.transport import Transport
from tunneldoctor_checks.facts import ADDRESSES, HOST_KEY, PINS, STREAM, TRANSPORT
from tunneldoctor_checks.hostkey.same_host import CHECK

pytestmark = needs_sshd
HERE, THERE = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sshd, Sshd]]:
    port, running = free_port(), []
    try:
        for address in (HERE, THERE):
            folder = tmp_path_factory.mktemp("sshd")
            keys = make_host_keys(folder, ["ed25519", "rsa"])
            running.append(start_sshd(folder, address=address, port=port, host_keys=keys))
        yield running[0], running[1]
    finally:
        for each in running:
            each.server.stop()


@pytest.fixture
def look(pair: tuple[Sshd, Sshd], make_context: Callable[..., FakeContext]) -> Iterator[Callable[..., Outcome]]:
    """Connect to *address*, judge the key by *lines* (``{name}`` is the bastion's name), and run the check."""
    closing: list[Any] = []

    def run(
        *lines: str,
        addresses: tuple[str, ...] = (HERE, THERE),
        target: tuple[str, int] | None = None,
        pins: Pins | None = None,
        kind: str = "",
        budget: FakeBudget | None = None,
    ) -> Outcome:
        port = pair[0].port
        words = {"name": f"[bastion]:{port}", "here": pair[0].public(), "there": pair[1].public()}
        text = "".join(line.format(**words) + "\n" for line in lines).encode()
        pins = pins or read([File("known_hosts", text)]).pins("bastion", port)
        stream = socket.create_connection(target or (HERE, port), 5)
        transport = Transport.handshake(
            stream, timeout=10, preferred_host_key_types=(kind,) if kind else pins.key_types()
        )
        assert isinstance(transport, Transport)
        closing.append(transport)
        facts = {PINS: pins, TRANSPORT: transport, STREAM: stream, HOST_KEY: judge(pins, transport.host_key)}
        return examine(CHECK, make_context(CHECK, None, None, {**facts, ADDRESSES: addresses}, budget=budget))

    yield run
    for each in closing:
        each.close()


def confirmed(outcome: Outcome) -> list[str]:
    return [ruling.code for ruling in outcome.rulings if not ruling.out]


def test_an_unknown_key_of_one_of_two_machines_is_told_as_that(
    look: Callable[..., Outcome], pair: tuple[Sshd, Sshd]
) -> None:
    outcome = look()
    assert confirmed(outcome) == ["hostkey.varies"]
    ruling = outcome.rulings[0]
    for server, address in zip(pair, (HERE, THERE), strict=True):
        assert fingerprint(server) in str(ruling.params["keys"])
        assert f"{address}: ssh-ed25519 {fingerprint(server)}, unknown" in ruling.because
    assert ruling.params["count"] == 2


def test_where_only_the_other_machine_is_pinned_both_are_told(look: Callable[..., Outcome]) -> None:
    outcome = look("{name} {there}")
    assert confirmed(outcome) == ["hostkey.varies"]
    assert f"{THERE}: ssh-ed25519" in outcome.rulings[0].because
    assert "pinned (known_hosts:1)" in outcome.rulings[0].because


def test_one_machine_that_changed_its_key_is_no_case_of_several(look: Callable[..., Outcome]) -> None:
    budget = FakeBudget()
    outcome = look("{name} {there}", addresses=(HERE,), budget=budget)
    assert not outcome.rulings
    assert not outcome.findings
    assert len(budget.spent) == 3


def test_a_balancer_that_takes_turns_is_seen_through_repetition(
    look: Callable[..., Outcome], pair: tuple[Sshd, Sshd]
) -> None:
    with serving(*(relay(each) for each in (pair[0], pair[1], pair[0]))) as address:
        outcome = look("{name} {there}", addresses=(HERE,), target=address)
    assert confirmed(outcome) == ["hostkey.varies"]
    assert f"{HERE}, again: ssh-ed25519 {fingerprint(pair[1])}" in outcome.rulings[0].because


def test_a_pinned_key_at_one_address_and_an_unpinned_one_at_another_is_a_warning(look: Callable[..., Outcome]) -> None:
    outcome = look("{name} {here}")
    assert codes(outcome) == ["hostkey.varies"]
    assert outcome.findings[0].severity is Severity.WARNING


def test_two_pinned_machines_are_healthy(look: Callable[..., Outcome]) -> None:
    assert look("{name} {here}", "{name} {there}") == Outcome()


def test_a_pinned_key_and_one_address_cost_no_connection(look: Callable[..., Outcome]) -> None:
    budget = FakeBudget()
    assert look("{name} {here}", addresses=(HERE,), budget=budget).skipped
    assert budget.spent == []


def test_a_revoked_key_is_not_looked_at_again(look: Callable[..., Outcome]) -> None:
    assert look("@revoked * {here}").skipped


def test_a_pinned_fingerprint_is_compared_with_keys_of_its_own_type(
    look: Callable[..., Outcome], pair: tuple[Sshd, Sshd]
) -> None:
    both = tuple(fingerprint(server, "rsa") for server in pair)
    assert look(pins=Pins("bastion", "bastion", fingerprints=both), kind="ssh-rsa") == Outcome()


def test_a_spent_budget_leaves_the_question_open(look: Callable[..., Outcome]) -> None:
    assert look(budget=FakeBudget(bare=0)) == Outcome()


def fingerprint(server: Sshd, kind: str = "ed25519") -> str:
    path = Path(server.host_keys[kind]).with_suffix(".pub")
    return subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True).stdout.split()[1]


def relay(server: Sshd) -> Callable[[socket.socket, threading.Event], None]:
    """Pass a connection on to *server*, as a balancer does."""
    return lambda client, done: pass_on(client, server.address, server.port)
