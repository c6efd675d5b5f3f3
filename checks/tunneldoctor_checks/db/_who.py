"""Who is there, where a port took the engine's first words and said nothing to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import BudgetSpent, Context, Evidence, Finding, Outcome, found
from tunneldoctor_checks.db._report import outcome
from tunneldoctor_checks.db._second import second_channel
from tunneldoctor_checks.db._tls_first import could_begin_with_tls, insists, plain_only
from tunneldoctor_checks.facts import DATABASE

if TYPE_CHECKING:
    from tunneldoctor.database.opening import Opening
    from tunneldoctor.database.trouble import Trouble
    from tunneldoctor.net.stream import Stream

#: Seconds until a channel with nobody behind it is closed: a round trip from the bastion, and then some.
_AT_ONCE = 0.3


def who_is_there(context: Context, trouble: Trouble, *, closed: bool) -> Outcome:
    """Whoever answers a line of text or another protocol's first words; *trouble* as it is where nobody does.

    *closed*: the port hung up on the engine's words. Is it so with everybody, even before a word?
    """
    channel = _another(context)
    if channel is None:
        return outcome(trouble)
    if closed and _closes_unasked(context, channel):
        seen = Evidence("timing", "a second channel, on which nothing was sent, was closed as well")
        return found(Finding("forward.closed-at-once", trouble.params, (*trouble.evidence, seen)))
    return who_answers(context, trouble, channel)


def who_answers(context: Context, trouble: Trouble, channel: Stream) -> Outcome:
    """As :func:`who_is_there`, beginning on *channel*. A port that keeps silent at a line of text is left alone."""
    from tunneldoctor.database.engine import begins_with_tls
    from tunneldoctor.database.first_words import LINE, first_words
    from tunneldoctor.database.opening import ask

    database = context.need(DATABASE)
    further = first_words("" if begins_with_tls(database) else database.engine)
    seen = ask(channel, LINE, context.remaining() / 2)
    while seen.closed and (words := next(further, None)):
        another = _another(context)
        if another is None:
            break
        seen = ask(another, words, context.remaining() / 2)
    return _named(context, trouble, seen) if seen.service else outcome(trouble)


def _named(context: Context, trouble: Trouble, seen: Opening) -> Outcome:
    from tunneldoctor.database.engine import begins_with_tls

    database, service = context.need(DATABASE), seen.service
    if database.engine in seen.engines and begins_with_tls(database):
        return plain_only(database, *trouble.evidence, *seen.evidence)
    if database.engine in seen.engines:
        late = Evidence("timing", "it answered after all, when the time for it was over: slow reverse lookups?")
        return outcome(replace(trouble, evidence=(*trouble.evidence, late, *seen.evidence)))
    if service == "TLS" and begins_with_tls(database):
        return outcome(replace(trouble, evidence=(*trouble.evidence, *seen.evidence)))
    if service == "TLS" and could_begin_with_tls(database):
        return insists(trouble, *seen.evidence)
    service = "TLS from the first byte" if service == "TLS" else service
    return found(Finding("db.wrong-service", {"service": service}, (*trouble.evidence, *seen.evidence)))


def _another(context: Context) -> Stream | None:
    """A fresh channel, or None: what was seen so far is worth saying, also where no further look may be had."""
    try:
        return second_channel(context, context.remaining() / 2)
    except BudgetSpent:
        return None


def _closes_unasked(context: Context, channel: Stream) -> bool:
    from tunneldoctor.database.opening import wait

    return wait(channel, min(_AT_ONCE, context.remaining() / 2)).closed
