"""The check of the private key: what a user sees for each way in which a key file can be wrong."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.checks.doubles import FakeContext, codes
from tunneldoctor.config.secrets import read_secret
from tunneldoctor.model import Outcome, Reference, Secret, SecretUnavailable, Severity, Tunnel
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.keys import examine
from tunneldoctor_checks.facts import AGENT_IDENTITIES, FILE_IDENTITIES
from tunneldoctor_checks.key.private_key import CHECK

Run = Callable[..., Outcome]
Make = Callable[..., Tunnel]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return generate(tmp_path / "key")


def generate(path: Path, passphrase: str = "") -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def with_keys(make_tunnel: Make, *names: Path | str, **rest: Any) -> Tunnel:
    return make_tunnel(bastion={"private_keys": tuple(Reference("file", str(name)) for name in names), **rest})


def identities(outcome: Outcome) -> list[str]:
    return [each.source for each in outcome.facts.get(FILE_IDENTITIES, ())]


def test_a_good_key_passes_and_is_handed_on(key: Path, run_check: Run, make_tunnel: Make) -> None:
    outcome = run_check(CHECK, with_keys(make_tunnel, key))
    assert codes(outcome) == []
    assert identities(outcome) == [f"file:{key}"]


def test_a_damaged_key_is_an_error_and_is_handed_on_repaired(key: Path, run_check: Run, make_tunnel: Make) -> None:
    key.write_bytes(key.read_bytes().replace(b"\n", b"\r\n"))
    outcome = run_check(CHECK, with_keys(make_tunnel, key))
    assert codes(outcome) == ["key.crlf-line-endings"]
    assert outcome.findings[0].severity is Severity.ERROR
    assert outcome.findings[0].params["count"] == 7
    assert identities(outcome) == [f"file:{key}"]


def test_an_absent_key_is_named_with_the_part_of_the_path_that_is_there(
    tmp_path: Path, run_check: Run, make_tunnel: Make
) -> None:
    outcome = run_check(CHECK, with_keys(make_tunnel, tmp_path / "a" / "b"))
    assert codes(outcome) == ["key.not-found"]
    assert outcome.findings[0].severity in (None, Severity.ERROR)
    assert str(tmp_path) in outcome.findings[0].evidence[1].text
    assert not outcome.facts


def test_a_key_that_may_not_be_read_is_not_an_absent_one(
    key: Path, run_check: Run, make_tunnel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the refusal is played where secrets are read."""

    def refuse(self: FakeContext, reference: Reference) -> Secret:
        raise SecretUnavailable(reference, "unreadable", "Permission denied")

    monkeypatch.setattr(FakeContext, "secret", refuse)
    assert codes(run_check(CHECK, with_keys(make_tunnel, key))) == ["key.unreadable"]


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices are POSIX")
def test_what_is_no_file_is_said_to_be_what_it_is(
    tmp_path: Path, run_check: Run, make_tunnel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeContext, "secret", lambda self, reference: read_secret(reference))
    os.mkfifo(tmp_path / "pipe")
    for name, words in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe"), ("/dev/zero", "a device")):
        outcome = run_check(CHECK, with_keys(make_tunnel, name))
        assert codes(outcome) == ["key.not-a-key"]
        assert words in str(outcome.findings[0].params["what"])


def test_a_link_to_a_key_closed_to_all_but_its_owner_is_a_good_key(
    key: Path, tmp_path: Path, run_check: Run, make_tunnel: Make
) -> None:
    key.chmod(0o400)
    (tmp_path / "link").symlink_to(key)
    (tmp_path / "key.pub").unlink()
    outcome = run_check(CHECK, with_keys(make_tunnel, tmp_path / "link"))
    assert codes(outcome) == []
    assert identities(outcome) == [f"file:{tmp_path / 'link'}"]


def test_a_key_that_takes_too_long_to_open_is_unknown_and_no_fault(
    tmp_path: Path, run_check: Run, make_tunnel: Make
) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-a", "200", "-N", "secret", "-f", str(tmp_path / "slow")]
    subprocess.run(command, check=True)
    tunnel = with_keys(make_tunnel, tmp_path / "slow", passphrase=Reference("env", "WORD"))
    outcome = run_check(CHECK, replace(tunnel, connect_timeout=2.0), secrets={"env:WORD": "secret"})
    assert [(each.code, each.severity) for each in outcome.findings] == [("key.cipher-unsupported", Severity.WARNING)]
    assert "--timeout" in str(outcome.unknown)


def test_the_advice_names_the_key_that_is_damaged_and_not_the_first(
    key: Path, tmp_path: Path, run_check: Run, make_tunnel: Make
) -> None:
    second = generate(tmp_path / "second")
    second.write_bytes(second.read_bytes().rstrip(b"\n"))
    outcome = run_check(CHECK, with_keys(make_tunnel, key, second))
    assert [each.params["private_key"] for each in outcome.findings] == [str(second)]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o777, 0o610])
