"""What a check sees of the run while it runs."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from tunneldoctor.engine.board import Board
from tunneldoctor.engine.budget import RunBudget
from tunneldoctor.engine.deadline import Deadline
from tunneldoctor.engine.planned import Planned
from tunneldoctor.engine.resources import Resources
from tunneldoctor.model import Closeable, Fact, Hop, Policy, Reference, Secret, Tunnel, visible

T = TypeVar("T")
C = TypeVar("C", bound=Closeable)


class Shared:
    """What all checks of one run share."""

    def __init__(self, tunnel: Tunnel, policy: Policy, read_secret: Callable[[Reference], Secret]) -> None:
        self.tunnel = tunnel
        self.policy = policy
        self.board = Board()
        self.budget = RunBudget()
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
        tell: Callable[[str], None],
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

    def progress(self, text: str) -> None:
        """Tell whoever watches."""
        self._tell(visible(text))

    def closing(self, resource: C) -> C:
        """Have *resource* closed at the end."""
        return self._shared.resources.add(resource)
