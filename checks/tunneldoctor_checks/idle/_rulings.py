"""What the way a connection went says about who ended it."""

from __future__ import annotations

from tunneldoctor.model import Context, Evidence, Finding, Outcome, Ruling, Value, confirms, rules_out
from tunneldoctor_checks.idle._hold import Loss

_CODES = {"closed": "idle.closed", "reset": "idle.dropped-with-reset", "silent": "idle.dropped-silently"}
_SSH_SERVER, _CHANNEL, _DATABASE = "idle.ssh-server-timeout", "idle.channel-timeout", "idle.database-timeout"
#: PostgreSQL: idle_session_timeout, idle_in_transaction_session_timeout, transaction_timeout. MySQL: wait_timeout.
_TIMEOUTS = {"57P05", "25P03", "25P04", "4031"}
#: PostgreSQL: admin_shutdown, crash_shutdown, database_dropped. MySQL and MariaDB: a shutdown, a KILL.
_ENDED_ON_PURPOSE = {"57P01", "57P02", "57P04", "1053", "1927"}
#: Seconds between keepalives that hold against every limit in common use (Azure's 4 minutes is the shortest).
_OFTEN_ENOUGH = 30


def lost(context: Context, loss: Loss, ssh_answers: bool, held: float) -> Outcome:
    """The outcome of a connection that went after *held* seconds."""
    leg = "between the bastion and the database" if ssh_answers else "between here and the bastion"
    asked = Evidence("timing", f"the bastion {'still answers' if ssh_answers else 'does not answer any more'}")
    params: dict[str, Value] = {
        "seconds": round(held),
        "leg": leg,
        "keepalive": round(context.tunnel.keepalive),
        "suggested": max(1, min(_OFTEN_ENOUGH, round(held / 3))),
    }
    evidence = (*loss.evidence, asked)
    if loss.sqlstate in _ENDED_ON_PURPOSE:
        return Outcome((Finding("idle.not-idle", params | {"sqlstate": loss.sqlstate}, evidence),))
    if not ssh_answers and 0 < held < context.tunnel.keepalive:
        return Outcome((Finding("idle.keepalive-too-slow", params, evidence),))
    rulings = _second_leg(loss) if ssh_answers else _first_leg(loss)
    return Outcome((Finding(_CODES[loss.how], params, evidence),), rulings=rulings)


def _first_leg(loss: Loss) -> tuple[Ruling, ...]:
    """The SSH connection itself is gone."""
    behind = "the SSH connection went with it, and neither of them can end that"
    rulings = [rules_out(_CHANNEL, behind), rules_out(_DATABASE, behind)]
    if loss.how != "closed":
        rulings.append(rules_out(_SSH_SERVER, "a server that ends a connection says so at once"))
    return tuple(rulings)


def _second_leg(loss: Loss) -> tuple[Ruling, ...]:
    """The SSH connection lives: what is gone is the channel, or the connection behind it."""
    if loss.sqlstate in _TIMEOUTS:
        return (confirms(_DATABASE, f"the database said so itself ({loss.sqlstate})"),)
    rulings = [rules_out(_SSH_SERVER, "the SSH connection still answers")]
    if loss.how != "closed":
        because = "whoever ends an idle session does so at once, not at the next query"
        rulings += [rules_out(_CHANNEL, because), rules_out(_DATABASE, because)]
    return tuple(rulings)
