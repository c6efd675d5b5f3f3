"""The bounds of a cut-off, narrowed: the same once more, with all connections between the bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tunneldoctor.idle.flow import Flow, How, Opener
from tunneldoctor.idle.ladder import Conduct, Ladder
from tunneldoctor.idle.plan import Plan
from tunneldoctor.idle.result import Kind, Result

#: Bounds that near to each other, as a share of the upper one, are precise.
_PRECISE = 0.02


def refined(first: Result, plan: Plan, openers: Sequence[Opener], conduct: Conduct, witness: Flow | None) -> Result:
    """*first* with narrower bounds, or with a note why they are as they were.

    It is a second measurement, too: where it does not come to the same, that is the result.
    """
    if first.kind is not Kind.CUT or first.upper is None or first.how is How.CLOSED:
        return first
    lower, upper = first.lower or plan.rungs[0] / 2, first.upper
    if upper - lower <= _PRECISE * upper:
        return first
    opener = next(each for each in openers if each.leg is first.leg)
    again = Ladder(_between(plan, lower, upper), [opener], conduct, witness, only=first.arm).run()
    if again.kind is Kind.CUT and again.upper is not None:
        return replace(
            first,
            lower=max(lower, again.lower or 0.0),
            upper=min(upper, again.upper),
            confirmed=True,
            fates=(*first.fates, *again.fates),
            notes=tuple(dict.fromkeys((*first.notes, *again.notes))),
        )
    if again.kind is Kind.NONE:
        words = f"at first a connection died after {upper:.0f} s unused, and later none did: it differs each time"
        return replace(first, kind=Kind.INCONSISTENT, reason=words)
    return replace(first, notes=(*first.notes, f"the bounds were not narrowed: {again.reason}"))


def _between(plan: Plan, lower: float, upper: float) -> Plan:
    """Silences in equal steps up to *upper*, and a little more: what died there is to die again."""
    number = max(2, plan.idle)
    step = (upper - lower) / number
    rungs = (*(lower + step * each for each in range(1, number)), upper * (1 + _PRECISE))
    return replace(
        plan, up_to=upper, rungs=rungs, idle=number, server_first=number, behind=(number, number), connections=number
    )
