"""Nothing stands in front of the SSH server that wants to be spoken to first: a look at silence and at hang-ups."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tunneldoctor.model import BudgetSpent, Check, Context, Layer, Outcome, Ruling, Where, confirms, rules_out
from tunneldoctor_checks.facts import HANDSHAKE_SLOW

if TYPE_CHECKING:
    from tunneldoctor.ssh.front import Seen

#: Seconds for each of the looks, and those kept back of the deadline.
_EACH, _MARGIN = 2.0, 0.5


def run(context: Context) -> Outcome:
    """Ask for TLS, and for an SSH server behind a PROXY header, until one of them answers."""
    from tunneldoctor.ssh import front

    slow = context.need(HANDSHAKE_SLOW)
    address = slow.address
    if slow.stage not in {"no-banner", "closed-before-banner", "not-ssh"}:
        return Outcome(skipped="the server has said that it is an SSH server")
    if address is None:
        return Outcome(skipped="not a connection of this machine's own")
    looks: tuple[tuple[str, Callable[[float], Seen]], ...] = (
        ("ssh.tls-in-front", lambda seconds: front.tls(address, context.hop.host or "", seconds)),
        ("ssh.proxy-protocol-expected", lambda seconds: front.proxy(address, seconds)),
    )
    if slow.stage == "not-ssh":  # a TLS alert: whether there is SSH inside is the only question
        looks = looks[:1]
    rulings: list[Ruling] = []
    for code, look in looks:
        try:
            context.budget.bare_connection(context.hop.name)
        except BudgetSpent:
            if not rulings:
                raise
            break
        seen = look(max(0.1, min(_EACH, context.remaining() - _MARGIN)))
        slow.note(seen.text)
        if seen.there:
            return Outcome(rulings=(confirms(_what(code, seen), seen.text),))
        if seen.there is False:
            rulings.append(rules_out(code, seen.text))
    return Outcome(rulings=tuple(rulings))


def _what(code: str, seen: Seen) -> str:
    """TLS with no SSH inside is simply another service."""
    return "ssh.not-ssh" if code == "ssh.tls-in-front" and not seen.first.startswith(b"SSH-") else code


CHECK = Check(
    id="ssh.in-front",
    layer=Layer.SSH,
    title="nothing in front of the server wants to be spoken to first",
    where=Where.FIRST_HOP,
    run=run,
    needs=(HANDSHAKE_SLOW,),
)
