"""Every address of the name answers, not only the one that answered first.

Clients differ in which address they take, and many take only the first: a dead one among several is an outage that
comes and goes.
"""

from __future__ import annotations

from tunneldoctor.model import BudgetSpent, Check, Context, Evidence, Finding, Layer, Outcome, Value, Where, found
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT, STREAM

#: Further addresses that are tried: half of a run's bare connections, so that other looks keep theirs.
_MOST = 3
#: Seconds for an address to answer: the third SYN leaves after 3 s (RFC 6298 §2), a healthy one answered the first.
_PATIENCE = 3.5
_MARGIN = 0.5


def run(context: Context) -> Outcome:
    """Connect to the addresses that the main connection did not use, and close again."""
    from tunneldoctor.net.connect import connect_each
    from tunneldoctor.net.stream import peer_address

    stream = context.want(STREAM)
    addresses = context.need(ADDRESSES)
    if len(addresses) < 2:
        return Outcome(skipped="the host has one address")
    if stream is None:
        return Outcome(skipped="no address answered; each was tried already")
    if not (peer := peer_address(stream)):
        return Outcome(skipped="the connection was closed before the other addresses could be compared with it")
    used, _ = peer
    further = [each for each in addresses if each != used][:_MOST]
    allowed = further[: _allowed(context, len(further))]
    if not allowed:
        return Outcome(skipped="the connections of this run are used up")
    seconds = min(_PATIENCE, context.remaining() - _MARGIN)
    attempts = connect_each(allowed, context.need(ENDPOINT).port, seconds, context.cancelled)
    if context.cancelled.is_set():
        return Outcome(unknown="interrupted")
    dead = [each for each in attempts if each.result != "connected" and not each.never_left]
    if not dead:
        return Outcome()
    params: dict[str, Value] = {
        "dead": ", ".join(str(each.target.host) for each in dead),
        "alive": ", ".join([used, *(each.target.host for each in attempts if each.result == "connected")]),
        "count": len(addresses),
    }
    evidence = (Evidence("message", f"{used}: connected"), *(Evidence("message", str(each)) for each in attempts))
    return found(Finding("tcp.some-addresses-dead", params, evidence))


def _allowed(context: Context, wanted: int) -> int:
    """How many connections the run's manners leave for this."""
    for count in range(wanted):
        try:
            context.budget.bare_connection(context.hop.name)
        except BudgetSpent:
            return count
    return wanted


CHECK = Check(
    id="tcp.survey",
    layer=Layer.TCP,
    title="every address of the name answers",
    where=Where.FIRST_HOP,
    run=run,
    needs=(ENDPOINT, ADDRESSES),
    wants=(STREAM,),
    codes=("tcp.some-addresses-dead",),
)
