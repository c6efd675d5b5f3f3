"""A connection to the database survives being left unused as long as asked for, whoever speaks first after that."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Layer, Outcome, Policy, Tunnel, Where
from tunneldoctor_checks.facts import DB_SESSION, SESSION
from tunneldoctor_checks.idle._doors import DATABASE_WANTS, WANTS
from tunneldoctor_checks.idle._hold import Hold, held_for, not_asked
from tunneldoctor_checks.idle._lines import lines
from tunneldoctor_checks.idle._rulings import CODES, outcome


def run(context: Context) -> Outcome:
    """Leave the logged-in connection alone, and others beside it; then use each once."""
    left_alone = lines(context, context.need(DB_SESSION))
    hold = Hold(context, left_alone)
    why_not = hold.run()
    return Outcome(unknown=why_not) if why_not else outcome(context, left_alone, hold.held)


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    if tunnel.database and tunnel.database.engine == "tcp":
        return "there is no login to hold: the SSH connection is held instead"
    return not_asked(tunnel, policy)


CHECK = Check(
    id="idle.hold",
    layer=Layer.IDLE,
    title="an unused connection to the database survives",
    where=Where.DATABASE,
    run=run,
    needs=(DB_SESSION, SESSION),
    wants=(*WANTS, *DATABASE_WANTS),
    codes=CODES,
    applies=_applies,
    lasts=held_for,
)
