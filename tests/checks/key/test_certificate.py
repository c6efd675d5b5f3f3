"""The check of the certificate: what is said of each, what it rules out, and what is offered in which order."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.checks.doubles import codes
from tunneldoctor.model import Outcome, Reference, Severity, Tunnel
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.keys import examine
from tunneldoctor_checks.facts import AGENT_IDENTITIES, CERTIFICATE_FAULTS, FILE_IDENTITIES, IDENTITIES, USERNAME
from tunneldoctor_checks.key.certificate import CHECK

Run = Callable[..., Outcome]
Make = Callable[..., Tunnel]
CERTIFICATE_CAUSES = {
    "auth.certificate-authority-untrusted",
    "auth.certificate-source-address",
    "auth.certificate-principal-not-authorized",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ca", "key", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    return tmp_path


def sign(folder: Path, *options: str, key: str = "key", to: str = "explicit.pub") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-s", "ca", "-I", "id", *options, f"{key}.pub"], cwd=folder, check=True)
    return (folder / f"{key}-cert.pub").rename(folder / to)


def identity(folder: Path, name: str = "key", source: str | None = None) -> Identity:
    key = examine((folder / name).read_bytes()).key
    assert key is not None
    return Identity.of(source or f"file:{folder / name}", key)


def tunnel(make_tunnel: Make, folder: Path, certificate: Path | None = None, **rest: Any) -> Tunnel:
    keys = (Reference("file", str(folder / "key")),)
    named = Reference("file", str(certificate)) if certificate else None
    return make_tunnel(bastion={"private_keys": keys, "certificate": named, **rest})


@pytest.fixture
def explicit(folder: Path, run_check: Run, make_tunnel: Make) -> Callable[..., Outcome]:
    """Run the check with a certificate that the configuration names, made with these options of ssh-keygen."""

    def run(*options: str, key: str = "key") -> Outcome:
        path = sign(folder, *options, key=key)
        facts = {FILE_IDENTITIES: (identity(folder),), USERNAME: "tunnel"}
        return run_check(CHECK, tunnel(make_tunnel, folder, path), None, facts)

    return run


@pytest.fixture
def beside(folder: Path, run_check: Run, make_tunnel: Make) -> Callable[..., Outcome]:
    """The same with ``KEY-cert.pub`` beside the key, which nobody named."""

    def run(*options: str, key: str = "key") -> Outcome:
        sign(folder, *options, key=key, to="key-cert.pub")
        facts = {FILE_IDENTITIES: (identity(folder),), USERNAME: "tunnel"}
        return run_check(CHECK, tunnel(make_tunnel, folder), None, facts)

    return run


def out(outcome: Outcome) -> set[str]:
    return {ruling.code for ruling in outcome.rulings if ruling.out}


def confirmed(outcome: Outcome) -> set[str]:
    """What is handed on to those whom the server refuses; nothing is confirmed before that."""
    assert all(ruling.out for ruling in outcome.rulings)
    return {ruling.code for ruling in outcome.facts.get(CERTIFICATE_FAULTS, ())}


def offered(outcome: Outcome) -> list[bool]:
    """For each key in the order in which they are offered: with its certificate or without."""
    return [key.public_blob is not None for each in outcome.facts[IDENTITIES] for key in each.offers()]


def test_a_good_certificate_is_offered_first(explicit: Run) -> None:
    outcome = explicit("-n", "tunnel", "-V", "-1h:+1h")
    assert codes(outcome) == []
    assert offered(outcome) == [True, False]
    assert confirmed(outcome) == set()
    assert "key.certificate-expired" in out(outcome)
    assert out(outcome) & CERTIFICATE_CAUSES == {"auth.certificate-source-address"}


def test_a_source_address_leaves_that_cause_open(explicit: Run) -> None:
    assert not out(explicit("-n", "tunnel", "-O", "source-address=10.0.0.0/8")) & CERTIFICATE_CAUSES


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-n", "tunnel", "-V", "-2d:-1d"), "key.certificate-expired"),
        (("-n", "tunnel", "-V", "+1d:+2d"), "key.certificate-not-yet-valid"),
        ((), "key.certificate-no-principals"),
        (("-h", "-n", "tunnel"), "key.certificate-is-host-certificate"),
    ],
)
def test_a_certificate_that_servers_refuse_is_a_warning_that_explains_a_refusal(
    options: tuple[str, ...], code: str, explicit: Run
) -> None:
    outcome = explicit(*options)
    assert codes(outcome) == [code]
    assert outcome.findings[0].severity is Severity.WARNING
    assert confirmed(outcome) == {code}


def test_a_name_that_a_server_may_map_is_a_note_that_explains_a_refusal(explicit: Run) -> None:
    outcome = explicit("-n", "role-db")
    assert codes(outcome) == ["key.certificate-wrong-principal"]
    assert outcome.findings[0].severity is Severity.INFO
    assert outcome.findings[0].params["principals"] == "role-db"
    assert confirmed(outcome) == {"key.certificate-wrong-principal"}


def test_a_certificate_that_opens_no_tunnel_is_a_warning_that_explains_a_refusal(explicit: Run) -> None:
    outcome = explicit("-n", "tunnel", "-O", "clear")
    assert codes(outcome) == ["key.certificate-no-port-forwarding"]
    assert outcome.findings[0].severity is Severity.WARNING
    assert confirmed(outcome) == {"key.certificate-no-port-forwarding"}


def test_a_certificate_for_another_key_is_not_offered(explicit: Run) -> None:
    outcome = explicit("-n", "tunnel", key="other")
    assert codes(outcome) == ["key.certificate-mismatch"]
    assert offered(outcome) == [False]


def test_a_host_certificate_is_not_offered(explicit: Run) -> None:
    assert offered(explicit("-h", "-n", "tunnel")) == [False]


def test_what_is_no_certificate_is_named_with_the_reason(folder: Path, run_check: Run, make_tunnel: Make) -> None:
    facts = {FILE_IDENTITIES: (identity(folder),), USERNAME: "tunnel"}
    outcome = run_check(CHECK, tunnel(make_tunnel, folder, folder / "key.pub"), None, facts)
    assert codes(outcome) == ["key.certificate-unreadable"]
    assert "plain public key" in str(outcome.findings[0].params["reason"])
    assert offered(outcome) == [False]


def test_a_certificate_that_is_not_there_is_unknown_and_the_key_is_used(
    folder: Path, run_check: Run, make_tunnel: Make
) -> None:
    facts = {FILE_IDENTITIES: (identity(folder),), USERNAME: "tunnel"}
    outcome = run_check(CHECK, tunnel(make_tunnel, folder, folder / "absent"), None, facts)
    assert outcome.unknown
    assert offered(outcome) == [False]


def test_a_certificate_is_examined_even_where_the_key_failed(folder: Path, run_check: Run, make_tunnel: Make) -> None:
    path = sign(folder, "-n", "tunnel", "-V", "-2d:-1d")
    outcome = run_check(CHECK, tunnel(make_tunnel, folder, path), None, {USERNAME: "tunnel"})
    assert codes(outcome) == ["key.certificate-expired"]
    assert IDENTITIES not in outcome.facts


def test_a_good_neighbour_is_offered_after_the_plain_key_as_ssh_does(beside: Run) -> None:
    outcome = beside("-n", "tunnel")
    assert codes(outcome) == []
    assert offered(outcome) == [False, True]


@pytest.mark.parametrize(
    ("options", "key", "cause"),
    [
        (("-n", "tunnel", "-V", "-2d:-1d"), "key", "key.certificate-expired"),
        (("-n", "tunnel"), "other", "key.certificate-mismatch"),
        (("-h", "-n", "tunnel"), "key", "key.certificate-is-host-certificate"),
    ],
)
def test_a_neighbour_that_is_no_good_shadows_the_key(
    options: tuple[str, ...], key: str, cause: str, beside: Run, folder: Path
) -> None:
    outcome = beside(*options, key=key)
    assert codes(outcome) == ["key.certificate-shadows-key"]
    assert outcome.findings[0].severity is Severity.WARNING
    assert outcome.findings[0].params["path"] == str(folder / "key-cert.pub")
    assert confirmed(outcome) == {cause}


def test_a_neighbour_without_port_forwarding_is_only_a_warning(beside: Run) -> None:
    outcome = beside("-n", "tunnel", "-O", "clear")
    assert codes(outcome) == ["key.certificate-no-port-forwarding"]
    assert outcome.findings[0].severity is Severity.WARNING


def test_an_explicit_certificate_keeps_the_neighbour_out(folder: Path, run_check: Run, make_tunnel: Make) -> None:
    path = sign(folder, "-n", "tunnel")
    sign(folder, "-n", "tunnel", "-V", "-2d:-1d", to="key-cert.pub")
    facts = {FILE_IDENTITIES: (identity(folder),), USERNAME: "tunnel"}
    assert codes(run_check(CHECK, tunnel(make_tunnel, folder, path), None, facts)) == []


def test_without_a_certificate_all_causes_of_one_are_ruled_out(folder: Path, run_check: Run, make_tunnel: Make) -> None:
    facts = {FILE_IDENTITIES: (identity(folder),), USERNAME: "tunnel"}
    outcome = run_check(CHECK, tunnel(make_tunnel, folder), None, facts)
    assert out(outcome) >= CERTIFICATE_CAUSES
    assert "key.certificate-wrong-principal" in out(outcome)
    assert outcome.skipped
    assert offered(outcome) == [False]


def test_keys_go_in_the_order_of_openssh(folder: Path, run_check: Run, make_tunnel: Make) -> None:
    """Configured ones in the agent, its others, then files that it does not hold."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "third")], check=True)
    agent = (identity(folder, "other", "agent"), identity(folder, "key", "agent"))
    facts = {AGENT_IDENTITIES: agent, FILE_IDENTITIES: (identity(folder), identity(folder, "third"))}
    outcome = run_check(CHECK, tunnel(make_tunnel, folder, agent=""), None, facts)
    names = [(each.source.split(":")[0], each.fingerprint) for each in outcome.facts[IDENTITIES]]
    key, other, third = (identity(folder, name).fingerprint for name in ("key", "other", "third"))
    assert names == [("agent", key), ("agent", other), ("file", third)]


