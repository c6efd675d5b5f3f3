"""Black holes: at each stage the far side goes silent. When is the report there, and how soon is quitting done?"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure
from benchmarks.scene import Scene, check_command, near
from fixtures.lab.session import why_not
from fixtures.scenario import DatabaseSide, Expectation, Scenario, SshSide

if TYPE_CHECKING:
    from fixtures.lab.session import Lab

#: Seconds that a stage may take, and what may come on top of it for everything else.
TIMEOUT, ON_TOP = 3.0, 1.0
#: Seconds in which quitting has to be done.
QUIT_WITHIN = 0.5

_SILENT_LOGIN = ("AuthorizedKeysCommand /usr/bin/sleep 30", "AuthorizedKeysCommandUser nobody")
_TUNNEL = {"connect_timeout": f"{TIMEOUT:g}s"}


def _hole(name: str, code: str, **sides: Any) -> Scenario:
    return Scenario(name, Expectation(code=code), tunnel=_TUNNEL, **sides)


#: In the order of the path; the layer of the code is the one that hangs.
_HOLES = (
    _hole("packets dropped", "tcp.timeout", bastion=SshSide(server="backlog")),
    _hole("silent SSH server", "ssh.no-banner", bastion=SshSide(server="silence")),
    _hole("key exchange stalls", "ssh.kex-stalled", bastion=SshSide(server="banner-then-silence")),
    _hole("silent login", "auth.stalled", bastion=SshSide(sshd=_SILENT_LOGIN, authorized=()), root=True),
    _hole("forward into nothing", "forward.timeout", database=DatabaseSide(server="backlog")),
    _hole("silent database", "db.no-answer", database=DatabaseSide(server="silence")),
)


def measure(lab: Lab) -> list[Figure]:
    """Each hole: seconds to the report, and to the end after SIGINT."""
    figures = []
    for scenario in _HOLES:
        if why_not(scenario.needs_root):
            continue
        with near(lab, scenario) as scene:
            figures += [_report(scene, scenario), _quit(scene, scenario)]
    return figures


def _report(scene: Scene, scenario: Scenario) -> Figure:
    """A report that names something else has not looked into the hole: that counts as over."""
    command = check_command(scene, "--json")
    start = time.perf_counter()
    done = subprocess.run(command, env=scene.stage.env, capture_output=True, text=True, check=False, timeout=60)
    taken = time.perf_counter() - start
    code = (json.loads(done.stdout)["diagnosis"] or {}).get("code")
    seen = taken if code == scenario.expect.code else math.inf
    return Figure(f"{scenario.name}: report", seen, "s", TIMEOUT + ON_TOP, f"exit {done.returncode}, {code}")


def _quit(scene: Scene, scenario: Scenario) -> Figure:
    """SIGINT half a second after the layer's first check has begun to wait."""
    layer = str(scenario.expect.code).partition(".")[0]
    command = check_command(scene, "--format", "ndjson")
    with subprocess.Popen(command, env=scene.stage.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "check.started" and event["check"].startswith(f"{layer}."):
                break
        time.sleep(0.5)
        start = time.perf_counter()
        os.kill(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        process.wait(30)
        taken = time.perf_counter() - start
    complete = json.loads(rest.splitlines()[-1])["report"]["complete"] if rest.strip() else None
    detail = f"exit {process.returncode}, report complete: {complete}"
    return Figure(f"{scenario.name}: quitting", taken, "s", QUIT_WITHIN, detail)
