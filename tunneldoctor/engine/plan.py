"""Which checks run on which hop, and who gives what to whom: decided before anything is touched."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunneldoctor.engine.planned import Key, Planned
from tunneldoctor.engine.selection import left_out
from tunneldoctor.model import Check, Fact, Hop, Layer, Policy, Tunnel, Where

_BEFORE_THE_PATH = (Layer.CONFIG, Layer.KEY)


def plan(tunnel: Tunnel, checks: Sequence[Check], policy: Policy) -> tuple[Planned, ...]:
    """Every check on every hop it concerns, in the order of the path. Pure: touches nothing."""
    planned = [each for check in checks for each in _on_hops(check, tunnel, policy)]
    givers: dict[Key, list[Planned]] = {}
    for each in planned:
        for fact in each.check.gives:
            givers.setdefault(each.given_key(fact), []).append(each)
    for each in planned:
        each.keys.update({fact: _find(fact, each.place, givers) for fact in each.check.needs + each.check.wants})
    reasons = left_out(planned, givers, policy)
    chosen = [replace(each, skip=reasons.get(number, each.skip)) for number, each in enumerate(planned)]
    steps: dict[tuple[str, str], int] = {}
    return tuple(sorted(chosen, key=lambda each: (*_on_the_path(each), _steps(each, givers, steps), each.check.id)))


def _on_the_path(each: Planned) -> tuple[int, int, int]:
    layer = each.check.layer
    if layer in _BEFORE_THE_PATH:
        return -2, layer.rank, each.place
    return each.place, layer.rank, 0


def _steps(each: Planned, givers: Mapping[Key, Sequence[Planned]], known: dict[tuple[str, str], int]) -> int:
    """How many checks one after the other must have come back before it can run; *known* is filled on the way."""
    if each.id not in known:
        known[each.id] = 0  # met again where checks wait for each other
        before = (giver for fact in each.check.needs for giver in givers.get(each.keys[fact], ()))
        known[each.id] = 1 + max((_steps(giver, givers, known) for giver in before), default=0)
    return known[each.id]


def _find(fact: Fact[Any], place: int, givers: Mapping[Key, Sequence[Planned]]) -> Key:
    """The nearest hop at or before *place* where somebody gives *fact*."""
    nearest = place - fact.back
    return next(
        (key for key in ((fact.name, at) for at in range(nearest, -2, -1)) if key in givers), (fact.name, nearest)
    )


def _on_hops(check: Check, tunnel: Tunnel, policy: Policy) -> Iterator[Planned]:
    skip = _nothing_to_do(check, tunnel) or check.applies(tunnel, policy)
    for place, name, hop in _places(check.where, tunnel):
        yield Planned(check, name, hop, place, skip)


def _nothing_to_do(check: Check, tunnel: Tunnel) -> str | None:
    """Checks of the database have nothing to look at without one, unless it is there and could not be read."""
    if check.where is not Where.DATABASE or tunnel.database:
        return None
    unreadable = any(problem.hop == "database" for problem in tunnel.problems)
    return None if unreadable else "the tunnel names no database"


def _places(where: Where, tunnel: Tunnel) -> Iterator[tuple[int, str, Hop]]:
    hops = [(place, hop.name, hop) for place, hop in enumerate(tunnel.hops)]
    if where is Where.HERE:
        yield -1, "here", tunnel.bastion
    elif where is Where.DATABASE:
        yield len(hops), "database", tunnel.bastion
    elif where is Where.EACH_HOP:
        yield from hops
    else:
        chosen = {Where.FIRST_HOP: slice(0, 1), Where.JUMP_HOPS: slice(0, -1), Where.BASTION: slice(-1, None)}
        yield from hops[chosen[where]]
