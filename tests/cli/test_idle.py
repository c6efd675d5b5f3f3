"""``tunneldoctor idle`` and ``check --find-cutoff``: what can be asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ONE = """\
[tunnels.orders]
ssh_url = "ssh://tunnel@127.0.0.1:1"
private_key = "no-such-key"
idle_hold = "2m"
"""


@pytest.fixture(autouse=True)
def configured(tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(ONE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--find-cutoff", "--connections", "9"), "add --yes"),
        (("--find-cutoff", "--connections", "33", "--yes"), "33 is not in the range"),
        (("--find-cutoff", "--up-to", "1s"), "--up-to takes 2s to 24h"),
        (("--hold", "0s"), "--hold takes 1s or more"),
        (("--hold", "10m", "--find-cutoff"), "one after the other"),
        (("--up-to", "10m"), "belong to --find-cutoff"),
        (("--precise",), "belong to --find-cutoff"),
        (("--yes",), "belong to --find-cutoff"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_touched(program, arguments, words) -> None:
    done = program("idle", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize(("command", "option"), [("check", "--idle"), ("idle", "--hold")])
def test_holding_and_looking_for_the_cutoff_are_two_runs(program, command: str, option: str) -> None:
    done = program(command, option, "10m", "--find-cutoff")
    assert done.returncode == 2
    assert "one after the other" in done.stderr


@pytest.mark.parametrize(("arguments", "check"), [((), "idle.ssh-hold"), (("--find-cutoff",), "idle.ladder")])
def test_idle_runs_that_layer_and_what_it_needs(program, arguments: tuple[str, ...], check: str) -> None:
    report = json.loads(program("idle", "orders", "--json", *arguments).stdout)
    ran = {each["id"]: each["status"] for each in report["checks"]}
    assert ran[check] == "blocked"
    assert ran["tcp.connect"] == "fail"
    assert report["exit_code"] == 1


def test_nothing_is_measured_unless_asked_for(program) -> None:
    report = json.loads(program("check", "--json", "--no-history").stdout)
    (ladder,) = [each for each in report["checks"] if each["id"] == "idle.ladder"]
    assert (ladder["status"], ladder["reason"]) == ("skipped", "not asked for: --find-cutoff")
