"""Between the engine's threads and the screen: one daemon thread a run, whose events become messages.

Neither asyncio's default executor nor Textual's thread workers are used: both are waited for at the end, and a check
that hangs would keep the program from quitting.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tunneldoctor.model import Event, RunFinished

if TYPE_CHECKING:
    from pathlib import Path

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.examination.examination import Examination
    from tunneldoctor.model import CheckPackage, Policy, Reference, Report, Secret, Tunnel


@dataclass
class Happened(Message):
    """An event of the run with that number."""

    run: int
    event: Event


@dataclass
class Told(Message):
    """A line for the user: a defect and its log, a run that could not be kept."""

    text: str


@dataclass
class Ready(Message):
    """The checks and their pages are loaded."""


@dataclass
class Broken(Message):
    """The checks can't be loaded, so nothing can be run."""

    reason: str


class Installed:
    """The checks and their pages, loaded when they are first asked for, by whichever thread; given ones instead.

    *notes* is the folder of a company's own words about codes.
    """

    def __init__(self, packages: Sequence[CheckPackage] | None = None, notes: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._packages = packages
        self._notes = notes
        self._catalog: Catalog | None = None

    @property
    def ready(self) -> bool:
        """Whether asking for them costs nothing."""
        return self._catalog is not None

    @property
    def packages(self) -> Sequence[CheckPackage]:
        """Every installed check package. Raises PackageError where one can't be used."""
        with self._lock:
            if self._packages is None:
                from tunneldoctor.engine import load_packages

                self._packages = load_packages()
            return self._packages

    @property
    def catalog(self) -> Catalog:
        """All their pages."""
        packages = self.packages
        with self._lock:
            if self._catalog is None:
                from tunneldoctor.catalog import Catalog, Notes

                self._catalog = Catalog.of(packages, Notes(self._notes) if self._notes else None)
            return self._catalog


class Bridge:
    """Runs examinations and posts what happens; ``keep`` gets each whole report, on the run's thread."""

    def __init__(
        self,
        post: Callable[[Message], object],
        installed: Installed,
        read: Callable[[Reference], Secret],
        keep: Callable[[Report], object] | None = None,
    ) -> None:
        self._post = post
        self._installed = installed
        self._read = read
        self._keep = keep
        self._examination: Examination | None = None
        self._ended = 0
        self.run = 0

    def start(self, tunnel: Tunnel, policy: Policy) -> None:
        """Examine *tunnel*; a run that still goes on is ended, and what it says from now on is not listened to."""
        self.cancel()
        self.run += 1
        work = threading.Thread(target=self._work, args=(self.run, tunnel, policy), name="examination", daemon=True)
        work.start()

    def warm_up(self) -> None:
        """Load the checks and their pages though nothing is run; then say that they are there."""
        threading.Thread(target=self._load, name="loading checks", daemon=True).start()

    def cancel(self, exit_code: int = 130) -> None:
        """End the run now; its last event holds what was found so far. Returns at once."""
        self._ended = self.run
        if self._examination:
            self._examination.cancel(exit_code)

    def _load(self) -> None:
        from tunneldoctor.engine.load import PackageError

        try:
            _ = self._installed.catalog
        except PackageError as error:
            self._send(Broken(str(error)))
        else:
            self._send(Ready())

    def _work(self, run: int, tunnel: Tunnel, policy: Policy) -> None:
        from tunneldoctor.engine.load import PackageError
        from tunneldoctor.examination.examination import Examination

        try:
            packages, catalog = self._installed.packages, self._installed.catalog
        except PackageError as error:
            self._send(Broken(str(error)))
            return
        examination = Examination(tunnel, packages, catalog, policy, self.tell, self._read)
        self._examination = examination
        if run <= self._ended:  # while the checks were being loaded
            examination.cancel()
        for event in examination.events():
            if self._keep and isinstance(event, RunFinished) and event.report.complete and not policy.only:
                self._keep(event.report)
            self._send(Happened(run, event))

    def tell(self, text: str) -> None:
        """Say a line to the user, from any thread."""
        self._send(Told(text))

    def _send(self, message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the screen is gone, and its event loop with it
            self._post(message)
