"""auth.evidence and auth.session: what can be said about a refused key, and about a session just granted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import paramiko
import pytest

from tests.checks.auth.test_login import PASSWORDS, set_password
from tests.checks.doubles import FakeContext, a_tunnel, codes, examine
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd, throw_away_user
from tunneldoctor.model import Outcome, Secret
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.transport import Refusal, Transport
from tunneldoctor_checks.auth import evidence, session
from tunneldoctor_checks.facts import IDENTITIES, LOGIN_REFUSED, SESSION, TRUSTED

Make = Callable[..., FakeContext]
pytestmark = needs_sshd


def refused(server: Sshd, key: paramiko.PKey, username: str = "root") -> tuple[Transport, Refusal]:
    made = Transport.handshake(server.connect(), timeout=5)
    assert isinstance(made, Transport)
    refusal = made.authenticate(username, key, 5)
    assert refusal is not None
    return made, refusal


def read(make: Make, transport: Transport, refusal: Refusal, key: paramiko.PKey) -> Outcome:
    identities = (Identity.of("file:key", key),)
    facts: dict[Any, Any] = {TRUSTED: transport, LOGIN_REFUSED: refusal, IDENTITIES: identities}
    context = make(evidence.CHECK, a_tunnel(), None, facts)
    context.closing(transport)
    return examine(evidence.CHECK, context)


def out(outcome: Outcome) -> set[str]:
    return {ruling.code for ruling in outcome.rulings if ruling.out}


def confirmed(outcome: Outcome) -> set[str]:
    return {ruling.code for ruling in outcome.rulings if not ruling.out}


def test_a_plain_ed25519_key_is_neither_short_nor_certified(make_context: Make) -> None:
    with sshd() as server:
        path = generate(server.folder / "other")
        key = paramiko.Ed25519Key.from_private_key_file(str(path))
        outcome = read(make_context, *refused(server, key), key)
    assert {
        "auth.key-too-short-for-server",
        "auth.certificate-authority-untrusted",
        "key.certificate-expired",
    } <= out(outcome)
    assert confirmed(outcome) == set()
    assert "auth.algorithm-not-accepted" not in out(outcome), "OpenSSH 9.2 announces one list whatever is configured"


def test_an_rsa_key_may_be_too_short_for_the_server(make_context: Make) -> None:
    key = paramiko.RSAKey.generate(2048)
    with sshd("RequiredRSASize 3072") as server:
        assert "auth.key-too-short-for-server" not in out(read(make_context, *refused(server, key), key))


def test_after_a_password_the_server_says_why_the_key_was_refused(make_context: Make) -> None:
    with throw_away_user() as user, sshd(PASSWORDS, key_options='from="192.0.2.255"') as server:
        set_password(user.pw_name, "correct horse")
        transport, refusal = refused(server, server.key, user.pw_name)
        assert transport.authenticate(user.pw_name, Secret.of("correct horse"), 5) is None
        outcome = read(make_context, transport, refusal, server.key)
    assert confirmed(outcome) == {"auth.from-mismatch"}
    assert outcome.measured == {"egress_address": "127.0.0.1"}


def test_an_expired_line_is_confirmed_in_the_same_way(make_context: Make) -> None:
    with throw_away_user() as user, sshd(PASSWORDS, key_options='expiry-time="20200101"') as server:
        set_password(user.pw_name, "correct horse")
        transport, refusal = refused(server, server.key, user.pw_name)
        assert transport.authenticate(user.pw_name, Secret.of("correct horse"), 5) is None
        assert confirmed(read(make_context, transport, refusal, server.key)) == {"auth.key-expired"}


def test_after_a_password_the_user_is_known_and_what_the_server_would_have_said_is_out(make_context: Make) -> None:
    with throw_away_user() as user, sshd(PASSWORDS) as server:
        set_password(user.pw_name, "correct horse")
        key = paramiko.Ed25519Key.from_private_key_file(str(generate(server.folder / "other")))
        transport, refusal = refused(server, key, user.pw_name)
        assert transport.authenticate(user.pw_name, Secret.of("correct horse"), 5) is None
        outcome = read(make_context, transport, refusal, key)
    assert confirmed(outcome) == set()
    assert {"auth.unknown-user", "auth.user-not-allowed", "auth.account-locked"} <= out(outcome)
    assert {"auth.bad-permissions", "auth.from-mismatch", "auth.key-expired"} <= out(outcome)
    assert not {"auth.key-not-authorized", "auth.key-revoked", "auth.authorized-keys-unreadable"} & out(outcome)


def test_a_password_that_was_right_but_not_enough_rules_out_the_user_only(make_context: Make) -> None:
    settings = f"{PASSWORDS}\nAuthenticationMethods password,publickey"
    with throw_away_user() as user, sshd(settings) as server:
        set_password(user.pw_name, "correct horse")
        made = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(made, Transport)
        partial = made.authenticate(user.pw_name, Secret.of("correct horse"), 5)
        assert partial is not None and partial.partial
        key = paramiko.Ed25519Key.from_private_key_file(str(generate(server.folder / "other")))
        refusal = made.authenticate(user.pw_name, key, 5)
        assert refusal is not None
        outcome = read(make_context, made, refusal, key)
    assert "auth.unknown-user" in out(outcome)
    assert "auth.from-mismatch" not in out(outcome)


def test_nothing_of_what_dropbear_lacks_is_left() -> None:
    class Dropbear:
        software = "dropbear_2022.83"
        has_accepted = is_logged_in = False

    transport: Any = Dropbear()
    rulings = Outcome(rulings=tuple(evidence._by_server(transport)))
    assert {"auth.from-mismatch", "auth.key-expired", "auth.account-locked", "key.certificate-expired"} <= out(rulings)
    assert not {"auth.key-not-authorized", "auth.user-not-allowed", "auth.bad-permissions"} & out(rulings)


def test_a_plain_signature_that_is_announced_says_nothing_of_the_certificate() -> None:
    """OpenSSH 9.6 and later: none is at hand."""

    class Announcing:
        software = "OpenSSH_9.6p1"
        server_sig_algs = ("ssh-ed25519",)
        sig_algs_are_the_users = True

    transport: Any = Announcing()
    refusal = Refusal("refused", "publickey", "ssh-ed25519-cert-v01@openssh.com", ("publickey",))
    assert tuple(evidence._by_list(transport, refusal)) == ()


@pytest.mark.parametrize(
    ("software", "announced", "users", "expected"),
    [
        ("OpenSSH_9.2p1", ("ssh-ed25519",), False, (set(), False)),
        ("OpenSSH_9.6p1", ("ssh-ed25519",), False, (set(), False)),
        ("OpenSSH_9.6p1", ("ssh-ed25519",), True, (set(), True)),
        ("OpenSSH_10.2", ("rsa-sha2-512",), True, ({"auth.algorithm-not-accepted"}, False)),
        ("dropbear_2022.83", ("rsa-sha2-256",), False, ({"auth.algorithm-not-accepted"}, False)),
        ("dropbear_2022.83", ("ssh-ed25519", "rsa-sha2-256"), False, (set(), True)),
        ("AsyncSSH_2.24.1", ("rsa-sha2-256",), False, (set(), False)),
        ("AsyncSSH_2.24.1", ("ssh-ed25519",), False, (set(), True)),
    ],
)
def test_the_announced_algorithms_count_where_the_server_means_this_user_by_them(
    software: str, announced: tuple[str, ...], users: bool, expected: tuple[set[str], bool]
) -> None:
    """No sshd of version 9.6 or later is at hand: its announcement is put together here."""

    class Announcing:
        server_sig_algs = announced
        sig_algs_are_the_users = users

    Announcing.software = software  # type: ignore[attr-defined]
    transport: Any = Announcing()
    refusal = Refusal("refused", "publickey", "ssh-ed25519", ("publickey",))
    rulings = Outcome(rulings=tuple(evidence._by_list(transport, refusal)))
    assert (confirmed(rulings), "auth.algorithm-not-accepted" in out(rulings)) == expected


def test_a_session_that_the_server_keeps_is_measured_beside_the_tcp_round_trip(make_context: Make) -> None:
    with sshd() as server:
        made = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(made, Transport)
        assert made.authenticate("root", server.key, 5) is None
        context = make_context(session.CHECK, a_tunnel(), None, {SESSION: made})
        context.closing(made)
        outcome = examine(session.CHECK, context)
    assert codes(outcome) == []
    assert outcome.measured.keys() == {"bastion.ssh_latency_ms"}


def test_a_session_that_ends_at_once_is_closed_after_the_login(make_context: Make) -> None:
    with throw_away_user() as user, sshd("ChrootDirectory /nonexistent") as server:
        made = Transport.handshake(server.connect(), timeout=5)
        assert isinstance(made, Transport)
        assert made.authenticate(user.pw_name, server.key, 5) is None
        context = make_context(session.CHECK, a_tunnel(), None, {SESSION: made})
        context.closing(made)
        outcome = examine(session.CHECK, context)
    assert codes(outcome) == ["auth.closed-after-login"]
