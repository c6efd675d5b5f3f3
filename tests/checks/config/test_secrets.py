from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.checks.doubles import FakeContext, a_tunnel, examine
from tunneldoctor.model import (
    Database,
    Hop,
    Outcome,
    Reference,
    Secret,
    SecretUnavailable,
    Severity,
    Tunnel,
)
from tunneldoctor_checks.config.secrets import CHECK

Make = Callable[..., Tunnel]
Run = Callable[..., Outcome]


def env(name: str) -> Reference:
    return Reference("env", name)


def test_secrets_that_are_there_pass(make_tunnel: Make, run_check: Run) -> None:
    database = Database("postgresql", "db", 5432, password=env("DB"))
    tunnel = make_tunnel(bastion={"passphrase": env("PP"), "password": env("PW")}, database=database)
    outcome = run_check(CHECK, tunnel, secrets={"env:PP": "a", "env:PW": "b", "env:DB": "c"})
    assert outcome == Outcome()


@pytest.mark.parametrize(
    ("bastion", "key"),
    [
        ({"private_keys": (env("GONE"),)}, "private_key"),
        ({"passphrase": env("GONE")}, "private_key_passphrase"),
        ({"certificate": Reference("file", "/gone")}, "certificate"),
        ({"password": env("GONE")}, "bastion_password"),
        ({"known_hosts": (env("GONE"),)}, "known_hosts"),
    ],
)
def test_each_dangling_reference_is_found(make_tunnel: Make, run_check: Run, bastion: dict[str, Any], key: str) -> None:
    (finding,) = run_check(CHECK, make_tunnel(bastion=bastion)).findings
    assert (finding.code, finding.params["key"], finding.severity) == ("config.secret-not-found", key, None)


def test_the_databases_password_too(make_tunnel: Make, run_check: Run) -> None:
    database = Database("postgresql", "db", 5432, password=env("GONE"))
    (finding,) = run_check(CHECK, make_tunnel(database=database)).findings
    assert finding.params["reference"] == "env:GONE"
    assert finding.params["key"] == "database_password"


def test_a_keys_own_file_and_a_list_of_hosts_are_for_other_checks(make_tunnel: Make, run_check: Run) -> None:
    gone = Reference("file", "/gone")
    assert run_check(CHECK, make_tunnel(bastion={"private_keys": (gone,), "known_hosts": (gone,)})) == Outcome()


def test_what_is_there_but_empty_counts_as_not_there(make_tunnel: Make, run_check: Run) -> None:
    (finding,) = run_check(CHECK, make_tunnel(bastion={"password": env("PW")}), secrets={"env:PW": " \n"}).findings
    assert "empty" in str(finding.params["reason"])


def test_an_empty_key_is_for_the_keys_own_checks(make_tunnel: Make, run_check: Run) -> None:
    tunnel = make_tunnel(bastion={"private_keys": (env("KEY"),)})
    assert run_check(CHECK, tunnel, secrets={"env:KEY": ""}) == Outcome()


def test_a_reference_that_jump_hosts_share_is_told_once(make_tunnel: Make, run_check: Run) -> None:
    via = (Hop("via-1", "a", passphrase=env("PP")), Hop("via-2", "b", private_keys=(env("K2"),)))
    found = run_check(CHECK, make_tunnel(via=via, bastion={"passphrase": env("PP")})).findings
    assert [finding.params["key"] for finding in found] == ["private_key_passphrase", "via"]


def test_what_only_looks_around_is_a_warning(make_tunnel: Make, run_check: Run) -> None:
    (finding,) = run_check(CHECK, make_tunnel(admin=Hop("admin", "b", private_keys=(env("OPS"),)))).findings
    assert (finding.params["key"], finding.severity) == ("admin_private_key", Severity.WARNING)


def test_the_passphrase_of_a_key_that_needs_none_is_a_warning(
    make_tunnel: Make, run_check: Run, tmp_path: Path
) -> None:
    for passphrase, severity in ((None, Severity.WARNING), ("secret", None)):
        key = tmp_path / f"key-{passphrase}"
        paramiko.ECDSAKey.generate().write_private_key_file(str(key), password=passphrase)
        bastion = {"private_keys": (Reference("file", str(key)),), "passphrase": env("PP")}
        (finding,) = run_check(CHECK, make_tunnel(bastion=bastion)).findings
        assert finding.severity is severity


class Store(FakeContext):
    """A context whose secrets come from a store that misbehaves; no real one can be told to."""

    def __init__(self, failure: Callable[[Reference], Secret], seconds: float = 5.0) -> None:
        tunnel = a_tunnel(bastion={"password": Reference("keyring", "a/b")})
        super().__init__(tunnel, tunnel.bastion, {}, CHECK, seconds=seconds)
        self._failure = failure

    def secret(self, reference: Reference) -> Secret:
        return self._failure(reference)


def test_a_store_that_can_not_be_used_here_is_unknown_and_not_a_fault_of_the_tunnel() -> None:
    def unsupported(reference: Reference) -> Secret:
        raise SecretUnavailable(reference, "unsupported", "reading a keyring needs pip install 'tunneldoctor[keyring]'")

    outcome = examine(CHECK, Store(unsupported))
    assert outcome.findings == ()
    assert "tunneldoctor[keyring]" in str(outcome.unknown)


def test_a_store_that_hangs_is_unknown_within_the_deadline() -> None:
    never = threading.Event()

    def hang(reference: Reference) -> Secret:
        never.wait(30)
        raise SecretUnavailable(reference, "missing", "")

    outcome = examine(CHECK, Store(hang, seconds=0.3))
    never.set()
    assert outcome.findings == ()
    assert "no answer" in str(outcome.unknown)


def test_a_store_that_breaks_does_not_tell_its_words() -> None:
    def fail(reference: Reference) -> Secret:
        raise RuntimeError("hunter2")

    outcome = examine(CHECK, Store(fail))
    assert "RuntimeError" in str(outcome.unknown)
    assert "hunter2" not in repr(outcome)