def test_a_key_that_others_may_touch_is_named_and_still_used(
    mode: int, key: Path, run_check: Run, make_tunnel: Make
) -> None:
    key.chmod(mode)
    outcome = run_check(CHECK, with_keys(make_tunnel, key))
    assert codes(outcome) == ["key.permissions-too-open"]
    assert outcome.findings[0].params["mode"] == f"{mode:04o}"
    assert identities(outcome) == [f"file:{key}"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
def test_the_mode_of_somebody_else_s_key_is_not_our_business(key: Path, run_check: Run, make_tunnel: Make) -> None:
    key.chmod(0o644)
    os.chown(key, 65534, 65534)
    assert codes(run_check(CHECK, with_keys(make_tunnel, key))) == []


def test_a_missing_passphrase_makes_the_answer_unknown(tmp_path: Path, run_check: Run, make_tunnel: Make) -> None:
    outcome = run_check(CHECK, with_keys(make_tunnel, generate(tmp_path / "k", "secret")))
    assert codes(outcome) == ["key.passphrase-missing"]
    assert outcome.findings[0].severity is Severity.WARNING
    assert outcome.unknown is not None
    assert "private_key_passphrase" in outcome.unknown
    assert not outcome.facts


def test_a_passphrase_that_can_t_be_read_is_said_to_be_it(tmp_path: Path, run_check: Run, make_tunnel: Make) -> None:
    tunnel = with_keys(make_tunnel, generate(tmp_path / "k", "secret"), passphrase=Reference("env", "NOT_SET_ANYWHERE"))
    outcome = run_check(CHECK, tunnel)
    assert outcome.unknown is not None
    assert "NOT_SET_ANYWHERE" in outcome.unknown


def test_a_wrong_passphrase_is_an_error_and_appears_nowhere(tmp_path: Path, run_check: Run, make_tunnel: Make) -> None:
    tunnel = with_keys(make_tunnel, generate(tmp_path / "k", "secret"), passphrase=Reference("env", "WORD"))
    outcome = run_check(CHECK, tunnel, secrets={"env:WORD": "not-the-secret"})
    assert codes(outcome) == ["key.passphrase-wrong"]
    assert outcome.findings[0].severity is Severity.ERROR
    assert "not-the-secret" not in repr(outcome)


def test_a_locked_key_that_the_agent_holds_open_is_no_trouble(
    tmp_path: Path, run_check: Run, make_tunnel: Make
) -> None:
    path = generate(tmp_path / "k", "secret")
    opened = examine(path.read_bytes(), b"secret").key
    assert opened is not None
    tunnel = with_keys(make_tunnel, path, agent="")
    outcome = run_check(CHECK, tunnel, None, {AGENT_IDENTITIES: (Identity.of("agent", opened),)})
    assert codes(outcome) == []
    assert outcome.unknown is None


def test_with_one_good_key_an_absent_one_is_nothing_and_a_damaged_one_a_warning(
    key: Path, tmp_path: Path, run_check: Run, make_tunnel: Make
) -> None:
    broken = generate(tmp_path / "broken")
    broken.write_bytes(broken.read_bytes()[:200])
    outcome = run_check(CHECK, with_keys(make_tunnel, tmp_path / "absent", broken, key))
    assert codes(outcome) == ["key.truncated"]
    assert outcome.findings[0].severity is Severity.WARNING
    assert identities(outcome) == [f"file:{key}"]


def test_without_any_good_key_every_fault_is_an_error(tmp_path: Path, run_check: Run, make_tunnel: Make) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "empty").chmod(0o600)
    outcome = run_check(CHECK, with_keys(make_tunnel, tmp_path / "absent", tmp_path / "empty"))
    assert codes(outcome) == ["key.not-found", "key.empty"]
    assert all(finding.severity in (None, Severity.ERROR) for finding in outcome.findings)


def test_the_text_of_a_key_is_taken_as_the_key(key: Path, run_check: Run, make_tunnel: Make) -> None:
    reference = Reference("literal", "", Secret(key.read_bytes()))
    outcome = run_check(CHECK, make_tunnel(bastion={"private_keys": (reference,)}))
    assert codes(outcome) == []
    assert identities(outcome) == ["(given in plain text)"]


def test_a_dangling_reference_that_is_no_file_is_unknown_here(run_check: Run, make_tunnel: Make) -> None:
    outcome = run_check(CHECK, make_tunnel(bastion={"private_keys": (Reference("env", "NOT_SET_ANYWHERE"),)}))
    assert codes(outcome) == []
    assert outcome.unknown is not None


def test_a_hop_without_keys_is_skipped(run_check: Run, make_tunnel: Make) -> None:
    assert run_check(CHECK, make_tunnel()).skipped


def test_nothing_of_the_key_is_in_the_outcome(key: Path, run_check: Run, make_tunnel: Make) -> None:
    secret = b"".join(key.read_bytes().splitlines()[2:4]).decode()[:60]
    key.write_bytes(b"junk " + key.read_bytes())
    assert secret not in repr(run_check(CHECK, with_keys(make_tunnel, key)))
