"""The check that reads known_hosts: which lines it names, and what it hands on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.doubles import codes
from tunneldoctor.model import Address, Outcome, Reference, Secret, Tunnel
from tunneldoctor.ssh.pins import Pins
from tunneldoctor_checks.facts import ENDPOINT, PINS
from tunneldoctor_checks.hostkey.pins import CHECK

Run = Callable[..., Outcome]
Make = Callable[..., Tunnel]
ENDPOINT_22 = {ENDPOINT: Address("bastion.example.com", 22)}


@pytest.fixture
def key(tmp_path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "host")], check=True)
    return " ".join((tmp_path / "host.pub").read_text().split()[:2])


@pytest.fixture
def pinned(run_check: Run, make_tunnel: Make, tmp_path: Path) -> Callable[..., Outcome]:
    def run(text: str, port: int = 22, alias: str | None = None) -> Outcome:
        (tmp_path / "known").write_text(text)
        files = (Reference("file", str(tmp_path / "known")),)
        tunnel = make_tunnel(bastion={"known_hosts": files, "host_key_alias": alias})
        return run_check(CHECK, tunnel, None, {ENDPOINT: Address("bastion.example.com", port)})

    return run


def pins(outcome: Outcome) -> Pins:
    found: Pins = outcome.facts[PINS]
    return found


def test_the_line_of_the_host_is_handed_on_with_its_type(key: str, pinned: Run, tmp_path: Path) -> None:
    outcome = pinned(f"other {key}\nbastion.example.com {key}\n")
    assert codes(outcome) == []
    assert [pin.place for pin in pins(outcome).lines] == [f"{tmp_path / 'known'}:2"]
    assert pins(outcome).key_types() == ("ssh-ed25519",)


def test_a_port_and_an_alias_decide_what_is_looked_up(key: str, pinned: Run) -> None:
    text = f"bastion.example.com {key}\n[bastion.example.com]:2222 {key}\nalias {key}\n"
    assert [pin.number for pin in pins(pinned(text, 2222)).lines] == [2]
    assert [pin.number for pin in pins(pinned(text, 2222)).bare] == [1]
    assert [pin.number for pin in pins(pinned(text, 2222, "alias")).lines] == [3]


def test_an_unreadable_line_is_named_and_the_rest_counts(key: str, pinned: Run, tmp_path: Path) -> None:
    outcome = pinned(f"bastion.example.com {key[:-9]}\nbastion.example.com {key}\n")
    assert codes(outcome) == ["hostkey.bad-known-hosts-line"]
    assert outcome.findings[0].params["file"] == str(tmp_path / "known")
    assert outcome.findings[0].params["line"] == 1
    assert len(pins(outcome).lines) == 1


def test_many_unreadable_lines_are_counted_not_listed(pinned: Run) -> None:
    outcome = pinned("nonsense\n" * 100)
    assert codes(outcome) == ["hostkey.bad-known-hosts-line"] * 5
    assert "95 more lines" in outcome.findings[-1].evidence[-1].text


def test_comments_markers_patterns_and_hashes_are_healthy(key: str, pinned: Run) -> None:
    text = f"# comment\n\n@cert-authority *.example.com {key}\n@revoked * {key}\n*.example.com,!x {key} comment\n"
    assert codes(pinned(text)) == []


def test_an_absent_file_is_like_an_empty_one_and_is_mentioned(
    run_check: Run, make_tunnel: Make, tmp_path: Path
) -> None:
    tunnel = make_tunnel(bastion={"known_hosts": (Reference("file", str(tmp_path / "absent")),)})
    outcome = run_check(CHECK, tunnel, None, ENDPOINT_22)
    assert codes(outcome) == []
    assert pins(outcome).missing == (f"{tmp_path / 'absent'} is not there",)


def test_a_fingerprint_in_the_configuration_replaces_known_hosts(key: str, run_check: Run, make_tunnel: Make) -> None:
    text = Reference("literal", "", Secret.of(f"bastion.example.com {key}\n"))
    tunnel = make_tunnel(bastion={"host_keys": ("SHA256:abc",), "known_hosts": (text,)})
    outcome = run_check(CHECK, tunnel, None, ENDPOINT_22)
    assert pins(outcome).fingerprints == ("SHA256:abc",)
    assert pins(outcome).lines == ()


def test_the_text_of_known_hosts_is_taken_as_it_is(key: str, run_check: Run, make_tunnel: Make) -> None:
    text = Reference("literal", "", Secret.of(f"bastion.example.com {key}\n"))
    outcome = run_check(CHECK, make_tunnel(bastion={"known_hosts": (text,)}), None, ENDPOINT_22)
    assert len(pins(outcome).lines) == 1
