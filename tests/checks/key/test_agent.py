"""The check of the ssh-agent: an error only where the tunnel depends on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.checks.doubles import codes
from tunneldoctor.model import Outcome, Policy, Reference, Severity, Tunnel
from tunneldoctor_checks.facts import AGENT_IDENTITIES
from tunneldoctor_checks.key.agent import CHECK

Run = Callable[..., Outcome]
Make = Callable[..., Tunnel]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    return tmp_path / "key"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "socket"
    started = subprocess.run(["ssh-agent", "-a", str(path)], check=True, capture_output=True, text=True)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield path
    os.kill(int(started.stdout.split("SSH_AGENT_PID=")[1].split(";")[0]), 15)


def add(key: Path) -> str:
    subprocess.run(["ssh-add", "-q", str(key)], check=True)
    return subprocess.run(["ssh-keygen", "-lf", str(key)], check=True, capture_output=True, text=True).stdout.split()[1]


def test_the_keys_of_the_agent_are_handed_on(agent: Path, key: Path, run_check: Run, make_tunnel: Make) -> None:
    fingerprint = add(key)
    for wanted in ("", fingerprint):
        outcome = run_check(CHECK, make_tunnel(bastion={"agent": wanted}))
        assert codes(outcome) == []
        assert [each.fingerprint for each in outcome.facts[AGENT_IDENTITIES]] == [fingerprint]


def test_a_key_that_it_lacks_is_an_error_that_lists_what_it_holds(
    agent: Path, key: Path, run_check: Run, make_tunnel: Make
) -> None:
    fingerprint = add(key)
    outcome = run_check(CHECK, make_tunnel(bastion={"agent": "SHA256:" + "A" * 43}))
    assert codes(outcome) == ["key.agent-lacks-key"]
    assert outcome.findings[0].severity is Severity.ERROR
    assert outcome.findings[0].params["held"] == 1
    assert fingerprint in outcome.findings[0].evidence[0].text


def test_an_empty_agent_is_an_error_only_where_nothing_else_is_left(
    agent: Path, key: Path, run_check: Run, make_tunnel: Make
) -> None:
    assert codes(run_check(CHECK, make_tunnel(bastion={"agent": ""}))) == ["key.agent-lacks-key"]
    for rest in ({"private_keys": (Reference("file", str(key)),)}, {"password": Reference("env", "X")}):
        outcome = run_check(CHECK, make_tunnel(bastion={"agent": "", **rest}))
        assert codes(outcome) == []
        assert outcome.skipped


def test_no_agent_at_all(
    key: Path, tmp_path: Path, run_check: Run, make_tunnel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    outcome = run_check(CHECK, make_tunnel(bastion={"agent": ""}))
    assert codes(outcome) == ["key.agent-unreachable"]
    assert outcome.findings[0].severity is Severity.ERROR
    assert outcome.findings[0].params["socket"] == str(tmp_path / "gone")
    with_file = {"private_keys": (Reference("file", str(key)),)}
    assert codes(run_check(CHECK, make_tunnel(bastion={"agent": "", **with_file}))) == []
    with_password = {"password": Reference("env", "X")}
    one_key = run_check(CHECK, make_tunnel(bastion={"agent": "SHA256:" + "A" * 43, **with_password}))
    assert [finding.severity for finding in one_key.findings] == [Severity.WARNING]


def test_an_agent_without_the_key_of_the_file_beside_it_is_no_trouble(
    agent: Path, key: Path, tmp_path: Path, run_check: Run, make_tunnel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``IdentitiesOnly yes`` in ssh_config: ssh asks the agent for that key alone, else takes the file."""
    both = {"agent": "SHA256:" + "A" * 43, "private_keys": (Reference("file", str(key)),)}
    assert run_check(CHECK, make_tunnel(bastion=both)).skipped
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    assert run_check(CHECK, make_tunnel(bastion=both)).skipped


def test_a_tunnel_without_the_agent_never_looks_for_it(
    run_check: Run, make_tunnel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nonexistent/agent")
    assert CHECK.applies(make_tunnel(), Policy())
    assert run_check(CHECK, make_tunnel()).skipped
