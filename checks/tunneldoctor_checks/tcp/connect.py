"""The first hop's port accepts a TCP connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Value, Where
from tunneldoctor_checks.facts import ADDRESSES, CONNECT_TROUBLE, ENDPOINT, STREAM

if TYPE_CHECKING:
    from tunneldoctor.net.attempt import Attempt
    from tunneldoctor.net.connect import ConnectFailure, Trouble

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.1
#: Where several addresses fail in different ways, the one that got nearest to a connection is told first.
_NEAREST_FIRST = ("reset", "refused", "refused-by-firewall", "prohibited", "timeout", "no-route", "unclassified")


def run(context: Context) -> Outcome:
    """Connect to the first address that answers; at half time tell those who look into it."""
    from tunneldoctor.net.connect import Connected, Trouble, connect_first

    addresses = context.need(ADDRESSES)
    result = connect_first(
        addresses,
        context.need(ENDPOINT).port,
        context.remaining() - _MARGIN,
        slow_after=context.half_time(),
        on_slow=lambda trouble: context.give(CONNECT_TROUBLE, trouble),
        cancelled=context.cancelled,
    )
    if isinstance(result, Connected):
        attempt, hop = result.attempt, context.hop.name
        measured: dict[str, Value] = {
            f"{hop}.address": attempt.target.host,
            f"{hop}.latency_ms": round(attempt.seconds * 1000, 1),
        }
        return Outcome(facts={STREAM: context.closing(result.socket)}, measured=measured)
    if not result.attempts:
        return Outcome(unknown="there was no time left to connect")
    return _failed(result, Trouble(slow=False, attempts=result.attempts))


def _failed(failure: ConnectFailure, trouble: Trouble) -> Outcome:
    """One finding for each way of failing. What never left this machine counts only where nothing else did."""
    telling = [attempt for attempt in failure.attempts if not attempt.never_left] or list(failure.attempts)
    results = sorted({attempt.result for attempt in telling}, key=_NEAREST_FIRST.index)
    findings = tuple(
        _finding([attempt for attempt in telling if attempt.result == result], failure) for result in results
    )
    return Outcome(findings, {CONNECT_TROUBLE: trouble})


def _finding(alike: list[Attempt], failure: ConnectFailure) -> Finding:
    first = alike[0]
    params: dict[str, Value] = {
        "address": str(first.target),
        "addresses": ", ".join(str(attempt.target) for attempt in alike),
        "ip": first.target.host,
        "port": first.target.port,
        "seconds": round(first.seconds, 1),
        "sender": _sender(first),
    }
    return Finding(f"tcp.{first.result}", params, tuple(map(_evidence, failure.attempts)))


def _sender(attempt: Attempt) -> str:
    if attempt.icmp and attempt.icmp.sender:
        return attempt.icmp.sender
    return "this machine" if attempt.error and attempt.result in {"no-route", "prohibited"} else attempt.target.host


def _evidence(attempt: Attempt) -> Evidence:
    return Evidence("errno" if attempt.error else "timing", str(attempt))


CHECK = Check(
    id="tcp.connect",
    layer=Layer.TCP,
    title="the port answers",
    where=Where.FIRST_HOP,
    run=run,
    needs=(ENDPOINT, ADDRESSES),
    gives=(STREAM, CONNECT_TROUBLE),
    codes=tuple(f"tcp.{result}" for result in _NEAREST_FIRST),
    equivalent="nc -vz -w{connect_timeout} {bastion_host} {bastion_port}",
)
