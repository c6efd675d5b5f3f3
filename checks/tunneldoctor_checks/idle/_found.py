"""What the ladder's result says: a finding, what speaks about its causes, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Outcome, Ruling, Severity, Value, confirms, rules_out
from tunneldoctor_checks.idle._culprits import (
    BOX,
    CHANNEL,
    CLIENT_FIRST,
    DATABASE,
    SERVER_FIRST,
    SSH_SERVER,
    SYMPTOMS,
    behind_the_bastion,
    by_the_end,
    on_purpose,
    said_by_the_database,
    that_spares_the_living,
    without_channel_timeout,
)

if TYPE_CHECKING:
    from tunneldoctor.idle.flow import Loss
    from tunneldoctor.idle.result import Result
    from tunneldoctor.idle.suspects import Suspect

CODES = (
    "idle.dropped-silently", "idle.dropped-with-reset", "idle.closed", "idle.not-idle", "idle.keepalive-too-slow",
)  # fmt: skip
#: Suspects that are told.
_SHOWN = 4


def outcome(context: Context, result: Result) -> Outcome:
    """The check's outcome for *result*."""
    from tunneldoctor.idle.result import Kind

    measured = dict(_measured(result))
    if result.kind is Kind.NONE:
        return Outcome(measured=measured)
    if result.kind in (Kind.UNMEASURED, Kind.INCONSISTENT):
        return Outcome(unknown="; ".join(_so_far(result)), measured=measured)
    if _not_for_being_unused(context, result) or result.example is None:
        return Outcome((_finding(context, "idle.not-idle", result, ()),), measured=measured)
    return _cut(context, result, result.example, measured)


def _not_for_being_unused(context: Context, result: Result) -> bool:
    """The others went too, or the database said that somebody ended it. Where nothing ran over those in use, a server
    that counts channels may have taken them for unused, if it has such a limit."""
    from tunneldoctor.idle.flow import Arm
    from tunneldoctor.idle.result import Kind

    if result.kind is Kind.NOT_IDLE or (result.example and on_purpose(result.example)):
        return True
    went_in_use = result.age is not None and result.companions.get(Arm.WITNESS) is False
    return went_in_use and bool(without_channel_timeout(context))


def _cut(context: Context, result: Result, loss: Loss, measured: dict[str, Value]) -> Outcome:
    from tunneldoctor.idle.flow import Leg

    suspects, keepalive = _suspects(context, result), context.tunnel.keepalive
    if result.leg is Leg.BASTION and keepalive and keepalive >= (result.upper or 0.0):
        return Outcome((_finding(context, "idle.keepalive-too-slow", result, suspects),), measured=measured)
    rulings = (_first_leg if result.leg is Leg.BASTION else _second_leg)(context, result, loss)
    finding = _finding(context, SYMPTOMS[loss.how], result, suspects)
    return Outcome((finding,), measured=measured, rulings=tuple(rulings))


def _first_leg(context: Context, result: Result, loss: Loss) -> Iterator[Ruling]:
    """The SSH connection itself is gone."""
    from tunneldoctor.idle.flow import Arm, How

    told = list(by_the_end(loss))
    yield from told
    if result.how is not How.CLOSED or any(each.code == SSH_SERVER for each in told):
        return
    kept, in_use = result.companions.get(Arm.SSH_KEEPALIVE), result.companions.get(Arm.WITNESS)
    if in_use and kept is False:
        yield confirms(SSH_SERVER, "connections without a forward went, kept alive or not; one with a forward lives")
    elif kept and (software := that_spares_the_living(context)):
        yield rules_out(SSH_SERVER, f"{software} ends none whose client answers, and one that is kept alive lives")


def _second_leg(context: Context, result: Result, loss: Loss) -> Iterator[Ruling]:
    return behind_the_bastion(context, loss, "the SSH connection, kept alive, still answers", _by_the_others(result))


def _by_the_others(result: Result) -> Iterator[Ruling]:
    """A session with a query under way is as silent on the wire as one without, and in use to the database alone."""
    from tunneldoctor.idle.flow import Arm

    if result.arm is Arm.IDLE and result.outlived.get(Arm.SERVER_FIRST, 0.0) > (result.upper or 0.0):
        for code in (CHANNEL, BOX):
            yield rules_out(code, "a session with a query under way was as silent, and lives")
    elif result.arm is Arm.SERVER_FIRST:
        yield rules_out(DATABASE, "a session with a query under way went, which to a database is not idle")


