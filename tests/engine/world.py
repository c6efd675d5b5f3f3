"""A little world for the engine: fabricated checks, pages written to a folder, one run read to its end."""

from collections.abc import Sequence
from pathlib import Path

from tunneldoctor.engine import Run
from tunneldoctor.model import (
    Address,
    Check,
    CheckPackage,
    Database,
    Event,
    Hop,
    Policy,
    Reference,
    Report,
    RunFinished,
    Secret,
    Tunnel,
)


def make_tunnel(hops: int = 1, timeout: float = 5.0) -> Tunnel:
    names = [f"via-{number}" for number in range(1, hops)] + ["bastion"]
    return Tunnel(
        name="orders",
        hops=tuple(Hop(name, f"{name}.example.com", username="tunnel") for name in names),
        remote=Address("db.internal", 5432),
        database=Database("postgresql", "db.internal", 5432, "app", "orders"),
        connect_timeout=timeout,
    )


class World:
    """Pages below a folder, and runs of fabricated checks against them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def page(self, code: str, **front: object) -> None:
        layer, _, name = code.partition(".")
        (self.folder / layer).mkdir(exist_ok=True)
        values = {"title": code, "summary": f"{code} it is", **front}
        lines = "".join(f"{key}: {value!r}\n" for key, value in values.items())
        (self.folder / layer / f"{name}.md").write_text(f"---\n{lines}---\nbody\n")

    def run(self, *checks: Check, tunnel: Tunnel | None = None, policy: Policy | None = None) -> Run:
        package = CheckPackage("fabricated", checks, self.folder)
        return Run(tunnel or make_tunnel(), [package], policy or Policy(), no_secret)

    def report(self, *checks: Check, tunnel: Tunnel | None = None, policy: Policy | None = None) -> Report:
        return last_report(list(self.run(*checks, tunnel=tunnel, policy=policy).events()))


def no_secret(reference: Reference) -> Secret:
    return Secret.of(reference.name)


def last_report(events: Sequence[Event]) -> Report:
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    return finished.report


def statuses(report: Report) -> dict[str, str]:
    return {f"{check.id}@{check.hop}": str(check.status) for check in report.checks}
