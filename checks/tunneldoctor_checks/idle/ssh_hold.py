"""Without a database to log in to: the SSH connection survives being left unused as long as asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Layer, Outcome, Policy, Tunnel, Where
from tunneldoctor_checks.facts import SESSION
from tunneldoctor_checks.idle._hold import CODES, Hold, Loss, not_asked, survived
from tunneldoctor_checks.idle._rulings import lost

if TYPE_CHECKING:
    from tunneldoctor.ssh.transport import Transport


def run(context: Context) -> Outcome:
    """Leave the connection alone, then ask the server one question."""
    ssh = context.need(SESSION)
    hold = Hold(context, ssh)
    loss = hold.watch(lambda seconds: _listen(context, ssh, seconds))
    if context.cancelled.is_set():
        return Outcome(unknown="interrupted")
    if loss is None and not hold.ssh_answers():
        how = "silent" if ssh.is_active else "reset"
        loss = Loss(how, (Evidence("timing", "at the first question after the pause"),))
    return survived(context) if loss is None else lost(context, loss, ssh_answers=False, held=hold.held)


def _listen(context: Context, ssh: Transport, seconds: float) -> Loss | None:
    if not ssh.is_active:
        return Loss("closed", (Evidence("timing", "the SSH connection ended"),))
    context.cancelled.wait(seconds)
    return None


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
    codes=CODES,
    applies=_applies,
)
