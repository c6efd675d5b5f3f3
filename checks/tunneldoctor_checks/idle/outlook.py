"""Nothing known on the way to the bastion cuts an unused connection sooner than it has to last."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Finding, Layer, Outcome, Where
from tunneldoctor_checks.facts import CANONICAL_NAME
from tunneldoctor_checks.idle._expected import CODE, HERE, expected, named, nobody_said


def run(context: Context) -> Outcome:
    """Read the names on the way, and what the first one is an alias of; nothing is sent.

    The provider alone is no sign: Google's VPC firewall, which forgets everything after 10 minutes, lets in what a rule
    for the bastion's port lets in whether it remembers the connection or not.
    """
    hosts = [hop.host for hop in context.tunnel.hops if hop.host]
    meant = [context.want(CANONICAL_NAME) or "", *([""] * len(hosts))]
    found = (_judged(context, host, alias) for host, alias in zip(hosts, meant, strict=False))
    return Outcome(findings=tuple(filter(None, found)))


def _judged(context: Context, host: str, meant: str) -> Finding | None:
    from tunneldoctor.idle.suspects import PAYLOAD

    box, seen = named(host, meant)
    keepalive = context.tunnel.keepalive
    if box is None or (0 < keepalive < box.seconds and PAYLOAD in box.resets):
        return None
    why = f"its keepalive comes every {keepalive:g} s only" if keepalive else "it has no keepalive"
    return expected(context, box.name, box.seconds, where=host, leg=HERE, why=why, seen=seen)


CHECK = Check(
    id="idle.outlook",
    layer=Layer.IDLE,
    title="nothing known on the way cuts unused connections too soon",
    where=Where.BASTION,
    run=run,
    wants=(CANONICAL_NAME,),
    codes=(CODE,),
    applies=nobody_said,
)
