"""Where facts are pinned up for the checks that wait for them."""

import threading
from typing import Any

from tunneldoctor.engine.planned import Key, Planned
from tunneldoctor.model import Fact


class Board:
    """The facts given so far, by key; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._facts: dict[Key, Any] = {}

    def pin(self, giver: Planned, fact: Fact[Any], value: Any) -> None:
        """Keep *value* as *fact* on the giver's hop. Raises LookupError where the check does not declare it."""
        if fact not in giver.check.gives:
            raise LookupError(f"{giver.check.id} gives {fact.name!r} without declaring it")
        with self._lock:
            self._facts[giver.given_key(fact)] = value

    def has(self, key: Key) -> bool:
        """Whether somebody gave it."""
        with self._lock:
            return key in self._facts

    def get(self, key: Key) -> Any:
        """The value, or None."""
        with self._lock:
            return self._facts.get(key)
