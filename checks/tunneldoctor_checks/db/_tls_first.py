"""Engines whose TLS has a port of its own: the client speaks TLS to the plain one, or plain to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Outcome, found
from tunneldoctor_checks.db._second import second_channel
from tunneldoctor_checks.facts import DATABASE

if TYPE_CHECKING:
    from tunneldoctor.database.trouble import Trouble
    from tunneldoctor.model import Database


def tls_or_not(context: Context, trouble: Trouble) -> Outcome | None:
    """A finding where the other kind of connection is what the port wants; None where that is not it."""
    from tunneldoctor.database.engine import TLS_FROM_THE_FIRST_BYTE, begins_with_tls
    from tunneldoctor.database.opening import engines_of

    database = context.need(DATABASE)
    if begins_with_tls(database) and database.engine in engines_of(str(trouble.params.get("service"))):
        return plain_only(database, *trouble.evidence)
    if database.engine not in TLS_FROM_THE_FIRST_BYTE:
        return None
    if database.tls.required:
        return _has_none(context, trouble)
    return insists(trouble) if trouble.params.get("service") == "TLS" else None


def could_begin_with_tls(database: Database) -> bool:
    """Whether TLS from the first byte is this engine's own way, which its client did not take."""
    from tunneldoctor.database.engine import TLS_FROM_THE_FIRST_BYTE, begins_with_tls

    own = database.engine in TLS_FROM_THE_FIRST_BYTE or database.engine == "sqlserver"  # there it is TDS 8
    return own and not begins_with_tls(database)


def insists(trouble: Trouble, *evidence: Evidence) -> Outcome:
    """The port takes nothing but TLS, and the client does not begin with it."""
    params = {"message": "the port speaks TLS from the first byte"}
    return found(Finding("db.tls-required", params, (*trouble.evidence, *evidence)))


def plain_only(database: Database, *evidence: Evidence) -> Outcome:
    """The engine itself answers TLS from the first byte, in its own words and in clear."""
    code = "db.tls-direct-unsupported" if database.engine == "postgresql" else "db.tls-not-supported"
    return found(Finding(code, {"mode": database.tls.mode}, evidence))


def _has_none(context: Context, trouble: Trouble) -> Outcome | None:
    """Whether the engine answers without TLS what it did not answer with it; no password is in that."""
    from tunneldoctor.database.engine import engine_for
    from tunneldoctor.database.trouble import DatabaseTrouble, Reason

    database = context.need(DATABASE)
    engine = engine_for(database.engine)
    if engine is None or trouble.reason not in (Reason.TLS_STALLED, Reason.TLS_HANDSHAKE_FAILED):
        return None
    channel = second_channel(context, context.remaining() / 2)
    if channel is None:
        return None
    try:
        engine.prepare(channel, database, context.remaining() / 2, encrypt=False)
    except DatabaseTrouble:
        return None
    seen = Evidence("message", f"a second channel, without TLS: {database.engine} answers")
    return found(Finding("db.tls-not-supported", {"mode": database.tls.mode}, (*trouble.evidence, seen)))
