"""What ``--only`` and ``--skip`` leave of the checks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from tunneldoctor.model import Check, Policy


@dataclass(frozen=True, slots=True)
class Selection:
    """The ids of the checks to run, and of those that the user asked to skip."""

    chosen: frozenset[str]
    skipped: frozenset[str]

    @classmethod
    def of(cls, checks: Sequence[Check], policy: Policy) -> Self:
        """With ``only``, what is named and all that it needs or wants; ``skip`` takes away and unlocks nothing."""
        chosen = _matching(checks, policy.only) if policy.only else {check.id for check in checks}
        while more := _givers(checks, chosen) - chosen:
            chosen |= more
        return cls(frozenset(chosen), frozenset(_matching(checks, policy.skip)))

    def reason(self, check: Check) -> str | None:
        """Why *check* is left out, or None."""
        if check.id in self.skipped:
            return "left out with --skip"
        return None if check.id in self.chosen else "not chosen with --only"


def unknown_names(checks: Sequence[Check], names: Iterable[str]) -> list[str]:
    """Those of *names* that are neither a layer nor a check."""
    return [name for name in names if not _matching(checks, (name,))]


def _matching(checks: Sequence[Check], names: Sequence[str]) -> set[str]:
    return {check.id for check in checks if check.id in names or check.layer in names}


def _givers(checks: Sequence[Check], chosen: set[str]) -> set[str]:
    needed = {fact.name for check in checks if check.id in chosen for fact in check.needs + check.wants}
    return {check.id for check in checks if needed & {fact.name for fact in check.gives}}
