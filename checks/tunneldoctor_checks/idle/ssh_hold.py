"""Without a database to log in to: the SSH connection survives being left unused as long as asked for.

Nobody can have an SSH server speak first: where there is no database, that a long query's result arrives is not shown.
"""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Layer, Outcome, Policy, Tunnel, Where
from tunneldoctor_checks.facts import SESSION
from tunneldoctor_checks.idle._doors import WANTS
from tunneldoctor_checks.idle._hold import Hold, held_for, not_asked
from tunneldoctor_checks.idle._lines import lines
from tunneldoctor_checks.idle._rulings import CODES, outcome


def run(context: Context) -> Outcome:
    """Leave the connection alone, then ask the server one question."""
    left_alone = lines(context, None)
    left_alone.missing.append("the server speaks first: an SSH server can't be asked to")
    hold = Hold(context, left_alone)
    why_not = hold.run()
    return Outcome(unknown=why_not) if why_not else outcome(context, left_alone, hold.held)


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    if tunnel.database and tunnel.database.engine != "tcp":
        return "the connection to the database is held instead"
    return not_asked(tunnel, policy)


CHECK = Check(
    id="idle.ssh-hold",
    layer=Layer.IDLE,
    title="an unused SSH connection survives",
    where=Where.BASTION,
    run=run,
    needs=(SESSION,),
    wants=WANTS,
    codes=CODES,
    applies=_applies,
    lasts=held_for,
)
