"""forward.open and forward.trial against a real sshd: why a destination is not reached, as far as it can be told."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.checks.auth.test_login import PASSWORDS, set_password
from tests.checks.doubles import FakeContext, a_tunnel, codes, examine
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd, throw_away_user
from tunneldoctor.model import Address, Outcome, Secret
from tunneldoctor.ssh.transport import OpenFailure, Transport
from tunneldoctor_checks.facts import CHANNEL, FORWARD_REFUSED, SESSION, TARGET
from tunneldoctor_checks.forward import _opening, _prohibition, trial
from tunneldoctor_checks.forward import open as opening

Make = Callable[..., FakeContext]
pytestmark = needs_sshd
FIVE = {
    "forward.disabled-in-sshd",
    "forward.permit-open",
    "forward.key-permitopen",
    "forward.key-restricted",
    "forward.certificate-restricted",
    "auth.password-change-required",
}


@contextmanager
def logged_in(config: str = "", key_options: str = "") -> Iterator[tuple[Sshd, Transport]]:
    with sshd(config, key_options=key_options) as server:
        made = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(made, Transport)
        assert made.authenticate("root", server.key, 5) is None
        yield server, made
        made.close()


def ask(make: Make, server: Sshd, session: Transport, target: Address, timeout: float = 5.0) -> Outcome:
    tunnel = a_tunnel(server.host, server.port, connect_timeout=timeout)
    return examine(opening.CHECK, make(opening.CHECK, tunnel, None, {SESSION: session, TARGET: target}))


def left(make: Make, server: Sshd, session: Transport, target: Address) -> set[str]:
    """The causes of a prohibition that the check and its follow-up leave open."""
    outcome = ask(make, server, session, target)
    assert codes(outcome) == ["forward.prohibited"]
    facts: dict[Any, Any] = {SESSION: session, TARGET: target, FORWARD_REFUSED: outcome.facts[FORWARD_REFUSED]}
    further = examine(trial.CHECK, make(trial.CHECK, a_tunnel(server.host, server.port), None, facts))
    rulings = outcome.rulings + further.rulings
    sure = {ruling.code for ruling in rulings if not ruling.out}
    return sure or FIVE - {ruling.code for ruling in rulings if ruling.out}


def test_the_advice_names_the_key_that_logged_in_and_no_other(make_context: Make, tmp_path: Path) -> None:
    other = paramiko.Ed25519Key(filename=str(generate(tmp_path / "other")))
    with sshd("AllowTcpForwarding no") as server:
        made = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(made, Transport)
        assert made.authenticate("root", other, 5) is not None
        assert made.authenticate("root", server.key, 5) is None
        params = ask(make_context, server, made, Address("127.0.0.1", 5432)).findings[0].params
        assert params["public_key"] == f"ssh-ed25519 {server.key.get_base64()}"
        assert params["certificate"] is None
        made.close()


def test_the_advice_names_the_certificate_that_logged_in_and_its_key(make_context: Make, tmp_path: Path) -> None:
    authority, path = generate(tmp_path / "ca"), generate(tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "test", "-n", "root", f"{path}.pub"], check=True)
    key = paramiko.Ed25519Key(filename=str(path))
    key.load_certificate(f"{path}-cert.pub")
    with sshd(f"TrustedUserCAKeys {authority}.pub\nAllowTcpForwarding no") as server:
        made = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(made, Transport)
        assert made.authenticate("root", key, 5) is None
        params = ask(make_context, server, made, Address("127.0.0.1", 5432)).findings[0].params
        made.close()
    certificate = Path(f"{path}-cert.pub").read_text().split()[:2]
    assert params["public_key"] == f"ssh-ed25519 {key.get_base64()}"
    assert str(params["certificate"]).split() == certificate


def test_an_open_channel_is_handed_on_with_nothing_sent(make_context: Make) -> None:
    with logged_in() as (server, session), socket.create_server(("127.0.0.1", 0)) as database:
        outcome = ask(make_context, server, session, Address(*database.getsockname()[:2]))
        far_end, _ = database.accept()
        with far_end:
            far_end.setblocking(False)
            with pytest.raises(BlockingIOError):
                far_end.recv(1)
            far_end.sendall(b"hello")
            stream = outcome.facts[CHANNEL]
            stream.settimeout(5)
            assert stream.recv(5) == b"hello"
            stream.close()
    assert codes(outcome) == []


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (Address("127.0.0.1", 1), "forward.refused"),
        (Address("nowhere.invalid", 5432), "forward.name-not-resolved"),
    ],
)
def test_what_the_bastion_cannot_reach_is_said_in_our_words(make_context: Make, target: Address, code: str) -> None:
    with logged_in() as (server, session):
        outcome = ask(make_context, server, session, target)
    assert codes(outcome) == [code]
    assert outcome.findings[0].params["target"] == str(target)


def test_no_answer_while_the_bastion_lives_is_a_time_out(make_context: Make) -> None:
    """A listener whose queue is full answers no further SYN, as a firewall that drops does."""
    with logged_in() as (server, session), socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        outcome = ask(make_context, server, session, Address(*address), timeout=1.5)
        for filler in fillers:
            filler.close()
    assert codes(outcome) == ["forward.timeout"]
    assert any("still trying" in evidence.text for evidence in outcome.findings[0].evidence)
    assert outcome.facts[FORWARD_REFUSED].timed_out


def test_a_connection_that_is_gone_is_not_blamed_on_the_target(make_context: Make) -> None:
    with logged_in() as (server, session):
        assert session.round_trip(5) is not None
        session.close()
        assert codes(ask(make_context, server, session, Address("127.0.0.1", 1))) == ["forward.unclassified"]


def test_a_session_that_ends_before_it_ever_answered_is_no_fault_of_the_forward(make_context: Make) -> None:
    with logged_in() as (server, session):
        session.close()
        outcome = ask(make_context, server, session, Address("127.0.0.1", 1))
    assert codes(outcome) == []
    assert "the SSH connection ended" in str(outcome.unknown)


@pytest.mark.parametrize(
    ("config", "key_options", "causes"),
    [
        ("", "restrict", {"forward.key-restricted"}),
        ("", "no-port-forwarding", {"forward.key-restricted"}),
        ("", 'permitopen="192.0.2.1:1"', {"forward.key-permitopen", "forward.permit-open"}),
        ("", 'permitopen="192.0.2.1:1",permitlisten="9999"', {"forward.key-permitopen", "forward.permit-open"}),
        ("AllowTcpForwarding no", 'permitopen="x:1"', {"forward.disabled-in-sshd", "forward.permit-open"}),
        (
            "DisableForwarding yes",
            'permitopen="x:1"',
            {"forward.key-permitopen", "forward.disabled-in-sshd", "forward.permit-open"},
        ),
        ("AllowTcpForwarding no", "", {"forward.disabled-in-sshd", "forward.permit-open"}),
        ("DisableForwarding yes", "", {"forward.disabled-in-sshd", "forward.permit-open"}),
        ("PermitOpen 192.0.2.1:1", "", {"forward.disabled-in-sshd", "forward.permit-open"}),
        ("AllowTcpForwarding local\nPermitOpen 192.0.2.1:1", "", {"forward.disabled-in-sshd", "forward.permit-open"}),
    ],
)
def test_a_prohibition_leaves_exactly_what_the_evidence_leaves(
    make_context: Make, config: str, key_options: str, causes: set[str]
) -> None:
    with logged_in(config, key_options) as (server, session):
        assert left(make_context, server, session, Address("127.0.0.1", 5432)) == causes


def test_a_password_that_logs_in_leaves_no_option_of_a_key_and_may_have_to_be_changed(make_context: Make) -> None:
    with throw_away_user() as user, sshd(f"{PASSWORDS}\nAllowTcpForwarding no") as server:
        set_password(user.pw_name, "correct horse")
        session = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(session, Transport)
        assert session.authenticate(user.pw_name, Secret.of("correct horse"), 5) is None
        causes = left(make_context, server, session, Address("127.0.0.1", 5432))
        session.close()
    assert causes == {"forward.disabled-in-sshd", "forward.permit-open", "auth.password-change-required"}


@pytest.mark.parametrize(
    ("software", "text", "algorithm", "causes"),
    [
        ("dropbear_2022.83", "", "ssh-ed25519", FIVE - {"forward.permit-open", "forward.certificate-restricted"}),
        ("AsyncSSH_2.24.1", "Port forwarding not permitted", "ssh-ed25519", {"forward.key-restricted"}),
        (
            "AsyncSSH_2.24.1",
            "Port forwarding not permitted",
            "ssh-ed25519-cert-v01@openssh.com",
            {"forward.certificate-restricted"},
        ),
        ("AsyncSSH_2.24.1", "Connection refused", "ssh-ed25519", {"forward.disabled-in-sshd", "forward.permit-open"}),
        ("Go", "port forwarding is disabled", "ssh-ed25519", {"forward.disabled-in-sshd", "forward.permit-open"}),
        ("Own_1.0", "no", "ssh-ed25519", FIVE - {"forward.certificate-restricted"}),
    ],
)
def test_the_words_of_other_servers_leave_what_they_mean(
    software: str, text: str, algorithm: str, causes: set[str]
) -> None:
    """No Go bastion is at hand (gliderlabs/ssh tcpip.go); the others' words are also held in the lab's scenarios."""

    class Server:
        debug_messages = ()

    session: Any = Server()
    session.software, session.login_algorithm = software, algorithm
    rulings = tuple(_prohibition.prohibition_rulings(session, OpenFailure(1, text, 0.01)))
    out = {ruling.code for ruling in rulings if ruling.out}
    assert FIVE - {"auth.password-change-required"} - out == causes - {"auth.password-change-required"}
    assert "auth.password-change-required" in out


def test_another_destination_that_opens_leaves_permit_open(make_context: Make) -> None:
    with sshd("Match all\nPermitOpen 127.0.0.1:*") as server:
        made = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(made, Transport)
        assert made.authenticate("root", server.key, 5) is None
        assert left(make_context, server, made, Address("192.0.2.7", 5432)) == {"forward.permit-open"}
        made.close()


def test_another_spelling_that_opens_leaves_permit_open(make_context: Make) -> None:
    with logged_in("PermitOpen localhost:5432") as (server, session):
        assert left(make_context, server, session, Address("LOCALHOST", 5432)) == {"forward.permit-open"}
        assert left(make_context, server, session, Address("127.0.0.1", 5432)) == {"forward.permit-open"}


def test_no_trial_is_made_where_nothing_was_prohibited(make_context: Make) -> None:
    facts = {FORWARD_REFUSED: OpenFailure(2, "Connection refused", 0.1), SESSION: None}
    assert examine(trial.CHECK, make_context(trial.CHECK, a_tunnel(), None, facts)).skipped


def test_openssh_without_words_means_that_there_was_no_route(make_context: Make) -> None:
    """No IPv6 route is not to be had on every machine: the answer is the one that OpenSSH 9.2 gave without one."""

    class OpenSsh:
        software = "OpenSSH_9.2p1"

    session: Any = OpenSsh()
    failure = OpenFailure(2, "open failed", 0.002)
    rulings = _opening._by_way_of_failing(session, Address("2001:db8::1", 5432), failure)
    assert {ruling.code for ruling in rulings if ruling.out} == {
        "forward.timeout",
        "forward.name-not-resolved",
        "forward.refused",
    }
