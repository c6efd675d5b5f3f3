"""A port that does not greet where the engine's server speaks first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Outcome, found
from tunneldoctor_checks.db._report import outcome
from tunneldoctor_checks.db._second import second_channel
from tunneldoctor_checks.facts import CHANNEL, DATABASE

if TYPE_CHECKING:
    from tunneldoctor.database.trouble import Trouble


def no_greeting(context: Context, trouble: Trouble) -> Outcome:
    """Closed before a word was said; hung; or somebody who waits for us to speak.

    The look goes over the same connection: should it be the engine after all, it would count a second one.
    """
    from tunneldoctor.database.opening import answers_to_tls, knock
    from tunneldoctor.database.trouble import Reason

    if trouble.reason is Reason.CLOSED:
        return found(Finding("forward.closed-at-once", trouble.params, trouble.evidence))
    seen = knock(context.need(CHANNEL), context.remaining() / 2)
    if context.need(DATABASE).engine in seen.engines:
        late = Evidence("timing", "the greeting came after all, when the time for it was over: slow reverse lookups?")
        return outcome(replace(trouble, evidence=(*trouble.evidence, late, *seen.evidence)))
    if seen.service:
        return found(Finding("db.wrong-service", {"service": seen.service}, (*trouble.evidence, *seen.evidence)))
    channel = second_channel(context, context.remaining() / 2) if seen.closed else None
    answer = answers_to_tls(channel, context.remaining() / 2) if channel else None
    if answer:
        return found(Finding("db.wrong-service", {"service": "TLS from the first byte"}, (*trouble.evidence, answer)))
    return outcome(trouble)
