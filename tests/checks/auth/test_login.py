"""auth.login against a real sshd: who gets in, and what those are told who don't."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.checks.doubles import FakeBudget, FakeContext, a_tunnel, codes, examine
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd, throw_away_user
from tunneldoctor.model import BudgetSpent, Outcome, Reference, Secret, Severity
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.transport import Transport
from tunneldoctor_checks.auth.login import CHECK
from tunneldoctor_checks.facts import IDENTITIES, LOGIN_REFUSED, SESSION, TRUSTED, USERNAME

Make = Callable[..., FakeContext]
pytestmark = needs_sshd
PASSWORDS = "PasswordAuthentication yes\nKbdInteractiveAuthentication no"


def identity(key: paramiko.PKey) -> Identity:
    return Identity.of("file:key", key)


def strangers(count: int = 1) -> tuple[Identity, ...]:
    return tuple(identity(paramiko.ECDSAKey.generate()) for _ in range(count))


def login(
    make: Make,
    server: Sshd,
    identities: tuple[Identity, ...] = (),
    password: str | None = None,
    username: str | None = None,
    budget: FakeBudget | None = None,
) -> Outcome:
    made = Transport.handshake(server.connect(), timeout=5)
    assert isinstance(made, Transport)
    reference = Reference("literal", "", Secret.of(password)) if password else None
    name = username or server.username
    tunnel = a_tunnel(server.host, server.port, name, bastion={"password": reference})
    facts: dict[Any, Any] = {TRUSTED: made, USERNAME: name, IDENTITIES: identities or None}
    context = make(CHECK, tunnel, None, facts, budget=budget)
    context.closing(made)
    return examine(CHECK, context)


def test_the_right_key_logs_in_with_one_try(make_context: Make) -> None:
    budget = FakeBudget()
    with sshd() as server:
        outcome = login(make_context, server, (identity(server.key),), budget=budget)
    assert codes(outcome) == []
    assert SESSION in outcome.facts
    assert [call[0] for call in budget.spent] == ["login"]


def test_a_key_that_is_not_authorized_is_refused(make_context: Make) -> None:
    with sshd() as server:
        outcome = login(make_context, server, strangers())
    assert codes(outcome) == ["auth.publickey-refused"]
    assert outcome.facts[LOGIN_REFUSED].kind == "refused"
    params = outcome.findings[0].params
    assert str(params["credential"]).startswith("SHA256:")
    assert "publickey" in str(params["methods"])
    assert SESSION not in outcome.facts


def test_a_password_that_is_still_offered_is_told_in_passing(make_context: Make) -> None:
    with sshd(PASSWORDS) as server:
        outcome = login(make_context, server, strangers())
    assert codes(outcome) == ["auth.publickey-refused", "auth.password-authentication-enabled"]


def test_a_server_that_takes_no_keys_says_so(make_context: Make) -> None:
    with sshd("PubkeyAuthentication no") as server:
        outcome = login(make_context, server, (identity(server.key),))
    assert codes(outcome) == ["auth.publickey-not-offered"]
    assert outcome.findings[0].params["methods"] == "keyboard-interactive"


def test_a_second_factor_is_named(make_context: Make) -> None:
    with sshd("AuthenticationMethods publickey,keyboard-interactive") as server:
        outcome = login(make_context, server, (identity(server.key),))
    assert codes(outcome) == ["auth.second-factor-required"]
    assert outcome.findings[0].params["methods"] == "keyboard-interactive"


def test_the_manners_keep_untried_keys_from_counting_as_refused(make_context: Make) -> None:
    budget = FakeBudget()
    with sshd() as server:
        outcome = login(make_context, server, strangers(4), budget=budget)
    assert codes(outcome) == []
    assert outcome.unknown is not None
    assert "2 more were not tried" in outcome.unknown
    assert [call[0] for call in budget.spent] == ["login", "refused"] * 2


def test_too_many_tries_are_named_as_such(make_context: Make) -> None:
    with sshd("MaxAuthTries 1") as server:
        outcome = login(make_context, server, strangers(3))
    assert codes(outcome) == ["auth.too-many-attempts"]


def test_the_only_key_is_refused_whatever_the_limit_of_tries(make_context: Make) -> None:
    with sshd("MaxAuthTries 1") as server:
        outcome = login(make_context, server, strangers())
    assert codes(outcome) == ["auth.publickey-refused"]
    assert outcome.facts[LOGIN_REFUSED].turned_down


def test_a_password_is_the_answer_where_only_keyboard_interactive_is_taken(make_context: Make) -> None:
    budget = FakeBudget()
    settings = "UsePAM yes\nPubkeyAuthentication no\nPasswordAuthentication no\nKbdInteractiveAuthentication yes"
    with throw_away_user() as user, sshd(settings) as server:
        set_password(user.pw_name, "correct horse")
        outcome = login(make_context, server, (), "correct horse", user.pw_name, budget)
    assert codes(outcome) == []
    assert SESSION in outcome.facts
    assert [call[0] for call in budget.spent] == ["login", "password"]


def test_a_password_is_not_sent_to_a_server_that_takes_none(make_context: Make) -> None:
    budget = FakeBudget()
    with sshd("PasswordAuthentication no\nKbdInteractiveAuthentication no") as server:
        outcome = login(make_context, server, (), "correct horse", budget=budget)
    assert codes(outcome) == ["auth.password-not-offered"]
    assert outcome.findings[0].params["methods"] == "publickey"
    assert budget.spent == []


def test_nothing_is_tried_once_the_budget_is_spent(make_context: Make) -> None:
    with sshd() as server, pytest.raises(BudgetSpent):
        login(make_context, server, strangers(), budget=FakeBudget(refusals=0))


def test_without_any_credential_nothing_can_be_measured(make_context: Make) -> None:
    with sshd() as server:
        assert login(make_context, server).unknown


def test_the_password_logs_in_after_the_key_was_refused_and_the_key_is_a_warning(make_context: Make) -> None:
    with throw_away_user() as user, sshd(PASSWORDS) as server:
        set_password(user.pw_name, "correct horse")
        outcome = login(make_context, server, strangers(), "correct horse", user.pw_name)
    assert SESSION in outcome.facts
    assert [(finding.code, finding.severity) for finding in outcome.findings] == [
        ("auth.publickey-refused", Severity.WARNING)
    ]


def test_a_wrong_password_is_refused_and_never_shown(make_context: Make) -> None:
    with throw_away_user() as user, sshd(PASSWORDS) as server:
        outcome = login(make_context, server, (), "battery staple", user.pw_name)
    assert codes(outcome) == ["auth.password-refused"]
    assert "battery" not in repr(outcome)


def test_key_and_password_both_refused_are_two_findings(make_context: Make) -> None:
    with throw_away_user() as user, sshd(PASSWORDS) as server:
        outcome = login(make_context, server, strangers(), "battery staple", user.pw_name)
    assert codes(outcome) == ["auth.publickey-refused", "auth.password-refused"]


def test_an_account_that_has_expired_is_closed_after_the_login_and_the_banner_says_why(make_context: Make) -> None:
    with throw_away_user("--expiredate", "2020-01-01") as user, sshd("UsePAM yes") as server:
        outcome = login(make_context, server, (identity(server.key),), None, user.pw_name)
    assert codes(outcome) == ["auth.closed-after-login"]
    assert "not known" in str(outcome.findings[0].params["how"])
    assert [(ruling.code, ruling.out) for ruling in outcome.rulings] == [("auth.account-locked", False)]


def test_a_key_that_is_taken_only_after_the_password_is_sent_again_then(make_context: Make) -> None:
    budget = FakeBudget()
    settings = f"{PASSWORDS}\nAuthenticationMethods password,publickey"
    with throw_away_user() as user, sshd(settings) as server:
        set_password(user.pw_name, "correct horse")
        right = login(make_context, server, (identity(server.key),), "correct horse", user.pw_name, budget)
        wrong = login(make_context, server, strangers(), "correct horse", user.pw_name)
    assert codes(right) == []
    assert SESSION in right.facts
    assert [call[0] for call in budget.spent].count("refused") == 1
    assert codes(wrong) == ["auth.publickey-refused"]


def test_a_password_that_the_manners_forbid_to_try_leaves_the_login_unknown(make_context: Make) -> None:
    with throw_away_user() as user, sshd(PASSWORDS) as server:
        outcome = login(make_context, server, strangers(2), "correct horse", user.pw_name)
    assert codes(outcome) == []
    assert "1 more were not tried" in str(outcome.unknown)


def test_a_password_that_must_be_changed_is_the_one_fault_and_no_forward_is_tried(make_context: Make) -> None:
    with throw_away_user() as user, sshd("UsePAM yes") as server:
        set_password(user.pw_name, "correct horse")
        subprocess.run(["chage", "-d", "0", user.pw_name], check=True)
        outcome = login(make_context, server, (identity(server.key),), None, user.pw_name)
    assert codes(outcome) == ["auth.password-change-required"]
    assert SESSION not in outcome.facts


def test_the_agent_that_will_not_sign_is_to_blame(make_context: Make) -> None:
    """A stand-in for an agent that asks its user: ssh-agent -c with a confirmation needs somebody at a display."""

    class Unwilling:
        def _send_message(self, message: object) -> tuple[int, paramiko.Message]:
            return 5, paramiko.Message(b"")

    with sshd() as server:
        held: Any = Unwilling()
        key = paramiko.AgentKey(held, server.key.asbytes())
        unsigned = Identity("agent", key, "SHA256:x", "ssh-ed25519")
        alone = login(make_context, server, (unsigned,))
        after_another = login(make_context, server, (*strangers(), unsigned))
        before_the_right_one = login(make_context, server, (unsigned, identity(server.key)))
    assert codes(alone) == ["auth.agent-refused"]
    assert codes(after_another) == ["auth.agent-refused"]
    assert codes(before_the_right_one) == []
    assert SESSION in before_the_right_one.facts


def test_a_certificate_that_is_refused_is_followed_by_the_plain_key(make_context: Make, tmp_path: Path) -> None:
    from tunneldoctor.ssh import certificates

    generate(tmp_path / "ca")
    with sshd() as server:
        public = server.folder / "id_ed25519.pub"
        command = ["ssh-keygen", "-q", "-s", str(tmp_path / "ca"), "-I", "x", "-n", "root", str(public)]
        subprocess.run(command, check=True, capture_output=True)
        certificate = certificates.read((server.folder / "id_ed25519-cert.pub").read_bytes())
        both = identity(server.key).certified(certificate, first=True)
        outcome = login(make_context, server, (both,))
    assert codes(outcome) == []
    assert SESSION in outcome.facts


def set_password(username: str, password: str) -> None:
    subprocess.run(["chpasswd"], input=f"{username}:{password}\n", text=True, check=True)
