"""Run a plan: start what is ready, pass over what is hopeless, keep the deadlines, end at once when told to."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tunneldoctor.catalog import Catalog
from tunneldoctor.engine.context import RunContext, Shared
from tunneldoctor.engine.deadline import Deadline
from tunneldoctor.engine.explain import Explainer
from tunneldoctor.engine.ledger import Entry, Ledger
from tunneldoctor.engine.loading import Loading
from tunneldoctor.engine.plan import plan
from tunneldoctor.engine.summary import Summary
from tunneldoctor.model import (
    BudgetSpent,
    CheckFinished,
    CheckPackage,
    CheckProgress,
    CheckStarted,
    Event,
    Outcome,
    Policy,
    Reference,
    Report,
    Retry,
    RunFinished,
    RunStarted,
    Secret,
    Severity,
    Status,
    Tunnel,
    Value,
)

#: Seconds that a check may overrun its stage's deadline before it is given up as a defect of its own.
GRACE = 0.7
#: Seconds before a second try at what may heal at once.
PAUSE = 0.3
#: Seconds that a check which lets time pass has to say what it knows, once the run is cancelled.
LAST_WORDS = 0.2
#: Seconds that closing may take at the end; what still hangs then dies with the process.
CLOSING = 0.25


@dataclass(frozen=True, slots=True)
class _Progress:
    entry: Entry
    text: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class _Back:
    """A check came back, with an outcome or with what escaped from it."""

    entry: Entry
    outcome: Outcome | None
    error: BaseException | None


class Run:
    """One examination of one tunnel. Make it, read :meth:`events` to the end; :meth:`cancel` from anywhere.

    ``secrets`` holds the secrets that were read, to be kept out of every output; ``defects`` what escaped from checks
    (whose messages may hold a secret, too).
    """

    def __init__(
        self,
        tunnel: Tunnel,
        packages: Sequence[CheckPackage],
        policy: Policy,
        read_secret: Callable[[Reference], Secret],
        catalog: Catalog | None = None,
    ) -> None:
        self._shared = Shared(tunnel, policy, read_secret)
        checks = [check for package in packages for check in package.checks]
        self._ledger = Ledger(plan(tunnel, checks, policy), self._shared.board)
        self._explainer = Explainer(catalog or Catalog.of(packages), tunnel, policy.ignore)
        self._inbox: queue.SimpleQueue[_Progress | _Back | None] = queue.SimpleQueue()
        self._loading = Loading([entry.planned for entry in self._ledger.entries], self._wake)
        self._deadlines: dict[tuple[int, str], Deadline] = {}
        self._interrupted: int | None = None
        self._start = time.monotonic()
        self._started_at = datetime.now(UTC)
        self.defects: list[BaseException] = []

    @property
    def secrets(self) -> Sequence[Secret]:
        """The secrets that were read so far."""
        return self._shared.secrets

    def cancel(self, exit_code: int = 130) -> None:
        """End the run now; what is known so far becomes the report, whose exit code is *exit_code*."""
        self._interrupted = exit_code
        self._shared.cancelled.set()
        self._wake()

    def events(self) -> Iterator[Event]:
        """What happens, as it happens; the last event holds the report. To be read once."""
        self._start, self._started_at = time.monotonic(), datetime.now(UTC)
        try:
            tunnel = self._shared.tunnel
            yield RunStarted(0.0, tunnel.name, tuple(e.planned.announce(tunnel) for e in self._ledger.entries))
            yield from self._work()
            report = self._report()
            yield RunFinished(report.duration_ms, report)
        finally:
            self._close()

    def _wake(self) -> None:
        self._inbox.put(None)

    def _work(self) -> Iterator[Event]:
        yield from self._pass_over_unwished()
        self._loading.start()
        while self._interrupted is None:
            all_loaded = self._loading.over  # asked first: what is loaded later wakes us up
            yield from self._advance()
            if all_loaded and not any(entry.running for entry in self._ledger.entries):
                yield from self._strand()
                return
            yield from self._receive()
        yield from self._abandon()

    def _pass_over_unwished(self) -> Iterator[Event]:
        for entry in self._ledger.entries:
            if entry.planned.skip:
                entry.settle(Status.SKIPPED, entry.planned.skip)
                yield self._finished(entry)

    def _advance(self) -> Iterator[Event]:
        """Start and pass over until nothing more can be decided."""
        moved = True
        while moved and self._interrupted is None:
            moved = False
            for entry in filter(lambda each: each.waiting, self._ledger.entries):
                if self._ledger.ready(entry) and self._loading.done_for(entry.planned):
                    yield from self._launch(entry)
                    moved = True
                elif self._ledger.hopeless(entry):
                    self._ledger.pass_over(entry)
                    yield self._finished(entry)
                    moved = True

    def _launch(self, entry: Entry) -> Iterator[Event]:
        entry.started = time.monotonic()
        yield CheckStarted(self._at(entry.started), *entry.planned.id)
        self._try(entry)

    def _try(self, entry: Entry, pause: float = 0.0) -> None:
        entry.attempts += 1
        context = RunContext(
            entry.planned,
            self._shared,
            self._deadline(entry),
            tell=lambda text, values: self._inbox.put(_Progress(entry, text, values)),
            wake=self._wake,
        )
        name = f"check {entry.planned.check.id}"
        threading.Thread(target=self._perform, args=(entry, context, pause), name=name, daemon=True).start()

    def _perform(self, entry: Entry, context: RunContext, pause: float) -> None:
        """On the check's own thread: run it and report back, whatever happens."""
        try:
            if pause:
                self._shared.cancelled.wait(pause)
            outcome = entry.planned.check.run(context)
            for fact, value in outcome.facts.items():
                self._shared.board.pin(entry.planned, fact, value)
            self._inbox.put(_Back(entry, outcome, None))
        except BaseException as error:
            self._inbox.put(_Back(entry, None, error))

    def _deadline(self, entry: Entry) -> Deadline:
        stage = entry.planned.stage
        if stage not in self._deadlines:
            lasts = max(self._lasts(each) for each in self._ledger.entries if each.planned.stage == stage)
            self._deadlines[stage] = Deadline(self._shared.tunnel.connect_timeout + lasts)
        return self._deadlines[stage]

    def _lasts(self, entry: Entry) -> float:
        """Seconds that the check lets pass; nothing where it is not going to run."""
        planned = entry.planned
        return 0.0 if planned.skip else planned.check.lasts(self._shared.tunnel, self._shared.policy)

    def _receive(self) -> Iterator[Event]:
        running = [entry for entry in self._ledger.entries if entry.running]
        waits = [max(0.0, self._deadline(entry).left() + GRACE) for entry in running]
        try:
            message = self._inbox.get(timeout=min(waits, default=None))
        except queue.Empty:
            yield from self._give_up(running)
            return
        yield from self._read(message)

    def _read(self, message: _Progress | _Back | None) -> Iterator[Event]:
        if isinstance(message, _Progress) and message.text and message.entry.running:
            at = self._at(time.monotonic())
            yield CheckProgress(at, *message.entry.planned.id, message.text, message.values)
        elif isinstance(message, _Back) and message.entry.running:
            yield from self._take(message)

    def _take(self, message: _Back) -> Iterator[Event]:
        entry = message.entry
        if message.outcome is not None:
            entry.outcome = message.outcome
            if self._may_heal(entry):
                self._try(entry, PAUSE)
                return
            entry.settle(None, None)
        elif isinstance(message.error, BudgetSpent):
            # what a further look would have told is not among what had to be checked: the trouble may have passed
            entry.settle(Status.SKIPPED if entry.planned.follows_up else Status.UNKNOWN, str(message.error))
        elif message.error is not None:
            self._defect(entry, message.error)
        yield self._finished(entry)

    def _may_heal(self, entry: Entry) -> bool:
        errors = [finding for finding in entry.outcome.findings if finding.severity in (None, Severity.ERROR)]
        time_left = self._deadline(entry).half_time() > PAUSE
        soon = all(self._explainer.retry(finding) is Retry.SOON for finding in errors)
        return bool(errors) and soon and entry.attempts < 2 and time_left and self._interrupted is None

    def _defect(self, entry: Entry, error: BaseException) -> None:
        self.defects.append(error)
        entry.settle(Status.ERROR, f"a defect of tunneldoctor's own: {type(error).__name__}")

    def _give_up(self, running: Sequence[Entry]) -> Iterator[Event]:
        for entry in running:
            if self._deadline(entry).left() + GRACE <= 0:
                self.defects.append(TimeoutError(f"{entry.planned.check.id} did not come back within its deadline"))
                entry.settle(Status.ERROR, "a defect of tunneldoctor's own: the check did not keep its deadline")
                yield self._finished(entry)

    def _abandon(self) -> Iterator[Event]:
        """Take in what came back already, let those that measure for long say what they know, and give up the rest."""
        until = time.monotonic() + LAST_WORDS
        while not self._inbox.empty() or self._someone_measures():
            try:
                yield from self._read(self._inbox.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
        for entry in self._ledger.entries:
            if entry.ended is None:
                entry.settle(Status.UNKNOWN, "interrupted" if entry.started else "not run: interrupted before")
                yield self._finished(entry)

    def _someone_measures(self) -> bool:
        return any(entry.running and self._lasts(entry) for entry in self._ledger.entries)

    def _strand(self) -> Iterator[Event]:
        """What is left now waits for itself."""
        for entry in filter(lambda each: each.waiting, self._ledger.entries):
            entry.settle(Status.ERROR, "a defect of its package: it needs facts that need it")
            yield self._finished(entry)

    def _finished(self, entry: Entry) -> CheckFinished:
        return CheckFinished(self._at(entry.ended or time.monotonic()), self._summary().check(entry))

    def _summary(self) -> Summary:
        return Summary(self._shared.tunnel, self._shared.policy, self._ledger, self._explainer, self._start)

    def _report(self) -> Report:
        return self._summary().report(self._started_at, datetime.now(UTC), time.monotonic(), self._interrupted)

    def _at(self, moment: float) -> float:
        return round((moment - self._start) * 1000, 1)

    def _close(self) -> None:
        self._shared.cancelled.set()
        closing = threading.Thread(target=self._shared.resources.close, name="closing", daemon=True)
        closing.start()
        closing.join(CLOSING)