def _suspects(context: Context, result: Result) -> tuple[Suspect, ...]:
    from tunneldoctor.idle.flow import Arm, Leg
    from tunneldoctor.idle.suspects import suspects

    assert result.how is not None and result.upper is not None
    tunnel = context.tunnel
    behind = [tunnel.remote.host] if tunnel.remote else []
    first = result.leg is Leg.BASTION
    lived = result.companions.get(Arm.SSH_KEEPALIVE if first else Arm.BUSY)
    alone = result.outlived.get(Arm.IDLE, 0.0) >= result.upper if result.arm is Arm.SERVER_FIRST else None
    return suspects(
        result.lower or 0.0,
        result.upper,
        result.how,
        names=[hop.host for hop in tunnel.hops if hop.host] if first else behind,
        provider=tunnel.provider,
        tcp_keepalive=result.companions.get(Arm.TCP_KEEPALIVE) if first else None,
        payload=lived,
        server_first_alone=alone,
    )


def _finding(context: Context, code: str, result: Result, suspects: tuple[Suspect, ...]) -> Finding:
    from tunneldoctor.idle.flow import Arm
    from tunneldoctor.idle.suspects import in_words, keepalive_for, often_enough

    upper = result.upper or 0.0
    loss = result.example
    params: dict[str, Value] = {
        "seconds": _figure(upper),
        "lower": _figure(result.lower or 0.0),
        "leg": str(result.leg),
        "what": SERVER_FIRST if result.arm is Arm.SERVER_FIRST else CLIENT_FIRST,
        "keepalive": round(context.tunnel.keepalive),
        "suggested": keepalive_for(result.lower) if result.lower else often_enough(upper),
        "probably": in_words(suspects),
        "reason": result.reason or (said_by_the_database(loss) if loss else ""),
    }
    severity = Severity.INFO if _harmless(context, result) else None
    return Finding(code, params, tuple(_evidence(result, suspects)), severity)


def _harmless(context: Context, result: Result) -> bool:
    """Nothing breaks for this tunnel: its keepalive holds the connection, or it need not last so long."""
    from tunneldoctor.idle.flow import Arm, Leg
    from tunneldoctor.idle.result import Kind

    tunnel, lower = context.tunnel, result.lower or 0.0
    kept = result.leg is Leg.BASTION and 0 < tunnel.keepalive < lower and result.companions.get(Arm.SSH_KEEPALIVE)
    return result.kind is Kind.CUT and bool(kept or 0 < (tunnel.idle_hold or 0.0) < lower)


def _evidence(result: Result, suspects: tuple[Suspect, ...]) -> Iterator[Evidence]:
    for line in _so_far(result):
        yield Evidence("timing", line)
    if loss := result.example:
        yield Evidence("message", loss.words + (f": {loss.said}" if loss.said not in loss.words else ""))
    for arm, alive in result.companions.items():
        yield Evidence("timing", f"{_COMPANION[arm]}: {'lived' if alive else 'went as well'}")
    if result.hop is not None:
        yield Evidence("timing", f"the timer is at hop {result.hop} or before it ({result.hop_name})")
    for each in suspects[:_SHOWN]:
        yield Evidence("list", f"it may be {each}")


_COMPANION = {
    "SSH keepalive": "a connection kept alive by SSH",
    "TCP keepalive": "a connection kept alive by the kernel",
    "witness": "this run's own connection, in use",
    "busy": "a session in use",
}


def _so_far(result: Result) -> Iterator[str]:
    """The result in words: why, the bounds, what else."""
    from tunneldoctor.idle.result import Kind

    if result.reason:
        yield result.reason
    if result.kind is Kind.NOT_IDLE:
        yield from result.notes
        return
    if result.lower is not None and result.age is None:
        yield f"alive after {result.lower:.1f} s unused"
    if result.upper is not None and result.age is None:
        told = "and so a second connection" if result.confirmed else "seen on one connection"
        yield f"gone after {result.upper:.1f} s unused ({told})"
    yield from result.notes


def _measured(result: Result) -> Iterator[tuple[str, Value]]:
    from tunneldoctor.idle.result import Kind

    if result.lower is not None and result.kind is not Kind.NOT_IDLE:
        yield "idle.alive_after_seconds", _figure(result.lower)
    if result.kind is Kind.CUT and result.upper is not None:
        yield "idle.dead_after_seconds", _figure(result.upper)
        yield "idle.cutoff_seconds", _figure(result.estimate or result.upper)
        yield "idle.cutoff_leg", str(result.leg)
        yield "idle.cutoff_how", str(result.how)
        yield "idle.cutoff_confirmed", result.confirmed
        if result.hop is not None:
            yield "idle.cutoff_hop", result.hop
    for arm, alive in result.companions.items():
        yield f"idle.{str(arm).lower().replace(' ', '_')}_survives", alive
    if result.notes:
        yield "idle.notes", "; ".join(result.notes)


def _figure(seconds: float) -> float:
    """Tenths where they matter."""
    return round(seconds, 1) if seconds < 100 else float(round(seconds))
