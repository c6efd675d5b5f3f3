"""What the way a connection went says about who ended it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Outcome, Ruling, Value, found, rules_out
from tunneldoctor_checks.idle._culprits import (
    BOX,
    CHANNEL,
    CLIENT_FIRST,
    DATABASE,
    SERVER_FIRST,
    SYMPTOMS,
    behind_the_bastion,
    by_the_end,
    on_purpose,
    said_by_the_database,
)
from tunneldoctor_checks.idle._hold import FOLLOW, FOLLOW_SHARE

if TYPE_CHECKING:
    from tunneldoctor.idle.flow import Loss
    from tunneldoctor_checks.idle._lines import Line, Lines

CODES = (
    "idle.dropped-silently", "idle.dropped-with-reset", "idle.closed", "idle.not-idle", "idle.keepalive-too-slow",
    "idle.keepalive-missing",
)  # fmt: skip
#: What ends within so many seconds ended at one moment.
_ONE_MOMENT = 0.4


def outcome(context: Context, lines: Lines, held: float) -> Outcome:
    """What became of *lines* after *held* seconds."""
    lost = [line for line in lines.as_configured if line.loss]
    if lost:
        first = next((line for line in lost if not line.server_first), lost[0])
        return _lost(context, lines, first, held)
    if lines.all[0].unmeasured:
        return Outcome(unknown=lines.all[0].unmeasured)
    measured = {"idle.survived_seconds": context.policy.idle, **_measured(lines)}
    if lines.kept:
        return Outcome(measured=measured)
    return found(Finding("idle.keepalive-missing", {"seconds": round(held)}, _evidence(lines)), measured=measured)


def _measured(lines: Lines) -> dict[str, Value]:
    """How each fared, by who spoke first and whether it was kept."""
    fates: dict[str, Value] = {}
    for line in lines.all[1:]:
        which = "server_first" if line.server_first else "we_first"
        fates[f"idle.{which}" if line.kept is lines.kept else f"idle.{which}_without_keepalive"] = _fate(line)
    if lines.control and not lines.control.unmeasured:
        fates["idle.busy_survives"] = lines.control.loss is None
    missing = "; ".join([*lines.missing, *([lines.refused] if lines.refused else [])])
    return fates | ({"idle.not_measured": missing} if missing else {})


def _fate(line: Line) -> str:
    if line.unmeasured:
        return f"not measured: {line.unmeasured}"
    if line.loss is None:
        return "survived"
    late = ", but came once we had said something" if line.late else ""
    where = f" {line.leg}" if line.leg else ""
    return f"lost ({line.loss.how}){where}{late}"


def _evidence(lines: Lines) -> tuple[Evidence, ...]:
    told = [Evidence("timing", f"{line}: {_fate(line)}") for line in lines.all]
    if lines.control:
        told.append(Evidence("timing", f"one more, in use all the time: {_fate(lines.control)}"))
    words = dict.fromkeys(line.loss.said or line.loss.words for line in lines.all if line.loss)
    told += [Evidence("message", each) for each in words if each]
    told += [Evidence("timing", f"not measured: {each}") for each in lines.missing]
    if lines.refused:
        told.append(Evidence("timing", f"no further connection, and so none in use beside it: {lines.refused}"))
    return tuple(told)


def _lost(context: Context, lines: Lines, line: Line, held: float) -> Outcome:
    """The outcome where *line*, which fares as the tunnel's own connections do, went."""
    from tunneldoctor.idle.flow import How, Leg

    loss = line.loss
    assert loss is not None
    seconds = loss.after if loss.how is How.CLOSED else held
    params, evidence = _params(context, line, loss, seconds), _evidence(lines)
    on_the_way = line.leg is Leg.BASTION
    if on_purpose(loss):
        return _not_idle(params, said_by_the_database(loss), evidence)
    if why := _outage(lines.control, line):
        return _not_idle(params, why, evidence)
    if on_the_way and lines.kept and not lines.answered:
        return Outcome((Finding("idle.keepalive-too-slow", params, evidence),))
    if on_the_way and lines.kept and (line.flow is not line.ssh or loss.how is not How.CLOSED):
        return _not_idle(params, f"{lines.answered} keepalives were answered until then: it was in use", evidence)
    rulings = by_the_end(loss) if on_the_way else _second_leg(context, lines, line, loss)
    return Outcome((Finding(SYMPTOMS[loss.how], params, evidence),), rulings=tuple(rulings), measured=_measured(lines))


