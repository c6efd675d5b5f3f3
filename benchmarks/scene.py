"""A healthy tunnel (sshd, PostgreSQL over TLS), near or behind a delay, and ways to go through it."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures.lab import client
from fixtures.lab.delay import DelayProxy
from fixtures.lab.stage import Stage, staged
from fixtures.scenario import Expectation, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.lab.session import Lab

#: Seconds that each direction takes: a round trip of 40 ms.
ONE_WAY = 0.02

HEALTHY = Scenario("bench", Expectation("healthy", 0), tunnel={"connect_timeout": "10s"})


@dataclass(frozen=True, slots=True)
class Scene:
    """A staged tunnel whose bastion is reached on ``port``; ``proxy`` counts where there is a delay."""

    stage: Stage
    port: int
    proxy: DelayProxy | None


def program() -> list[str]:
    """The command as users have it: the installed script where there is one."""
    script = Path(sys.executable).with_name("tunneldoctor")
    return [str(script)] if script.exists() else [sys.executable, "-m", "tunneldoctor"]


def check_command(scene: Scene, *options: str) -> list[str]:
    """``tunneldoctor check`` of the scene's one tunnel."""
    return [*program(), "check", client.TUNNEL, "--config", str(scene.stage.config), *options]


@contextlib.contextmanager
def near(lab: Lab, scenario: Scenario = HEALTHY) -> Iterator[Scene]:
    """The tunnel on loopback."""
    with staged(scenario, lab) as stage:
        yield Scene(stage, stage.words["bastion_port"], None)


@contextlib.contextmanager
def far(lab: Lab, scenario: Scenario = HEALTHY) -> Iterator[Scene]:
    """The same, with 40 ms between us and the bastion."""
    with staged(scenario, lab) as stage, DelayProxy("127.0.0.1", stage.words["bastion_port"], ONE_WAY) as proxy:
        stage.words |= {"bastion_port": proxy.port, "bastion": f"[127.0.0.1]:{proxy.port}"}
        client.write_files(stage)
        yield Scene(stage, proxy.port, proxy)
