"""The right kind of database answers on the channel, encrypted as far as the client asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Where, found
from tunneldoctor_checks.db._clear import in_clear
from tunneldoctor_checks.db._greeting import no_greeting
from tunneldoctor_checks.db._report import outcome
from tunneldoctor_checks.db._second import second_channel
from tunneldoctor_checks.db._tls_first import insists, tls_or_not, wants_tls
from tunneldoctor_checks.facts import CHANNEL, DATABASE, DB_READY, SESSION, TARGET

if TYPE_CHECKING:
    from tunneldoctor.database.session import Prepared
    from tunneldoctor.database.trouble import Trouble

#: Seconds that a channel must stay open unused to count as open, where only reachability is asked for.
_STAYS_OPEN = 1.0
#: Seconds, and share of what is left, that are kept for a second look at a service that says nothing.
_LOOK, _SHARE = 2.0, 0.25
#: Seconds until a channel with nobody behind it is closed: a round trip from the bastion, and then some.
_AT_ONCE = 0.3


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
        return _explained(context, error.trouble)
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
    if trouble.params.get("received") != 0:
        return outcome(trouble)
    if context.need(DATABASE).engine in SPEAKS_FIRST:
        return no_greeting(context, trouble)
    if trouble.reason is Reason.CLOSED:
        return _closed(context, trouble)
    if trouble.reason is Reason.NO_ANSWER:
        return _silent(context, trouble)
    return outcome(trouble)


def _closed(context: Context, trouble: Trouble) -> Outcome:
    """Closed on our first message, or on everybody? And does it speak TLS at once?"""
    from tunneldoctor.database.opening import answers_to_tls, closes_unasked

    channel = second_channel(context, context.remaining() / 2)
    if channel is None:
        return outcome(trouble)
    if closes_unasked(channel, min(_AT_ONCE, context.remaining() / 2)):
        seen = Evidence("timing", "a second channel, on which nothing was sent, was closed as well")
        return found(Finding("forward.closed-at-once", trouble.params, (*trouble.evidence, seen)))
    if answer := answers_to_tls(channel, context.remaining() / 2):
        if wants_tls(context):
            return insists(trouble, answer)
        return found(Finding("db.wrong-service", {"service": "TLS from the first byte"}, (*trouble.evidence, answer)))
    return outcome(trouble)


def _silent(context: Context, trouble: Trouble) -> Outcome:
    """Hung, or waiting for another protocol's first words."""
    from tunneldoctor.database.opening import answers_to_a_knock

    channel = second_channel(context, context.remaining() / 2)
    service = answers_to_a_knock(channel, context.remaining() / 2) if channel else None
    if service is None:
        return outcome(trouble)
    name, answer = service
    return found(Finding("db.wrong-service", {"service": name}, (*trouble.evidence, answer)))


CHECK = Check(
    id="db.service",
    layer=Layer.DB,
    title="the database answers, encrypted as asked for",
    where=Where.DATABASE,
    loads=("tunneldoctor.database.tls",),
    run=run,
    needs=(CHANNEL, DATABASE),
    wants=(SESSION, TARGET),
    gives=(DB_READY,),
    codes=(
        "db.no-answer", "db.closed-without-answer", "db.wrong-service", "db.not-ready", "db.too-many-connections",
        "db.host-not-allowed", "db.host-blocked", "db.tls-off", "db.tls-required", "db.tls-not-supported",
        "db.tls-protocol-mismatch", "db.tls-handshake-failed", "db.tls-stalled", "db.tls-client-certificate-required",
        "db.client-certificate-rejected", "db.client-certificate-unusable", "db.pooler-upstream-down",
        "db.unclassified", "forward.closed-at-once",
    ),
)  # fmt: skip