def _not_idle(params: dict[str, Value], reason: str, evidence: tuple[Evidence, ...]) -> Outcome:
    return Outcome((Finding("idle.not-idle", params | {"reason": reason}, evidence),))


def _outage(control: Line | None, line: Line) -> str:
    """Why *line* did not go for being unused, in words: the connection in use went as well. Empty where it lives.

    Where nothing runs over that, a server that counts channels (sshd's UnusedConnectionTimeout) takes it for unused,
    and ends it at the same age; then it says nothing.
    """
    from tunneldoctor.idle.clocks import by_the_clock
    from tunneldoctor.idle.flow import Leg

    loss = control.loss if control else None
    if not (control and loss and line.loss) or control.leg not in (line.leg, Leg.BASTION):
        return ""
    apart = abs(control.begun + loss.after - line.begun - line.loss.after)
    if loss.bare and loss.how == "closed" and not loss.abrupt and apart > _ONE_MOMENT:
        return ""
    return f"a connection in use went as well, at {by_the_clock(control.begun + loss.after)}"


def _params(context: Context, line: Line, loss: Loss, seconds: float) -> dict[str, Value]:
    from tunneldoctor.idle.flow import How
    from tunneldoctor.idle.suspects import keepalive_for, often_enough

    known = loss.how is How.CLOSED
    return {
        "seconds": round(seconds, 1) if seconds < 10 else round(seconds),
        "leg": str(line.leg),
        "what": SERVER_FIRST if line.server_first else CLIENT_FIRST,
        "keepalive": round(context.tunnel.keepalive),
        "suggested": keepalive_for(seconds) if known else often_enough(seconds),
        "probably": _suspects(context, line, loss, seconds),
    }


def _suspects(context: Context, line: Line, loss: Loss, seconds: float) -> str:
    """Boxes that may have done it, in words. After a pause it is only known that the limit is not above it."""
    from tunneldoctor.idle.flow import How, Leg
    from tunneldoctor.idle.suspects import in_words, suspects

    tunnel = context.tunnel
    hosts = [hop.host or "" for hop in tunnel.hops]
    names = hosts if line.leg is Leg.BASTION else [tunnel.remote.host if tunnel.remote else ""]
    lower = seconds * 0.9 if loss.how is How.CLOSED else 0.0
    likely = suspects(
        lower, seconds, loss.how, names=names, provider=tunnel.provider, server_first_alone=line.late or None
    )
    return in_words(likely)


def _second_leg(context: Context, lines: Lines, line: Line, loss: Loss) -> Iterator[Ruling]:
    return behind_the_bastion(context, loss, "the SSH connection still answers", _by_the_others(lines, line, loss))


def _by_the_others(lines: Lines, line: Line, loss: Loss) -> Iterator[Ruling]:
    """A session with a query under way is as silent on the wire as one without, and in use to the database alone."""
    asleep = next((each for each in lines.as_configured if each.server_first and each is not line), None)
    if asleep is None or asleep.unmeasured or line.server_first:
        return
    if asleep.loss is None:
        if asleep.silent < loss.after * (1 + FOLLOW_SHARE) + FOLLOW / 2:
            return
        because = "a session with a query under way was silent for longer, and lives"
        yield from (rules_out(CHANNEL, because), rules_out(BOX, because))
    elif asleep.loss.how == "closed" and not asleep.loss.sqlstate:
        yield rules_out(DATABASE, "a session with a query under way went with it, and to a database that is not idle")
