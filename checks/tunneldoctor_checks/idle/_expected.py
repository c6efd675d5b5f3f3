"""A cut that is to be expected from what is known; nothing was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Policy, Tunnel

if TYPE_CHECKING:
    from tunneldoctor.idle.suspects import Box

CODE = "idle.cutoff-expected"
HERE, THERE = "between here and the bastion", "between the bastion and the database"


def expected(
    context: Context, what: str, seconds: float, *, where: str, leg: str, why: str, seen: Evidence
) -> Finding | None:
    """*what* at *where* ends what is unused for *seconds*; *why* nothing prevents it. None if that is late enough."""
    from tunneldoctor.idle.suspects import keepalive_for

    wanted = context.tunnel.idle_hold or 0.0
    if seconds >= wanted:
        return None
    params = {
        "what": what,
        "seconds": round(seconds, 1) if seconds < 10 else round(seconds),
        "where": where,
        "leg": leg,
        "why": why,
        "wanted": round(wanted),
        "keepalive": round(context.tunnel.keepalive),
        "suggested": keepalive_for(seconds),
    }
    return Finding(CODE, params, (seen,))


def named(host: str, meant: str = "") -> tuple[Box | None, Evidence]:
    """The box that a host's name gives away; *meant* is the name that it is an alias of."""
    from tunneldoctor.idle.suspects import behind

    box = behind(host) or (behind(meant) if meant else None)
    alias = f" is an alias of {meant}, which" if meant and meant != host else ""
    return box, Evidence("name", f"{host}{alias} is the name of {box.name if box else 'nothing known'}")


def nobody_said(tunnel: Tunnel, policy: Policy) -> str | None:
    """Without knowing how long a connection has to last there is nothing to expect."""
    return None if tunnel.idle_hold else "no idle_hold: nobody said how long a connection must survive unused"
