"""One and the same host answers each time: a look at several machines behind one name.

Where the key is not the pinned one, the next connection may show another; where it is, another address of the name
may have a machine that nobody pinned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import (
    BudgetSpent,
    Check,
    Context,
    Evidence,
    Finding,
    Layer,
    Outcome,
    Severity,
    Value,
    Where,
    confirms,
    found,
)
from tunneldoctor_checks.facts import ADDRESSES, HOST_KEY, PINS, STREAM
from tunneldoctor_checks.hostkey._further import further_key

if TYPE_CHECKING:
    from tunneldoctor.ssh.pins import Judgement, Pins

CODE = "hostkey.varies"
#: Further connections for a key that is doubted: with a balancer that takes turns, the first of them tells.
_MOST = 3
#: Further addresses that are looked at although the key is the pinned one.
_MOST_WHEN_TRUSTED = 2
#: What may come from several machines behind one name; of a revoked key or a certificate there is no doubt.
_DOUBTED = {"unknown", "changed", "other type", "pinned without port"}

#: Where it was seen, and what the pins say about it.
Seen = tuple[str, "Judgement"]


def run(context: Context) -> Outcome:
    """Shake hands again, at the name's other addresses first, until another key is shown."""
    from tunneldoctor.net.stream import peer_address

    first, stream = context.need(HOST_KEY), context.need(STREAM)
    if not first.trusted and first.trust not in _DOUBTED:
        return Outcome(skipped="what is wrong with the host key does not depend on which machine answers")
    peer = peer_address(stream)
    others = [each for each in (context.want(ADDRESSES) or ()) if peer and each != peer[0]]
    if first.trusted and not others:
        return Outcome(skipped="the host key is the pinned one, and the name has one address")
    here = peer[0] if peer else "the same way"
    seen = [(here, first)]
    for where, judgement in _further(context, others, here, first.trusted):
        seen.append((where, judgement))
        if judgement.presented != first.presented and not (first.trusted and judgement.trusted):
            return _varies(context.need(PINS), first, seen)
    return Outcome()


def _further(context: Context, others: list[str], here: str, trusted: bool) -> Iterator[Seen]:
    from tunneldoctor.ssh.host_trust import judge

    pins, stream = context.need(PINS), context.need(STREAM)
    prefer = (context.need(HOST_KEY).key_type,) if pins.fingerprints else pins.key_types()
    places = others[:_MOST_WHEN_TRUSTED] if trusted else [*others, *[None] * _MOST][:_MOST]
    for address in places:
        try:
            transport = further_key(context, stream, prefer, address)
        except BudgetSpent:
            return
        if transport is not None:
            judgement = judge(pins, transport.host_key)
            transport.close()
            yield address or f"{here}, again", judgement


def _varies(pins: Pins, first: Judgement, seen: list[Seen]) -> Outcome:
    told = "; ".join(f"{where}: {_told(judgement)}" for where, judgement in seen)
    keys = list(dict.fromkeys(f"{each.key_type} {each.presented}" for _, each in seen))
    unpinned = {each.presented: each for _, each in seen if not each.trusted}
    params: dict[str, Value] = {
        "keys": ", ".join(keys),
        "count": len(keys),
        "unpinned": ", ".join(unpinned),
        "known_hosts_line": pins.line(next(iter(unpinned.values()))),
    }
    if not first.trusted:
        return Outcome(rulings=(confirms(CODE, told, params),), skipped="told with what is wrong with the host key")
    evidence = tuple(Evidence("key", f"{where}: {_told(judgement)}") for where, judgement in seen)
    return found(Finding(CODE, params, evidence, Severity.WARNING))


def _told(judgement: Judgement) -> str:
    pinned = f"pinned ({judgement.pins[0].place})" if judgement.trusted and judgement.pins else str(judgement.trust)
    return f"{judgement.key_type} {judgement.presented}, {pinned}"


CHECK = Check(
    id="hostkey.same-host",
    layer=Layer.HOSTKEY,
    title="one and the same host answers each time",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.host_trust", "tunneldoctor.ssh.again"),
    needs=(HOST_KEY, PINS, STREAM),
    wants=(ADDRESSES,),
    codes=(CODE,),
    run=run,
)
