"""What a check sees of the run while it runs."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from tunneldoctor.engine.board import Board
from tunneldoctor.engine.budget import HOLDING_LOGINS, RunBudget
from tunneldoctor.engine.deadline import Deadline
from tunneldoctor.engine.planned import Planned
from tunneldoctor.engine.resources import Resources
from tunneldoctor.model import Closeable, Fact, Hop, Policy, Reference, Secret, Tunnel, Value, visible

T = TypeVar("T")
C = TypeVar("C", bound=Closeable)


def _further_logins(policy: Policy) -> int:
    if policy.find_cutoff:  # never more at a time: what narrows the result down comes after what found it
        return policy.connections * (3 if policy.precise else 1)
    return HOLDING_LOGINS if policy.idle else 0


class Shared:
    """What all checks of one run share."""

    def __init__(self, tunnel: Tunnel, policy: Policy, read_secret: Callable[[Reference], Secret]) -> None:
        self.tunnel = tunnel
        self.policy = policy
        self.board = Board()
        self.budget = RunBudget(_further_logins(policy))
        self.cancelled = threading.Event()
        self.resources = Resources()
        self.secrets: list[Secret] = []
        self._read_secret = read_secret

    def secret(self, reference: Reference) -> Secret:
        """Read a secret and remember it, so that it can be kept out of every output."""
        secret = self._read_secret(reference)
        self.secrets.append(secret)
        return secret


class RunContext:
    """Implements :class:`tunneldoctor.model.Context` for one check."""

    def __init__(
        self,
        planned: Planned,
        shared: Shared,
        deadline: Deadline,
        tell: Callable[[str, Mapping[str, Value]], None],
        wake: Callable[[], None],
    ) -> None:
        self._planned = planned
        self._shared = shared
        self._deadline = deadline
        self._tell = tell
        self._wake = wake
        self.tunnel: Tunnel = shared.tunnel
        self.hop: Hop = planned.hop
        self.policy: Policy = shared.policy
        self.budget = shared.budget
        self.cancelled = shared.cancelled
        self.remaining = deadline.remaining
        self.half_time = deadline.half_time

    def need(self, fact: Fact[T]) -> T:
        """A fact listed in ``needs``."""
        if fact not in self._planned.check.needs:
            raise LookupError(f"{self._planned.check.id} needs {fact.name!r} without declaring it")
        return cast(T, self._shared.board.get(self._planned.keys[fact]))

    def want(self, fact: Fact[T]) -> T | None:
        """A fact listed in ``wants``, or None."""
        if fact not in self._planned.check.wants:
            raise LookupError(f"{self._planned.check.id} wants {fact.name!r} without declaring it")
        return cast(T | None, self._shared.board.get(self._planned.keys[fact]))

    def give(self, fact: Fact[Any], value: Any) -> None:
        """Hand on a fact before the check ends."""
        self._shared.board.pin(self._planned, fact, value)
        self._wake()

    def secret(self, reference: Reference) -> Secret:
        """Read a secret."""
        return self._shared.secret(reference)

    def progress(self, text: str, **values: Value) -> None:
        """Tell whoever watches."""
        shown = {name: visible(value) if isinstance(value, str) else value for name, value in values.items()}
        self._tell(visible(text), shown)

    def closing(self, resource: C) -> C:
        """Have *resource* closed at the end."""
        return self._shared.resources.add(resource)
