"""A look at a service that tunneldoctor does not log in to: that it stays open, and what its first bytes tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Outcome, found
from tunneldoctor_checks.facts import CHANNEL, DATABASE

if TYPE_CHECKING:
    from tunneldoctor.database.opening import Opening


def look(context: Context, seconds: float) -> Outcome:
    """Wait up to *seconds* for the service to speak or to hang up; it need do neither."""
    from tunneldoctor.database.opening import open_with

    engine = context.need(DATABASE).engine
    seen = open_with(context.need(CHANNEL), engine, min(seconds, context.remaining() / 2))
    if seen.closed:
        code = "forward.closed-at-once" if not seen.spoken else "db.closed-without-answer"
        evidence = Evidence("timing", "the channel was closed without a byte")
        return found(Finding(code, {"stage": "our first message", "received": 0}, (evidence,)))
    if engine == "tcp":
        return Outcome(measured=_named(seen))
    if seen.service and engine not in seen.engines:
        return found(Finding("db.wrong-service", {"service": seen.service}, seen.evidence))
    return Outcome(unknown=_unknown(engine, seen), measured=_named(seen))


def _named(seen: Opening) -> dict[str, str]:
    return {"database.service": seen.service} if seen.service else {}


def _unknown(engine: str, seen: Opening) -> str:
    heard = f"{seen.service} answers" if seen.service else "the port is open, and its service waits for us to speak"
    return f"tunneldoctor does not log in to {engine} yet: {heard}, and what comes after that was not looked at"
