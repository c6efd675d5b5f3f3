"""auth.admin on a real sshd: which way it goes, what it costs, and that its troubles are none of the tunnel's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.checks.doubles import FakeBudget, FakeContext, a_tunnel, examine
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd
from tunneldoctor.model import Hop, Outcome, Policy, Reference, Tunnel
from tunneldoctor.ssh.account import Account
from tunneldoctor.ssh.transport import Transport
from tunneldoctor_checks.auth.admin import CHECK
from tunneldoctor_checks.facts import ADMIN, LOOK_WANTED, SESSION

Make = Callable[..., FakeContext]
pytestmark = needs_sshd


@pytest.fixture
def server() -> Any:
    with sshd("LogLevel VERBOSE") as running:
        yield running


def a_tunnel_with_admin(server: Sshd, username: str = "tunnel", **fields: Any) -> Tunnel:
    known = server.folder / "known_hosts"
    known.write_text(f"[{server.host}]:{server.port} ssh-ed25519 {server.public_host_key()}\n")
    key = Reference("file", str(server.folder / "id_ed25519"))
    usual = {"private_keys": (key,), "known_hosts": (Reference("file", str(known)),), **fields}
    return a_tunnel(server.host, server.port, username, admin=Hop("admin", server.host, server.port, "root", **usual))


def session(server: Sshd) -> Transport:
    made = Transport.handshake(server.connect(), timeout=5)
    assert isinstance(made, Transport)
    assert made.authenticate(server.username, server.key, 5) is None
    return made


def look(make: Make, tunnel: Tunnel, budget: FakeBudget | None = None, **facts: Transport) -> Outcome:
    known = {LOOK_WANTED: True, SESSION: facts.get("own"), SESSION.before: facts.get("before")}
    context = make(CHECK, tunnel, None, known, budget=budget)
    for each in facts.values():
        context.closing(each)
    outcome = examine(CHECK, context)
    if account := outcome.facts.get(ADMIN):
        assert isinstance(account, Account)
        assert account.run("id -un", 5).stdout == "root\n"
    return outcome


def accepted(server: Sshd) -> int:
    return sum("Accepted publickey" in line for line in server.log)


def test_the_admin_logs_in_once_beside_the_tunnel(server: Sshd, make_context: Make) -> None:
    budget = FakeBudget()
    outcome = look(make_context, a_tunnel_with_admin(server), budget)
    assert (ADMIN in outcome.facts, outcome.findings, outcome.unknown) == (True, (), None)
    assert [call[:2] for call in budget.spent] == [("login", "admin"), ("bare", "admin")]
    assert accepted(server) == 1


def test_a_bastion_behind_a_jump_host_is_reached_through_that(server: Sshd, make_context: Make) -> None:
    with sshd("LogLevel VERBOSE") as jump:
        tunnel = replace(a_tunnel_with_admin(server), hops=(Hop("via-1", jump.host, jump.port), *a_tunnel().hops))
        assert ADMIN in look(make_context, tunnel, before=session(jump)).facts
    assert accepted(jump) == accepted(server) == 1


def test_where_the_tunnels_own_account_is_the_admins_its_session_is_used(server: Sshd, make_context: Make) -> None:
    budget = FakeBudget()
    outcome = look(make_context, a_tunnel_with_admin(server, "root"), budget, own=session(server))
    assert ADMIN in outcome.facts
    assert (budget.spent, accepted(server)) == ([], 1)


def test_the_credential_that_was_refused_is_not_tried_again_in_the_name_of_the_admin(
    server: Sshd, make_context: Make, tmp_path: Path
) -> None:
    key = generate(tmp_path / "stranger")
    tunnel = a_tunnel_with_admin(server, "root", private_keys=(Reference("file", str(key)),))
    budget = FakeBudget()
    first = look(make_context, replace(tunnel, hops=(replace(tunnel.bastion, username="root"),)), budget)
    assert "did not let" in str(first.unknown)
    again = look(make_context, tunnel, budget)
    assert "no credential twice" in str(again.unknown)
    assert sum("Failed publickey" in line for line in server.log) == 1


def test_an_admin_who_is_not_let_in_is_a_reason_and_no_finding(
    server: Sshd, make_context: Make, tmp_path: Path
) -> None:
    key = Reference("file", str(generate(tmp_path / "stranger")))
    outcome = look(make_context, a_tunnel_with_admin(server, private_keys=(key,)))
    assert (outcome.findings, dict(outcome.facts)) == ((), {})
    assert str(outcome.unknown).startswith("no look from the bastion: root@127.0.0.1")


def test_without_an_admin_there_is_nothing_to_do() -> None:
    assert CHECK.applies(a_tunnel(), Policy()) == "no admin account is given"
