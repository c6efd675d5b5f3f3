"""The database's settings, and what its name gives away, let an unused session live as long as it has to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Where
from tunneldoctor_checks.facts import DB_SESSION
from tunneldoctor_checks.idle._expected import CODE, THERE, expected, named, nobody_said

if TYPE_CHECKING:
    from tunneldoctor.database.session import Session

#: What each engine calls the limit.
_SETTING = {"mysql": "wait_timeout", "mariadb": "wait_timeout", "redis": "timeout"}
#: Seconds after which servers as delivered send TCP keepalives to a silent client, where a session does not tell:
#: redis.conf, tcp-keepalive; MongoDB, "Troubleshooting: TCP keepalive" (what the system has longer is cut to that).
_KEEPALIVE = {"redis": 300.0, "mongodb": 300.0}
_NO_QUERY = "only a query counts as use there, no keepalive"
_NOT_OF_SSH = "SSH's keepalives end at the bastion"


def run(context: Context) -> Outcome:
    """Compare what the database said at the login, and read its name; nothing is sent."""
    session = context.want(DB_SESSION)
    found = (_by_setting(context, session) if session else None, _by_name(context, session))
    return Outcome(findings=tuple(filter(None, found)))


def _by_setting(context: Context, session: Session) -> Finding | None:
    limit = session.idle_timeout
    if not limit:
        return None
    setting = _SETTING.get(session.database.engine, "idle_session_timeout")
    seen = Evidence("message", f"{setting} is {limit:g} s for this user")
    what, where = f"the database's {setting}", session.database.host
    return expected(context, what, limit, where=where, leg=THERE, why=_NO_QUERY, seen=seen)


def _by_name(context: Context, session: Session | None) -> Finding | None:
    """The database's own TCP keepalives protect it from most boxes on the way from the bastion."""
    from tunneldoctor.idle.suspects import TCP

    tunnel = context.tunnel
    host = tunnel.remote.host if tunnel.remote else ""
    box, seen = named(host)
    if box is None:
        return None
    engine = tunnel.database.engine if tunnel.database else ""
    told = session.tcp_keepalive if session else None
    sent = _KEEPALIVE.get(engine) if told is None else told
    if sent and sent < box.seconds and TCP in box.resets:
        return None
    why = _NOT_OF_SSH if box.resets else _NO_QUERY
    if sent and box.resets:
        why += f", and the database sends its own after {sent:g} s"
    return expected(context, box.name, box.seconds, where=host, leg=THERE, why=why, seen=seen)


CHECK = Check(
    id="idle.settings",
    layer=Layer.IDLE,
    title="the database keeps unused sessions long enough",
    where=Where.DATABASE,
    run=run,
    wants=(DB_SESSION,),
    codes=(CODE,),
    applies=nobody_said,
)
