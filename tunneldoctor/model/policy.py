"""How a run was asked for."""

from dataclasses import dataclass

from tunneldoctor.model.words import Severity


@dataclass(frozen=True, slots=True)
class Ignore:
    """A code that is not to count, on one tunnel or on all."""

    code: str
    tunnel: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What to run and how to count it. ``only`` and ``skip`` hold layers and check ids; ``idle`` is seconds or None."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    ignore: tuple[Ignore, ...] = ()
    fail_on: Severity = Severity.ERROR
    idle: float | None = None
