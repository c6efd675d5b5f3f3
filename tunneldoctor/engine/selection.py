"""What ``--only`` and ``--skip`` leave of a plan."""

from collections.abc import Iterable, Mapping, Sequence

from tunneldoctor.engine.planned import Key, Planned
from tunneldoctor.model import Check, Policy

#: Why a check is skipped that is not among the few that were asked for.
NOT_CHOSEN = "not chosen with --only"


def left_out(planned: Sequence[Planned], givers: Mapping[Key, Sequence[Planned]], policy: Policy) -> dict[int, str]:
    """Why the user's choice leaves a check out, by its position in *planned*.

    With ``only``, what is named runs and all that it needs or wants, on the hops where it needs it; a follow-up look
    brings nothing along. ``skip`` takes away and unlocks nothing.
    """
    chosen = _with_givers([each for each in planned if not policy.only or _named(each.check, policy.only)], givers)
    reasons = {}
    for position, each in enumerate(planned):
        if _named(each.check, policy.skip):
            reasons[position] = "left out with --skip"
        elif each.id not in chosen:
            reasons[position] = NOT_CHOSEN
    return reasons


def unknown_names(checks: Sequence[Check], names: Iterable[str]) -> list[str]:
    """Those of *names* that are neither a layer nor a check."""
    return [name for name in names if not any(_named(check, (name,)) for check in checks)]


def _named(check: Check, names: Sequence[str]) -> bool:
    return check.id in names or check.layer in names


def _with_givers(chosen: list[Planned], givers: Mapping[Key, Sequence[Planned]]) -> set[tuple[str, str]]:
    found = {each.id for each in chosen}
    while chosen:
        each = chosen.pop()
        keys = (each.keys[fact] for fact in each.check.needs + each.check.wants if not fact.trouble)
        more = [giver for key in keys for giver in givers.get(key, ()) if giver.id not in found]
        found |= {giver.id for giver in more}
        chosen += more
    return found
