"""Accounts that look around, on a real sshd: who gets a shell, what a script says, and what the others are told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.checks.doubles import FakeBudget, FakeContext, a_tunnel
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, throw_away_user
from tests.ssh.real_sshd import sshd as any_sshd
from tunneldoctor.model import Hop, Reference, Secret
from tunneldoctor.ssh.account import Account, Answer, NotIn, log_in
from tunneldoctor.ssh.command import LARGEST_OUTPUT
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.transport import Transport

pytestmark = needs_sshd
Enter = Callable[..., Account | NotIn]


@contextmanager
def sshd(config: str = "", username: str = "root") -> Iterator[Sshd]:
    """With less of a log: at DEBUG sshd writes to the standard error of the commands that it runs."""
    with any_sshd(f"LogLevel VERBOSE\n{config}", username=username) as server:
        yield server


def file(path: Path) -> Reference:
    return Reference("file", str(path))


def known_hosts(server: Sshd, kind: str = "ed25519") -> Reference:
    path = server.folder / "known_hosts"
    path.write_text(f"[{server.host}]:{server.port} ssh-{kind} {server.public_host_key(kind)}\n")
    return file(path)


def hop(server: Sshd, **fields: object) -> Hop:
    usual = {"private_keys": (file(server.folder / "id_ed25519"),), "known_hosts": (known_hosts(server),)}
    return Hop("admin", server.host, server.port, server.username, **{**usual, **fields})  # type: ignore[arg-type]


@pytest.fixture
def enter() -> Iterator[Enter]:
    """``enter(hop)``: log in on it, with a budget of its own or *budget*."""
    made: list[FakeContext] = []

    def enter(where: Hop, through: Transport | None = None, budget: FakeBudget | None = None) -> Account | NotIn:
        tunnel = a_tunnel(where.host, where.port)
        made.append(FakeContext(tunnel, tunnel.bastion, {}, budget=budget))
        return log_in(made[-1], where, through)

    yield enter
    for context in made:
        context.close()


def run(account: Account | NotIn, script: str, timeout: float = 10) -> Answer:
    assert isinstance(account, Account), account
    return account.run(script, timeout)


def reason(result: Account | NotIn) -> str:
    assert isinstance(result, NotIn)
    return result.reason


def logged(server: Sshd, words: str) -> list[str]:
    return [line for line in server.log if words in line]


def test_a_script_runs_and_both_its_outputs_and_its_status_come_back(enter: Enter) -> None:
    with sshd() as server:
        answer = run(enter(hop(server)), "echo out; echo err >&2; printf '\\377'; exit 7")
    assert (answer.stdout, answer.stderr, answer.exit_status) == ("out\n\\xff", "err\n", 7)
    assert (answer.truncated, answer.timed_out, answer.problem) == (False, False, "")


def test_one_account_runs_several_scripts_over_one_login(enter: Enter) -> None:
    with sshd() as server:
        account = enter(hop(server))
        assert [run(account, f"echo {number}").stdout for number in (1, 2)] == ["1\n", "2\n"]
    assert len(logged(server, "Accepted publickey")) == 1


def test_a_command_that_reads_its_input_does_not_eat_the_rest_of_the_script(enter: Enter) -> None:
    with sshd() as server:
        assert run(enter(hop(server)), "cat\necho done").stdout == "done\n"


def test_more_output_than_is_kept_is_cut(enter: Enter) -> None:
    with sshd() as server:
        answer = run(enter(hop(server)), "yes")
        errors = run(enter(hop(server), budget=FakeBudget()), "yes | head -c 1500000 >&2")
    assert LARGEST_OUTPUT - 100 < len(answer.stdout) <= LARGEST_OUTPUT
    assert answer.truncated
    assert (len(errors.stderr), errors.truncated) == (LARGEST_OUTPUT, True)


def test_a_script_that_does_not_end_is_left_at_its_deadline_with_what_it_said(enter: Enter) -> None:
    with sshd() as server:
        answer = run(enter(hop(server)), "echo early; sleep 60", timeout=2.0)
    assert (answer.stdout, answer.timed_out, answer.exit_status) == ("early\n", True, None)


def test_what_start_up_files_print_is_cut_off(enter: Enter) -> None:
    with throw_away_user("--shell", "/bin/bash") as user, sshd(username=user.pw_name) as server:
        Path(user.pw_dir, ".bashrc").write_text("echo 'Welcome aboard!'\nprintf 'no line break'\n")
        assert run(enter(hop(server)), "echo $0").stdout == "sh\n"


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ("/usr/sbin/nologin", "lets nobody in (nologin)"),
        ("/bin/false", "ended without a word, exit status 1"),
    ],
)
def test_a_shell_that_lets_nobody_in_is_told_from_a_refused_login(shell: str, said: str, enter: Enter) -> None:
    with throw_away_user("--shell", shell) as user, sshd(username=user.pw_name) as server:
        words = reason(enter(hop(server)))
    assert "is logged in, but" in words
    assert said in words


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("ForceCommand echo 'menu of the bastion'", "another command runs there whatever is asked for"),
        ("ForceCommand cat", "another command runs there whatever is asked for"),
        ("Subsystem sftp internal-sftp\nForceCommand internal-sftp", "sftp"),
        ("MaxSessions 0", "opens no session for it"),
    ],
)
def test_a_server_that_runs_another_command_or_none_is_told_in_plain_words(
    config: str, said: str, enter: Enter
) -> None:
    with sshd(config) as server:
        assert said in reason(enter(hop(server)))


def test_a_forced_command_that_never_ends_costs_no_more_than_the_deadline(enter: Enter) -> None:
    with sshd("ForceCommand sleep 600") as server:
        where = hop(server)
        context = FakeContext(a_tunnel(connect_timeout=1.2), where, {})
        words = reason(log_in(context, where))
        context.close()
    assert "no shell answered in time" in words


@pytest.mark.parametrize("pinned", ["another key", "nothing"])
def test_a_host_that_is_not_pinned_is_sent_nothing(pinned: str, enter: Enter, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    other = generate(tmp_path / "other").with_suffix(".pub").read_text()
    with sshd() as server:
        known.write_text(f"[{server.host}]:{server.port} {other}" if pinned == "another key" else "")
        words = reason(enter(hop(server, known_hosts=(file(known),))))
    assert "nothing was sent" in words
    assert not logged(server, "publickey")


def test_a_fingerprint_in_the_configuration_is_enough_to_trust_a_host(enter: Enter) -> None:
    with sshd() as server:
        listed = subprocess.run(
            ["ssh-keygen", "-lf", server.folder / "host_ed25519.pub"], capture_output=True, text=True
        )
        account = enter(hop(server, known_hosts=None, host_keys=(listed.stdout.split()[1],)))
        assert run(account, "echo in").stdout == "in\n"


def test_a_refused_admin_counts_as_one_of_the_refused_logins_of_the_run(enter: Enter, tmp_path: Path) -> None:
    budget = FakeBudget()
    with sshd() as server:
        words = reason(enter(hop(server, private_keys=(file(generate(tmp_path / "stranger")),)), budget=budget))
    assert "did not let SHA256:" in words
    assert ("refused", "admin") in budget.spent
    assert len(logged(server, "Failed publickey")) == 1


def test_after_two_refused_logins_no_connection_is_opened(enter: Enter) -> None:
    budget = FakeBudget()
    budget.refused("bastion")
    budget.refused("bastion")
    with sshd() as server:
        assert "no more logins" in reason(enter(hop(server), budget=budget))
    assert not logged(server, "Connection from")


def test_with_nothing_to_log_in_with_no_connection_is_opened(enter: Enter, tmp_path: Path) -> None:
    with sshd() as server:
        words = reason(enter(hop(server, private_keys=(file(tmp_path / "absent"),))))
    assert "points at nothing" in words
    assert not logged(server, "Connection from")


def test_a_key_with_a_passphrase_is_opened(enter: Enter, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse")
    with sshd() as server:
        key = server.folder / "id_ed25519"
        subprocess.run(["ssh-keygen", "-p", "-q", "-P", "", "-N", "correct horse", "-f", str(key)], check=True)
        assert run(enter(hop(server, passphrase=file(passphrase))), "echo in").stdout == "in\n"


def test_a_password_is_sent_once_and_counted(enter: Enter) -> None:
    budget = FakeBudget()
    password = Reference("literal", "", Secret.of("correct horse"))
    with throw_away_user() as user, sshd("PasswordAuthentication yes", username=user.pw_name) as server:
        subprocess.run(["chpasswd"], input=f"{user.pw_name}:correct horse", text=True, check=True)
        where = hop(server, private_keys=(), password=password)
        assert run(enter(where, budget=budget), "id -un").stdout == f"{user.pw_name}\n"
        assert "one password a server" in reason(enter(replace(where, name="other"), budget=budget))
    assert len(logged(server, "Accepted password")) == 1
    assert ("login", "admin", "the password") in budget.spent


def test_a_key_of_the_agent_logs_in(enter: Enter, agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sshd() as server:
        key = server.folder / "id_ed25519"
        subprocess.run(["ssh-add", "-q", str(key)], check=True, env={"SSH_AUTH_SOCK": str(agent), "PATH": "/usr/bin"})
        fingerprint = Identity.of("file", server.key).fingerprint
        assert run(enter(hop(server, private_keys=(), agent=fingerprint)), "echo in").stdout == "in\n"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield path
    process.terminate()
    process.wait(5)
    process.stdout.close()


@pytest.mark.parametrize("beside", [True, False])
def test_a_certificate_for_the_user_goes_with_the_key(beside: bool, enter: Enter, tmp_path: Path) -> None:
    authority, key = generate(tmp_path / "ca"), generate(tmp_path / "ops")
    _sign(authority, key, ["-n", "root"])
    certificate = tmp_path / "ops-cert.pub"
    if not beside:
        certificate = certificate.rename(tmp_path / "elsewhere.pub")
    with sshd(f"TrustedUserCAKeys {authority}.pub") as server:
        explicit = {} if beside else {"certificate": file(certificate)}
        assert run(enter(hop(server, private_keys=(file(key),), **explicit)), "echo in").stdout == "in\n"


def test_a_certificate_for_somebody_else_is_left_at_home(enter: Enter, tmp_path: Path) -> None:
    authority = generate(tmp_path / "ca")
    with sshd() as server:
        _sign(authority, server.folder / "id_ed25519", ["-n", "tunnel"])
        assert run(enter(hop(server)), "echo in").stdout == "in\n"
    assert not logged(server, "-CERT")


def _sign(authority: Path, key: Path, options: Sequence[str]) -> None:
    command = ["ssh-keygen", "-q", "-s", str(authority), "-I", "test", *options, f"{key}.pub"]
    subprocess.run(command, check=True, capture_output=True)


def test_an_account_behind_a_jump_host_is_reached_through_its_session(enter: Enter) -> None:
    with sshd() as jump, sshd() as server:
        session = Transport.handshake(jump.connect(), timeout=5)
        assert isinstance(session, Transport)
        assert session.authenticate(jump.username, jump.key, 5) is None
        assert run(enter(hop(server), session), "echo behind").stdout == "behind\n"
        words = reason(enter(replace(hop(server), port=9), session))
        assert "through the hop in front of it: Connection refused" in words
        session.close()


def test_a_host_that_is_not_there_is_named(enter: Enter) -> None:
    with sshd() as server:
        where = hop(server)
        assert "Connection refused" in reason(enter(replace(where, port=9)))
        nowhere = replace(where, host="no-such-host.invalid")
        assert "was not resolved" in reason(enter(nowhere))
