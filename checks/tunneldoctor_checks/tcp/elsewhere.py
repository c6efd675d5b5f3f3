"""Where connecting fails or hangs: whether another machine gets in, and so this one's address is what matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Address, BudgetSpent, Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.facts import ADDRESSES, CONNECT_TROUBLE, ENDPOINT
from tunneldoctor_checks.vantage import LOADS, applies, blocked, look, not_blocked

if TYPE_CHECKING:
    from tunneldoctor.net.attempt import Attempt
    from tunneldoctor.net.connect import Trouble

#: Ways of failing that a rule about addresses can be behind.
_TELLING = ("timeout", "refused", "refused-by-firewall", "prohibited", "reset")
#: Seconds for the second try from here.
_AGAIN = 2.0


def run(context: Context) -> Outcome:
    """Try the very address that fails here from the other place; and once more from here where it failed at once."""
    trouble = context.need(CONNECT_TROUBLE)
    target = _target(context, trouble)
    if target is None:
        return Outcome(skipped="it fails on this machine, or on a route that only this machine lacks")
    there = look(context, target)
    if there.connected is None:
        words = f"not seen from {there.place}: {there.said}"
        return Outcome(skipped=words) if trouble.slow else Outcome(unknown=words)
    if not there.connected:
        return Outcome(rulings=(not_blocked(there, target),))
    if not trouble.slow and (again := _again(context, target)):
        return Outcome(skipped=again)
    return Outcome(rulings=(blocked(there, target),))


def _target(context: Context, trouble: Trouble) -> Address | None:
    """The first address that is silent, else the first that was refused by somebody else than this machine."""
    from tunneldoctor.net.interfaces import is_led_to
    from tunneldoctor.net.scope import is_private

    port, decided = context.need(ENDPOINT).port, {attempt.target.host for attempt in trouble.attempts}
    silent = [Address(each, port) for each in context.need(ADDRESSES) if each not in decided] if trouble.slow else []
    refused = [each.target for each in trouble.attempts if _by_somebody_else(each)]
    far = (each for each in (*silent, *refused) if not is_private(each.host) or is_led_to(each.host))
    return next(far, None)


def _by_somebody_else(attempt: Attempt) -> bool:
    """False where no packet forbids it: then this machine does, by a route, a policy or a sandbox."""
    return attempt.result in _TELLING and (attempt.icmp is not None or attempt.result != "prohibited")


def _again(context: Context, target: Address) -> str | None:
    """Why the success there says nothing about here: the fault may have gone in the meantime."""
    from tunneldoctor.net.connect import connect_each

    try:
        context.budget.bare_connection(context.hop.name)
    except BudgetSpent as error:
        return str(error)
    seconds = max(0.1, min(_AGAIN, context.remaining() / 2))
    attempt = connect_each([target.host], target.port, seconds, context.cancelled)[0]
    return "by now the port answers from here, too" if attempt.result == "connected" else None


CHECK = Check(
    id="tcp.elsewhere",
    layer=Layer.TCP,
    title="what another machine sees of the port was compared",
    where=Where.FIRST_HOP,
    loads=LOADS,
    run=run,
    needs=(ENDPOINT, ADDRESSES, CONNECT_TROUBLE),
    applies=applies,
)
