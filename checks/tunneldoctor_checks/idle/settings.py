"""The database's own settings let an unused session live as long as it has to."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Policy, Tunnel, Value, Where
from tunneldoctor_checks.facts import DB_SESSION


def run(context: Context) -> Outcome:
    """Compare what the database said at the login; nothing is sent. No SSH keepalive counts as use of a session."""
    limit, wanted = context.need(DB_SESSION).idle_timeout, context.tunnel.idle_hold or 0.0
    if not limit or limit >= wanted:
        return Outcome()
    what = "the database's idle_session_timeout"
    params: dict[str, Value] = {
        "what": what,
        "seconds": round(limit, 1),
        "where": context.need(DB_SESSION).database.host,
    }
    seen = Evidence("message", f"idle_session_timeout is {limit:g} s for this user")
    return Outcome((Finding("idle.cutoff-expected", params | {"keepalive": round(context.tunnel.keepalive)}, (seen,)),))


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    if tunnel.database and tunnel.database.engine == "tcp":
        return "tcp:// asks for reachability alone"
    return None if tunnel.idle_hold else "no idle_hold: nobody said how long a connection must survive unused"


CHECK = Check(
    id="idle.settings",
    layer=Layer.IDLE,
    title="the database keeps unused sessions long enough",
    where=Where.DATABASE,
    run=run,
    needs=(DB_SESSION,),
    codes=("idle.cutoff-expected",),
    applies=_applies,
)
