"""A look at a service of which nothing is known: that the channel to it stays open, and what its first bytes tell."""

from __future__ import annotations

from tunneldoctor.model import Context, Evidence, Finding, Outcome, found
from tunneldoctor_checks.facts import CHANNEL


def look(context: Context, seconds: float) -> Outcome:
    """Wait up to *seconds* for the service to speak or to hang up; it need do neither."""
    from tunneldoctor.database.opening import wait

    seen = wait(context.need(CHANNEL), min(seconds, context.remaining() / 2))
    if seen.closed:
        evidence = Evidence("timing", "the channel was closed without a byte")
        return found(Finding("forward.closed-at-once", {"stage": "the opening", "received": 0}, (evidence,)))
    return Outcome(measured={"database.service": seen.service} if seen.service else {})
