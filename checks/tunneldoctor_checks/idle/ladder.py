"""Unused connections are not cut, or it is known after how long, how, and on which leg: measured, where asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Address, Check, Context, Layer, Outcome, Policy, Tunnel, Where
from tunneldoctor_checks.facts import DB_SESSION, SESSION, STREAM
from tunneldoctor_checks.idle._doors import DATABASE_WANTS, WANTS, database_door, ssh_door
from tunneldoctor_checks.idle._found import CODES, outcome

if TYPE_CHECKING:
    from tunneldoctor.database.session import Session
    from tunneldoctor.idle.flow import Opener
    from tunneldoctor.idle.ladder import Conduct
    from tunneldoctor.idle.plan import Plan
    from tunneldoctor.idle.result import Result


#: Seconds for seeing which routers are on the way.
_WALK = 5.0


def run(context: Context) -> Outcome:
    """Leave several connections alone, each for a time of its own, and see which of them still live."""
    from tunneldoctor.idle.ladder import Conduct, Ladder
    from tunneldoctor.idle.plan import plan
    from tunneldoctor.idle.refine import refined
    from tunneldoctor.idle.ssh_flow import witness

    policy = context.policy
    session = context.want(DB_SESSION.after)
    planned = plan(policy.up_to, policy.connections, with_database=session is not None and session.can_sleep)
    openers = _openers(context, planned, session)
    if not openers:
        return Outcome(unknown="too little is known of the way in to take it once more")
    conduct = Conduct(
        timeout=context.tunnel.connect_timeout,
        remaining=context.remaining,
        cancelled=context.cancelled,
        tell=lambda standing: context.progress(str(standing), **standing.values),
    )
    own = witness(context.need(SESSION), context.want(STREAM))
    result = Ladder(planned, openers, conduct, own).run()
    if policy.precise:
        result = refined(result, planned, openers, conduct, own)
        result = _at_its_hop(context, result, conduct)
    return outcome(context, result)


def _openers(context: Context, planned: Plan, session: Session | None) -> list[Opener]:
    """One for each leg that there is a way into once more."""
    from tunneldoctor.idle.through import Behind, InFront

    door = ssh_door(context)
    if door is None:
        return []
    in_front = InFront(replace(door, keepalive=planned.keepalive))
    database = database_door(context, session) if session else None
    if database is None or session is None:
        return [in_front]
    behind = Behind(database, context.need(SESSION), session.can_sleep)
    return [replace(in_front, database=database if session.can_sleep else None), behind]


def _at_its_hop(context: Context, result: Result, conduct: Conduct) -> Result:
    """Where it is, if TCP keepalives hold the connection and there is no jump host in between."""
    from tunneldoctor.idle.flow import Arm, Leg
    from tunneldoctor.idle.locate import located
    from tunneldoctor.idle.result import Kind
    from tunneldoctor.net.stream import peer_address
    from tunneldoctor.net.walk import walk

    stream = context.want(STREAM)
    door, peer = ssh_door(context), peer_address(stream)
    held = result.companions.get(Arm.TCP_KEEPALIVE)
    if result.kind is not Kind.CUT or result.leg is not Leg.BASTION or not (held and door and peer):
        return result
    way = walk(Address(*peer), min(_WALK, context.remaining()), context.cancelled)
    return located(result, door, way, context.policy.connections, conduct)


def _lasts(tunnel: Tunnel, policy: Policy) -> float:
    from tunneldoctor.idle.plan import seconds_at_most

    return seconds_at_most(policy.up_to, policy.connections, policy.precise) if policy.find_cutoff else 0.0


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    """It takes its time, and so is done only on demand."""
    return None if policy.find_cutoff else "not asked for: --find-cutoff"


CHECK = Check(
    id="idle.ladder",
    layer=Layer.IDLE,
    title="unused connections are not cut",
    where=Where.BASTION,
    run=run,
    needs=(SESSION,),
    wants=(*WANTS, *DATABASE_WANTS, DB_SESSION.after),
    codes=CODES,
    applies=_applies,
    stage="ladder",
    lasts=_lasts,
)
