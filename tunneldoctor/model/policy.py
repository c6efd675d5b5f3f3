"""How a run was asked for."""

from dataclasses import dataclass
from datetime import date

from tunneldoctor.model.words import Severity


@dataclass(frozen=True, slots=True)
class Ignore:
    """A code that is not to count, on one tunnel or on all, to the end of the day *until*, or for good."""

    code: str
    tunnel: str | None = None
    until: date | None = None

    def __str__(self) -> str:
        tunnel, until = (self.tunnel and f"@{self.tunnel}"), (self.until and f"={self.until}")
        return f"{self.code}{tunnel or ''}{until or ''}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What to run and how to count it. ``only`` and ``skip`` hold layers and check ids.

    ``idle`` is for how many seconds a connection is really left unused, or None. ``find_cutoff`` asks for the time
    after which unused connections are cut, looked for up to ``up_to`` seconds; ``precise`` for its bounds to be
    narrowed, which takes as long again; ``connections`` is how many may be opened for that on the bastion.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    ignore: tuple[Ignore, ...] = ()
    fail_on: Severity = Severity.ERROR
    idle: float | None = None
    find_cutoff: bool = False
    up_to: float = 3600.0
    precise: bool = False
    connections: int = 8
