"""A connection to the database survives being left unused as long as asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Layer, Outcome, Policy, Tunnel, Where
from tunneldoctor_checks.facts import DB_SESSION, SESSION
from tunneldoctor_checks.idle._hold import CODES, Hold, Loss, not_asked, survived
from tunneldoctor_checks.idle._rulings import lost

if TYPE_CHECKING:
    from tunneldoctor.database.session import Session


def run(context: Context) -> Outcome:
    """Leave the logged-in connection alone, then use it once."""
    database, ssh = context.need(DB_SESSION), context.need(SESSION)
    hold = Hold(context, ssh)
    loss = hold.watch(lambda seconds: _listen(database, seconds))
    if context.cancelled.is_set():
        return Outcome(unknown="interrupted")
    loss = loss or _use(database, hold.time_to_answer())
    return survived(context) if loss is None else lost(context, loss, hold.ssh_answers(), held=hold.held)


def _listen(session: Session, seconds: float) -> Loss | None:
    from tunneldoctor.database.trouble import DatabaseTrouble

    try:
        session.listen(seconds)
    except DatabaseTrouble as error:
        refusal = error.trouble.refusal
        return Loss("closed", error.trouble.evidence, sqlstate=refusal.number if refusal else "")
    return None


def _use(session: Session, seconds: float) -> Loss | None:
    from tunneldoctor.database.trouble import DatabaseTrouble, Reason

    try:
        session.ping(seconds)
    except DatabaseTrouble as error:
        trouble = error.trouble
        refusal = trouble.refusal
        how = "silent" if trouble.reason is Reason.NO_ANSWER else "reset"
        return Loss(how, (*trouble.evidence, Evidence("timing", "at the first query after the pause")),
                    sqlstate=refusal.number if refusal else "")  # fmt: skip
    return None


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
    codes=CODES,
    applies=_applies,
)
