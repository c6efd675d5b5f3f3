"""The hop in front opens a connection to this hop's SSH port.

The same faults as on the last stretch to the database, so the same codes. The words of their pages speak of a bastion
and of what lies behind it: here that is the hop in front, and this hop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Hop, Layer, Outcome, Place, Value, Where, found
from tunneldoctor_checks.facts import ENDPOINT, SESSION, STREAM

if TYPE_CHECKING:
    from tunneldoctor.ssh.forwarding import OpenFailure

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.1


def run(context: Context) -> Outcome:
    """Ask the hop in front for a channel to this one."""
    from tunneldoctor.ssh.forwarding import OpenFailure, classify

    target = context.need(ENDPOINT)
    opened = context.need(SESSION.before).open(target, context.remaining() - _MARGIN)
    if isinstance(opened, OpenFailure):
        return found(_finding(classify(opened), context, opened))
    measured: dict[str, Value] = {f"{context.hop.name}.address": str(target)}
    return Outcome(facts={STREAM: context.closing(opened)}, measured=measured)


def _finding(code: str, context: Context, failure: OpenFailure) -> Finding:
    target, front = context.need(ENDPOINT), _in_front(context)
    params: dict[str, Value] = {
        "target": str(target),
        "remote_host": target.host,
        "remote_port": target.port,
        "bastion_host": front.host,
        "bastion_port": front.port,
        "bastion_username": front.username,
        "through": front.name,
        "reason": failure.text,
        "seconds": round(failure.seconds, 1),
    }
    said = f"{failure.code} {failure.text!r}" if failure.code else "no answer"
    text = f"{front.name} was asked for {target}: {said} after {failure.seconds:.1f} s"
    return Finding(code, params, (Evidence("message", text, Place.BASTION),))


def _in_front(context: Context) -> Hop:
    hops = context.tunnel.hops
    return hops[hops.index(context.hop) - 1]


CHECK = Check(
    id="forward.through",
    layer=Layer.FORWARD,
    title="the hop in front opens a connection to this one",
    where=Where.LATER_HOPS,
    run=run,
    needs=(ENDPOINT, SESSION.before),
    gives=(STREAM,),
    codes=(
        "forward.prohibited",
        "forward.name-not-resolved",
        "forward.refused",
        "forward.timeout",
        "forward.no-route",
        "forward.connect-failed",
        "forward.not-supported",
        "forward.resource-shortage",
        "forward.unclassified",
    ),
)
