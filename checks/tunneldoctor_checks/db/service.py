"""The right kind of database answers on the channel, encrypted as far as the client asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Finding, Layer, Outcome, Where
from tunneldoctor_checks.db._clear import in_clear
from tunneldoctor_checks.db._greeting import no_greeting
from tunneldoctor_checks.db._look_wanted import or_a_look
from tunneldoctor_checks.db._report import outcome
from tunneldoctor_checks.db._tls_first import tls_or_not
from tunneldoctor_checks.db._who import who_is_there
from tunneldoctor_checks.facts import CHANNEL, DATABASE, DB_FAULT, DB_READY, LOOK_WANTED, SESSION, TARGET

if TYPE_CHECKING:
    from tunneldoctor.database.session import Prepared
    from tunneldoctor.database.trouble import Trouble

#: Seconds that a channel must stay open unused to count as open, where only reachability is asked for.
_STAYS_OPEN = 1.0
#: Seconds, and share of what is left, that are kept for a second look at a service that says nothing.
_LOOK, _SHARE = 2.0, 0.25


def run(context: Context) -> Outcome:
    """Speak first, and see who answers and how."""
    from tunneldoctor.database.engine import engine_for
    from tunneldoctor.database.trouble import DatabaseTrouble

    database, channel = context.need(DATABASE), context.need(CHANNEL)
    engine = engine_for(database.engine)
    if engine is None:
        from tunneldoctor_checks.db._reachable import look

        return look(context, _STAYS_OPEN)
    encrypt = database.tls.mode not in ("disable", "allow")
    left = context.remaining()
    try:
        prepared = engine.prepare(channel, database, left - min(_LOOK, left * _SHARE), encrypt=encrypt)
    except DatabaseTrouble as error:
        return or_a_look(context, _explained(context, error.trouble))
    return Outcome(findings=_in_clear(context, prepared), facts={DB_READY: context.closing(prepared)})


def _in_clear(context: Context, prepared: Prepared) -> tuple[Finding, ...]:
    """``allow`` may yet come to TLS: there the login tells."""
    mode = context.need(DATABASE).tls.mode
    if prepared.encrypted or mode == "allow":
        return ()
    off = prepared.offers_tls is False
    return in_clear(context, "the server has TLS turned off" if off else f"the client's own mode is {mode}")


def _explained(context: Context, trouble: Trouble) -> Outcome:
    """Where nothing came back a further look may tell what is there."""
    from tunneldoctor.database.engine import SPEAKS_FIRST
    from tunneldoctor.database.trouble import Reason

    if context.cancelled.is_set():
        return outcome(trouble)
    if other := tls_or_not(context, trouble):
        return other
    if not _silent(context, trouble):
        return outcome(trouble)
    if context.need(DATABASE).engine in SPEAKS_FIRST:
        return no_greeting(context, trouble)
    return who_is_there(context, trouble, closed=trouble.reason in (Reason.CLOSED, Reason.TLS_HANDSHAKE_FAILED))


def _silent(context: Context, trouble: Trouble) -> bool:
    """Whether nothing at all came back to the client's first words, which may be TLS."""
    from tunneldoctor.database.engine import begins_with_tls
    from tunneldoctor.database.trouble import Reason

    plain, tls = {Reason.CLOSED, Reason.NO_ANSWER}, {Reason.TLS_HANDSHAKE_FAILED, Reason.TLS_STALLED}
    return (
        trouble.reason in (tls if begins_with_tls(context.need(DATABASE)) else plain)
        and trouble.params.get("received") == 0
    )


CHECK = Check(
    id="db.service",
    layer=Layer.DB,
    title="the database answers, encrypted as asked for",
    where=Where.DATABASE,
    loads=("tunneldoctor.database.tls",),
    run=run,
    needs=(CHANNEL, DATABASE),
    wants=(SESSION, TARGET),
    gives=(DB_READY, DB_FAULT, LOOK_WANTED.before),
    codes=(
        "db.no-answer", "db.closed-without-answer", "db.wrong-service", "db.not-ready", "db.too-many-connections",
        "db.host-not-allowed", "db.host-blocked", "db.tls-off", "db.tls-required", "db.tls-not-supported",
        "db.tls-direct-unsupported", "db.tls-protocol-mismatch", "db.tls-handshake-failed", "db.tls-stalled",
        "db.tls-client-certificate-required",
        "db.client-certificate-rejected", "db.client-certificate-unusable", "db.pooler-upstream-down",
        "db.server-name-needed", "db.unclassified", "forward.closed-at-once",
    ),
)  # fmt: skip
