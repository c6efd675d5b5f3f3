"""The database's own settings let an unused session live as long as it has to."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Policy, Tunnel, Value, Where
from tunneldoctor_checks.facts import DB_SESSION

#: What each engine calls the limit.
_SETTING = {"mysql": "wait_timeout", "mariadb": "wait_timeout"}


def run(context: Context) -> Outcome:
    """Compare what the database said at the login; nothing is sent. No SSH keepalive counts as use of a session."""
    session = context.need(DB_SESSION)
    limit, wanted = session.idle_timeout, context.tunnel.idle_hold or 0.0
    if not limit or limit >= wanted:
        return Outcome()
    setting = _SETTING.get(session.database.engine, "idle_session_timeout")
    params: dict[str, Value] = {
        "what": f"the database's {setting}",
        "seconds": round(limit, 1),
        "where": session.database.host,
    }
    seen = Evidence("message", f"{setting} is {limit:g} s for this user")
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
