"""How each planned check stands: waiting, running, or ended and how."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tunneldoctor.engine.board import Board
from tunneldoctor.engine.planned import Key, Planned
from tunneldoctor.model import Outcome, Ruling, Status, Value


@dataclass(slots=True)
class Entry:
    """One planned check. ``status`` is set by the engine where the outcome does not say it; times are monotonic."""

    planned: Planned
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    outcome: Outcome = field(default_factory=Outcome)
    status: Status | None = None
    reason: str | None = None
    blocker: "Entry | None" = None

    @property
    def waiting(self) -> bool:
        """Not begun, and not settled either."""
        return self.started is None and self.ended is None

    @property
    def running(self) -> bool:
        """Begun and not yet back."""
        return self.started is not None and self.ended is None

    def settle(self, status: Status | None, reason: str | None, blocker: "Entry | None" = None) -> None:
        """End it with a status of the engine's own."""
        self.ended = time.monotonic()
        self.status, self.reason, self.blocker = status, reason, blocker


class Ledger:
    """All entries of a run, and the questions that scheduling asks of them."""

    def __init__(self, planned: Iterable[Planned], board: Board) -> None:
        self.entries = [Entry(each) for each in planned]
        self._board = board
        self._givers: dict[Key, list[Entry]] = {}
        for entry in self.entries:
            for fact in entry.planned.check.gives:
                self._givers.setdefault(entry.planned.given_key(fact), []).append(entry)

    def ready(self, entry: Entry) -> bool:
        """All needs are there, and nobody is left who could give what it wants."""
        planned = entry.planned
        needs = all(self._board.has(planned.keys[fact]) for fact in planned.check.needs)
        return needs and all(self._decided(planned.keys[fact]) for fact in planned.check.wants)

    def hopeless(self, entry: Entry) -> bool:
        """Some need will never be there."""
        keys = (entry.planned.keys[fact] for fact in entry.planned.check.needs)
        return any(self._decided(key) and not self._board.has(key) for key in keys)

    def pass_over(self, entry: Entry) -> None:
        """Settle an entry that will never run: skipped if it follows up on trouble that did not come, else blocked."""
        missing = [fact for fact in entry.planned.check.needs if not self._board.has(entry.planned.keys[fact])]
        trouble = next((fact for fact in missing if fact.trouble), None)
        if trouble:
            entry.settle(Status.SKIPPED, f"only looked at after trouble: {trouble.name}")
            return
        fact = next(fact for fact in missing if self._decided(entry.planned.keys[fact]))
        blocker = self._root(entry.planned.keys[fact])
        entry.settle(Status.BLOCKED, f"needs what was not found: {fact.name}", blocker)

    def rulings(self, hop: str) -> list[Ruling]:
        """All that was said about causes on *hop*."""
        return [ruling for entry in self.entries if entry.planned.hop_name == hop for ruling in entry.outcome.rulings]

    def measured(self) -> dict[str, Value]:
        """All that was measured."""
        return {name: value for entry in self.entries for name, value in entry.outcome.measured.items()}

    def _decided(self, key: Key) -> bool:
        return self._board.has(key) or all(giver.ended is not None for giver in self._givers.get(key, ()))

    def _root(self, key: Key) -> Entry | None:
        """Who failed to give *key*: the first giver, or whoever blocked that one."""
        givers = self._givers.get(key, ())
        giver = next((each for each in givers if each.outcome.findings), next(iter(givers), None))
        while giver and giver.status is Status.BLOCKED and giver.blocker:
            giver = giver.blocker
        return giver
