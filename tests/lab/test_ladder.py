"""The ladder that looks for a cut-off, when somebody or something comes in between. What it finds is in idle.toml."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.lab.session import why_not
from fixtures.lab.stage import staged
from fixtures.scenario import Expectation, NetworkSide, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.lab.session import Lab
    from fixtures.lab.stage import Stage

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(why_not(needs_root=True) is not None, reason=str(why_not(needs_root=True))),
]

HEALTHY = Scenario("x", Expectation("healthy", 0))


def start(stage: Stage, *options: str) -> subprocess.Popen[str]:
    command = [option for option in stage.check_command() if option != "--json"]
    argv = stage.client.command([*command, "--format", "ndjson", "--find-cutoff", *options])
    return subprocess.Popen(argv, env=stage.env, cwd=stage.folder, stdout=subprocess.PIPE, text=True)


def standings(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """What the ladder tells while it goes on."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "check.progress" and event["check"] == "idle.ladder":
            yield event["values"]


def end(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Exit status and report."""
    try:
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, json.loads(out.splitlines()[-1])["report"]


def ladder(report: dict[str, Any]) -> dict[str, Any]:
    return next(check for check in report["checks"] if check["id"] == "idle.ladder")


def test_ctrl_c_tells_what_is_known_by_then(lab: Lab) -> None:
    with staged(HEALTHY, lab) as stage:
        process = start(stage, "--up-to", "30s")
        next(each for each in standings(process) if each["alive_after_seconds"])
        process.send_signal(signal.SIGINT)
        status, report = end(process)
    assert (status, report["exit_code"], report["complete"]) == (130, 130, False)
    assert report["facts"]["idle.alive_after_seconds"] > 1
    assert "alive after" in ladder(report)["reason"]


def test_a_run_that_was_stopped_for_a_while_tells_how_long_connections_really_rested(lab: Lab) -> None:
    """Ctrl-Z, or a machine with no time for us: what was to be used after 2 s is used later, and dead."""
    box = NetworkSide(router=("stateful-reset",), forget_after=5)
    with staged(replace(HEALTHY, level="network", network=box), lab) as stage:
        process = start(stage, "--up-to", "7s", "--connections", "4")
        next(each for each in standings(process) if each["sessions_opened"] == each["sessions_asked"])
        process.send_signal(signal.SIGSTOP)
        time.sleep(3)  # nothing happens that could be waited for
        process.send_signal(signal.SIGCONT)
        _, report = end(process)
    assert report["diagnosis"]["code"] == "idle.middlebox"
    assert report["facts"]["idle.alive_after_seconds"] < 5 < report["facts"]["idle.dead_after_seconds"]


def test_it_opens_no_more_connections_than_it_was_allowed(lab: Lab) -> None:
    with staged(HEALTHY, lab) as stage:
        process = start(stage, "--up-to", "2s", "--connections", "5")
        told = list(standings(process))[-1]
        process.communicate(timeout=60)
        logins = [line for line in stage.ssh_servers["bastion"].lines if line.startswith("Accepted publickey")]
    assert (len(logins), told["connections_asked"], told["connections_opened"]) == (5 + 1, 5, 5)
    assert told["sessions_opened"] == told["sessions_asked"] > 0