def test_with_several_keys_nothing_is_confirmed(folder: Path, run_check: Run, make_tunnel: Make) -> None:
    path = sign(folder, "-n", "tunnel", "-V", "-2d:-1d")
    facts = {FILE_IDENTITIES: (identity(folder), identity(folder, "other")), USERNAME: "tunnel"}
    outcome = run_check(CHECK, tunnel(make_tunnel, folder, path), None, facts)
    assert codes(outcome) == ["key.certificate-expired"]
    assert confirmed(outcome) == set()


def test_with_no_key_at_all_nothing_is_handed_on(run_check: Run, make_tunnel: Make) -> None:
    outcome = run_check(CHECK, make_tunnel())
    assert outcome.skipped
    assert not outcome.facts


def test_an_authority_that_signs_with_sha_1_is_a_note_that_explains_a_refusal(
    folder: Path, run_check: Run, make_tunnel: Make
) -> None:
    """sshd 9.2: "certificate signature algorithm ssh-rsa: signature algorithm not supported"."""
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", str(folder / "old")], check=True)
    command = ["ssh-keygen", "-q", "-s", "old", "-t", "ssh-rsa", "-I", "id", "-n", "tunnel", "key.pub"]
    subprocess.run(command, cwd=folder, check=True)
    facts = {FILE_IDENTITIES: (identity(folder),), USERNAME: "tunnel"}
    outcome = run_check(CHECK, tunnel(make_tunnel, folder, folder / "key-cert.pub"), None, facts)
    assert codes(outcome) == ["key.certificate-signed-with-sha1"]
    assert outcome.findings[0].severity is Severity.INFO
    assert confirmed(outcome) == {"key.certificate-signed-with-sha1"}


def test_an_option_that_no_sshd_knows_is_a_warning_that_explains_a_refusal(explicit: Run) -> None:
    outcome = explicit("-n", "tunnel", "-O", "critical:colour@example.com=red")
    assert codes(outcome) == ["key.certificate-unknown-option"]
    assert outcome.findings[0].severity is Severity.WARNING
    assert confirmed(outcome) == {"key.certificate-unknown-option"}
