"""Cut-offs that are staged, and what a ladder said of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fixtures.scenario import Expectation, NetworkSide, Scenario, SshSide


@dataclass(frozen=True, slots=True)
class Way:
    """A way to end unused connections. ``rules`` are the router's; without any, it is the proxy in front of sshd."""

    name: str
    symptom: str
    rules: tuple[str, ...] = ()

    def staged_for(self, cutoff: int) -> Scenario:
        """The network in which connections end after *cutoff* seconds."""
        timeouts = (f"timeout client {cutoff}s", f"timeout server {cutoff}s")
        proxy = SshSide(front="balanced", front_settings=timeouts)
        return Scenario(
            f"{self.name}, {cutoff} s",
            Expectation(code="idle.middlebox", symptom=self.symptom),
            "network",
            SshSide() if self.rules else proxy,
            network=NetworkSide(router=self.rules, forget_after=cutoff if self.rules else 0),
        )


WAYS = (
    Way("silent", "idle.dropped-silently", ("stateful",)),
    Way("reset at the next packet", "idle.dropped-with-reset", ("stateful-reset",)),
    Way("closed at once", "idle.closed"),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """The seconds from a ladder's beginning until it told both bounds, and until it was done; the report.

    Infinite and empty where there was none. ``bracket`` is when both bounds are told for the first time: what comes
    then are second connections, and those that are kept alive in one way or another.
    """

    bracket: float
    seconds: float
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What one ladder said, and the seconds that a bare byte through the same box took to be noticed."""

    way: Way
    cutoff: int
    notice: float
    heard: Heard

    @property
    def report(self) -> dict[str, Any]:
        """What it said in the end."""
        return self.heard.report

    @property
    def diagnosis(self) -> dict[str, Any]:
        """The report's; empty where nothing was found."""
        return self.report.get("diagnosis") or {}

    def as_multiple(self, seconds: float) -> float:
        """*seconds* as a multiple of what can't be undercut."""
        return seconds / (self.cutoff + self.notice)

    @property
    def measured(self) -> float | None:
        """The cut-off in seconds, if one was found."""
        value = self.report.get("facts", {}).get("idle.cutoff_seconds")
        return float(value) if value is not None else None

    @property
    def missed_by(self) -> float:
        """By what share of itself the cut-off was missed."""
        return math.inf if self.measured is None else abs(self.measured - self.cutoff) / self.cutoff

    @property
    def named(self) -> bool:
        """Whether the way is right, and the box among the causes."""
        said = {self.diagnosis.get("code"), self.diagnosis.get("symptom")}
        return self.way.symptom in said and "idle.middlebox" in self.diagnosis.get("causes", ())
