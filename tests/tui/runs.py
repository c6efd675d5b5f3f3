"""Events of runs that never were: made from the reports of tests/report, with their fixed times."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from textual.pilot import Pilot

from tests.report.scenarios import SCENARIOS
from tests.tui.screen import SIZES
from tunneldoctor.model import (
    CheckFinished,
    CheckReport,
    CheckStarted,
    Event,
    PlannedCheck,
    Report,
    RunFinished,
    RunStarted,
    Tunnel,
)
from tunneldoctor.tui.app import TunneldoctorApp
from tunneldoctor.tui.bridge import Installed
from tunneldoctor.tui.examination import ExaminationScreen
from tunneldoctor.tui.session import Session, UnknownTunnel


def sample(name: str) -> Report:
    """A report of tests/report by its name."""
    return SCENARIOS[name]()


def events_of(report: Report) -> list[Event]:
    """A run that would have led to *report*."""
    started = RunStarted(0.0, report.tunnel.name, tuple(map(_planned, report.checks)))
    middle: list[Event] = []
    for check in report.checks:
        begin = check.started_ms
        middle += [CheckStarted(begin, check.id, check.hop)] if begin is not None else []
        middle.append(CheckFinished((begin or 0.0) + (check.duration_ms or 0.0), check))
    middle.sort(key=lambda event: event.at_ms)
    return [started, *middle, RunFinished(report.duration_ms, report)]


def _planned(check: CheckReport) -> PlannedCheck:
    by_hand = "nc -vz -w10 bastion.example.com 22" if check.id == "tcp.connect" else ""
    return PlannedCheck(check.id, check.hop, check.layer, check.title, by_hand)


@dataclass
class Clock:
    """Stands still until it is put on."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def nobody(name: str) -> Tunnel:
    """There is no tunnel of any name."""
    raise UnknownTunnel(name)


def session(clock: Clock | None = None, installed: Installed | None = None, unicode: bool = True) -> Session:
    """A session without history, without pages, and with a clock that stands still."""
    return Session(find=nobody, clock=clock or Clock(), installed=installed or bare(), unicode=unicode)


def bare() -> Installed:
    """No checks and no pages, so that no screen changes when a page's words do."""
    installed = Installed(())
    assert not list(installed.catalog.codes())
    return installed


@dataclass
class Shown:
    """An app that shows a run, and what tests want of it."""

    app: TunneldoctorApp
    pilot: Pilot[None]
    clock: Clock = field(default_factory=Clock)

    @property
    def screen(self) -> ExaminationScreen:
        """The main screen."""
        return next(each for each in self.app.screen_stack if isinstance(each, ExaminationScreen))

    async def settle(self) -> None:
        """Until nothing more is going to be drawn."""
        await self.pilot.pause()
        await self.screen.draw_detail()
        await self.pilot.pause()

    async def sizes(self) -> AsyncIterator[tuple[int, int]]:
        """The terminal made as large as each of SIZES, one after the other."""
        for size in SIZES:
            await self.pilot.resize_terminal(*size)
            await self.settle()
            yield size


@asynccontextmanager
async def shown(
    events: Sequence[Event], size: tuple[int, int] = (120, 34), tunnel: Tunnel | None = None, **rest: object
) -> AsyncIterator[Shown]:
    """The main screen with *events* as those of a run that is over, in a terminal of that size."""
    clock = Clock()
    app = TunneldoctorApp(session(clock, **rest), tunnel, events)  # type: ignore[arg-type]
    app.theme = "textual-dark"
    async with app.run_test(size=size, notifications=True) as pilot:
        it = Shown(app, pilot, clock)
        await it.settle()
        yield it
