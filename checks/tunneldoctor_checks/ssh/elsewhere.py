"""Where the server hangs up without a word: whether it speaks to another machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import Address, Check, Context, Layer, Outcome, Ruling, Where, rules_out
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT, HANDSHAKE_FAILED
from tunneldoctor_checks.vantage import LOADS, Elsewhere, applies, blocked, look, not_blocked

if TYPE_CHECKING:
    from tunneldoctor.ssh.transport import HandshakeFailure

#: OpenSSH says "Exceeded MaxStartups" before it drops a connection since this version, and "Not allowed at this time"
#: since 9.8, which brought the penalties (sshd.c, drop_connection).
_OUTSPOKEN = (8, 2)
_NOT_FOR_ALL = (
    "ssh.no-backend",
    "ssh.server-misconfigured",
    "ssh.tls-in-front",
    "ssh.proxy-protocol-expected",
    "ssh.not-ssh",
)


def run(context: Context) -> Outcome:
    """Have the other place connect, and read who answers."""
    failure = context.need(HANDSHAKE_FAILED)
    if failure.stage not in {"closed-before-banner", "reset-at-once"} or failure.first:
        return Outcome(skipped="the server did not hang up without a word")
    target = Address(context.need(ADDRESSES)[0], context.need(ENDPOINT).port)
    there = look(context, target)
    if there.connected is None:
        return Outcome(unknown=f"not seen from {there.place}: {there.said}")
    return Outcome(rulings=tuple(_rulings(failure, there, target)))


def _rulings(failure: HandshakeFailure, there: Elsewhere, target: Address) -> Iterator[Ruling]:
    from tunneldoctor.ssh.identification import openssh_version

    if failure.stage == "reset-at-once":
        yield blocked(there, target) if there.speaks_ssh else not_blocked(there, target)
        return
    if not there.speaks_ssh:
        yield rules_out(
            "ssh.penalised", f"{target} hangs up on {there.place} as well, and penalties are for one address"
        )
        return
    because = f"at the same time {target} says {there.first} to {there.place}"
    for code in _NOT_FOR_ALL:
        yield rules_out(code, because)
    version = openssh_version(there.first)
    if version and version >= _OUTSPOKEN:
        for code in ("ssh.max-startups", "ssh.penalised"):
            yield rules_out(code, f"{because}, and this version says in words that it is full or penalises an address")


CHECK = Check(
    id="ssh.elsewhere",
    layer=Layer.SSH,
    title="what another machine hears from the server was compared",
    where=Where.FIRST_HOP,
    loads=LOADS,
    run=run,
    needs=(ENDPOINT, ADDRESSES, HANDSHAKE_FAILED),
    applies=applies,
)
