"""Runs the db and idle checks through the engine, on plain sockets where a channel would be."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.database.conftest import authority, home, mariadb, postgres, server, servers  # noqa: F401 - fixtures
from tunneldoctor.catalog import Catalog
from tunneldoctor.engine import Run
from tunneldoctor.model import (
    Address,
    Check,
    CheckPackage,
    Context,
    Database,
    FindingReport,
    Hop,
    Layer,
    Outcome,
    Policy,
    Reference,
    Report,
    RunFinished,
    Secret,
    SecretUnavailable,
    Tls,
    Tunnel,
    Where,
)
from tunneldoctor.ssh.heard import Answer
from tunneldoctor_checks import PACKAGE
from tunneldoctor_checks.facts import CHANNEL, DATABASE, SESSION, TARGET

NAME = "db.internal.example"
SECRETS = {"good": "correct horse", "wrong": "battery staple", "empty": ""}


class Piece(socket.socket):
    """A socket that tells of itself what a channel does."""

    @property
    def has_ended(self) -> bool:
        return False


class Bastion:
    """Stands for the SSH connection: opens plain connections to the port, whatever name is asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_active = True
        self.carries_channels = True
        self.started = 0.0
        self.answers = True
        self.software = "OpenSSH_9.2p1"
        self.end = self.disconnect = None
        self.opened: list[socket.socket] = []

    def open(self, address: Address, timeout: float) -> socket.socket:
        connected = socket.create_connection(("127.0.0.1", self.port), timeout)
        stream = Piece(fileno=connected.detach())
        self.opened.append(stream)
        return stream

    def round_trip(self, timeout: float) -> float | None:
        return 0.001 if self.answers else None

    def question(self) -> Answer:
        answer = Answer(granted=False if self.answers else None)
        if self.answers:
            answer.arrived.set()
        return answer

    def close(self) -> None:
        for stream in self.opened:
            stream.close()


def database(port: int, user: str = "app", name: str = "app", password: str | None = "good", **more: Any) -> Database:
    tls = more.pop("tls", Tls("require"))
    reference = Reference("env", password) if password else None
    return Database("postgresql", more.pop("host", NAME), port, user, name, reference, tls, **more)


def tunnel(wanted: Database | None, **more: Any) -> Tunnel:
    hop = Hop("bastion", more.pop("bastion_host", "bastion.example.com"), username="tunnel")
    remote = more.pop("remote", Address(NAME, wanted.port if wanted else 5432))
    return replace(Tunnel("orders", (hop,), remote, wanted, connect_timeout=4.0), **more)


def _secret(reference: Reference) -> Secret:
    if reference.name not in SECRETS:
        raise SecretUnavailable(reference, "missing", f"{reference.name} is not set")
    return Secret.of(SECRETS[reference.name])


Examine = Callable[..., Report]


@pytest.fixture
def examine() -> Iterator[Examine]:
    """Run the checks of the layers db and idle on a tunnel whose channel is a connection to the database's port."""
    bastions: list[Bastion] = []

    def run(asked: Tunnel, *, port: int | None = None, with_session: bool = True, policy: Policy | None = None,
            bastion: Bastion | None = None) -> Report:  # fmt: skip
        behind = bastion or Bastion(port or (asked.database.port if asked.database else 0))
        bastions.append(behind)
        facts: dict[Any, Any] = {TARGET: asked.remote}
        if with_session:
            facts[SESSION] = behind
        if asked.database:
            facts |= {CHANNEL: behind.open(Address(NAME, behind.port), 5), DATABASE: asked.database}
        giver = Check("forward.open", Layer.FORWARD, "the way is free", Where.BASTION, _giving(facts),
                      gives=(CHANNEL, DATABASE, SESSION, TARGET))  # fmt: skip
        ours = tuple(check for check in PACKAGE.checks if check.layer in (Layer.DB, Layer.IDLE))
        packages = (CheckPackage("test", (giver, *ours), Path("/nonexistent")),)
        whole = Run(asked, packages, policy or Policy(), _secret, Catalog.of((PACKAGE,)))
        reports = [event.report for event in whole.events() if isinstance(event, RunFinished)]
        assert whole.defects == []
        return reports[0]

    yield run
    for each in bastions:
        each.close()


def _giving(facts: dict[Any, Any]) -> Callable[[Context], Outcome]:
    return lambda context: Outcome(facts=facts)


def codes(report: Report) -> list[str]:
    """All codes of the report, in its order."""
    return [finding.code for check in report.checks for finding in check.findings]


def status(report: Report, check: str) -> str:
    return str(next(each.status for each in report.checks if each.id == check))


def reason(report: Report, check: str) -> str:
    return next(each.reason or "" for each in report.checks if each.id == check)


def the_finding(report: Report) -> FindingReport:
    """The only finding."""
    (found,) = [finding for check in report.checks for finding in check.findings]
    return found
