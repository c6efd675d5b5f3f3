"""Have an SSH server open a connection for us: what ``nc -zv`` there would show, with no shell there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tunneldoctor.model import (
    Address,
    Context,
    Evidence,
    Fact,
    Finding,
    Outcome,
    Ruling,
    Value,
    found,
    rules_out,
)
from tunneldoctor_checks.facts import CERTIFICATE_FAULTS, FORWARD_REFUSED, LOOK_WANTED, SESSION
from tunneldoctor_checks.forward._prohibition import prohibition_rulings

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream
    from tunneldoctor.ssh.transport import OpenFailure, Transport

CODES = (
    "forward.prohibited", "forward.connect-failed", "forward.name-not-resolved", "forward.refused", "forward.timeout",
    "forward.no-route", "forward.not-supported", "forward.resource-shortage", "forward.unclassified",
)  # fmt: skip

#: Seconds kept back of the deadline for the outcome, and the share of it kept for asking whether the bastion lives.
_MARGIN, _SHARE = 0.2, 0.15
#: A refusal or an unknown name is known within a second; a connection that times out takes longer than that.
_AT_ONCE = 1.0


def open_channel(context: Context, target: Address, gives: Fact[Stream], measured: Mapping[str, Value]) -> Outcome:
    """Open a channel to *target* through the hop's session; where that fails, put the server's reason in our words."""
    from tunneldoctor.ssh.forwarding import OpenFailure, classify

    session = context.need(SESSION)
    reserve = context.remaining() * _SHARE
    result = session.open(target, max(0.1, context.remaining() - _MARGIN - reserve))
    if not isinstance(result, OpenFailure):
        return Outcome(facts={gives: context.closing(result)}, measured=measured)
    if result.closed and not session.has_answered:
        return Outcome(unknown=f"{_told(result)}; whether the forward is to blame can't be told")
    code = classify(result)
    evidence = [Evidence("message", _told(result))]
    if result.timed_out:
        alive = session.round_trip(reserve)
        evidence.append(Evidence("timing", _liveness(alive)))
        code = code if alive is not None else "forward.unclassified"
    evidence += [Evidence("message", f"the server says: {text}") for text in session.debug_messages[:8]]
    rulings = tuple(_rulings(code, context, target, result))
    finding = Finding(code, {**_params(target, result), **_credential(session)}, tuple(evidence))
    return found(finding, facts={FORWARD_REFUSED: result, LOOK_WANTED: True}, rulings=rulings)


def _told(failure: OpenFailure) -> str:
    if failure.timed_out:
        return f"no answer to the request within {failure.seconds:.1f} s"
    if failure.closed:
        return f"the SSH connection ended after {failure.seconds:.3f} s: {failure.text or 'without a word'}"
    said = f"{failure.text!r}" if failure.text else "no words"
    return f"reason {failure.code} after {failure.seconds:.3f} s, {said}"


def _liveness(alive: float | None) -> str:
    if alive is None:
        return "the SSH connection itself no longer answers"
    return f"the bastion itself answers within {alive * 1000:.1f} ms: it is still trying to connect"


def _params(target: Address, failure: OpenFailure) -> dict[str, Value]:
    return {
        "target": str(target),
        "remote_host": target.host,
        "remote_port": target.port,
        "reason": failure.text or "no reason given",
        "reason_code": failure.code,
        "seconds": round(failure.seconds, 1),
    }


def _credential(session: Transport) -> dict[str, Value]:
    """What logged in, for those who look at its options on the server; nothing after a password."""
    key, certificate = session.login_lines
    return {"public_key": key, "certificate": certificate or None, "algorithm": session.login_algorithm} if key else {}


def _rulings(code: str, context: Context, target: Address, failure: OpenFailure) -> Iterator[Ruling]:
    session = context.need(SESSION)
    if code == "forward.prohibited":
        faults = context.want(CERTIFICATE_FAULTS)
        yield from prohibition_rulings(session, failure, faults or ())
    if code == "forward.connect-failed":
        yield from _by_way_of_failing(session, target, failure)


def _by_way_of_failing(session: Transport, target: Address, failure: OpenFailure) -> Iterator[Ruling]:
    """OpenSSH has words for everything but a connect() that fails at once (channels.c, connect_next)."""
    from tunneldoctor.net.scope import is_literal

    if failure.seconds < _AT_ONCE:
        yield rules_out("forward.timeout", f"the answer came after {failure.seconds:.3f} s")
    if is_literal(target.host):
        yield rules_out("forward.name-not-resolved", f"{target.host} is an address, there is nothing to resolve")
    if session.software.startswith("OpenSSH") and failure.text == "open failed":
        for code in ("forward.refused", "forward.name-not-resolved"):
            yield rules_out(code, "OpenSSH would have said so in words")
