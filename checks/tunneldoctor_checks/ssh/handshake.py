"""The hop speaks SSH and completes the key exchange."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import (
    Address,
    BudgetSpent,
    Check,
    Context,
    Evidence,
    Finding,
    Hop,
    Layer,
    Outcome,
    Ruling,
    Value,
    Where,
    found,
    rules_out,
)
from tunneldoctor_checks.facts import HANDSHAKE_FAILED, HANDSHAKE_SLOW, PINS, STREAM, TRANSPORT

if TYPE_CHECKING:
    from tunneldoctor.ssh.handshake import HandshakeFailure, SlowHandshake
    from tunneldoctor.ssh.transport import Transport

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.2
#: Seconds for a look on a second connection.
_LOOK = 2.0
#: What sshd writes before it drops a connection (OpenSSH sshd.c, drop_connection), up to 9.7 and since 9.8.
_FULL, _DROPPED = b"Exceeded MaxStartups", b"Not allowed at this time"
#: sshd's answer to a first line that is no identification (kex.c): somebody put one in front of ours.
_PROXIED = b"Invalid SSH identification string."
_CODES = {
    "reset-at-once": "tcp.reset",
    "no-banner": "ssh.no-banner",
    "not-ssh": "ssh.not-ssh",
    "protocol-too-old": "ssh.protocol-too-old",
    "no-kexinit": "ssh.kex-stalled",
    "kex-stalled": "ssh.kex-stalled",
    "closed-during-kex": "ssh.closed-during-kex",
    "no-common-kex": "ssh.no-common-kex",
    "no-common-host-key": "ssh.no-common-host-key-algorithm",
    "no-common-cipher": "ssh.no-common-cipher",
    "no-common-mac": "ssh.no-common-mac",
}


def run(context: Context) -> Outcome:
    """Exchange identifications and keys; say at half time that it takes long."""
    from tunneldoctor.net.stream import peer_address
    from tunneldoctor.ssh.handshake import HandshakeFailure, SlowHandshake
    from tunneldoctor.ssh.transport import Transport

    slow: list[SlowHandshake] = []
    stream = context.need(STREAM)
    address = peer_address(stream)

    def at_half_time(stage: str) -> None:
        slow.append(SlowHandshake(stage, address))
        context.give(HANDSHAKE_SLOW, slow[0])

    pins = context.want(PINS)
    result = Transport.handshake(
        stream,
        timeout=context.remaining() - _MARGIN,
        preferred_host_key_types=pins.key_types() if pins else (),
        half_time=context.half_time(),
        on_half_time=at_half_time,
    )
    if not isinstance(result, HandshakeFailure):
        return _made(context, context.closing(result))
    wordless = result.stage == "closed-before-banner" and not result.first
    if address and not slow and (wordless or result.what == "TLS"):
        at_half_time(result.stage)
    if address and wordless:
        return _closed_without_a_word(context, result, slow, address)
    return _failed(context, result, slow, address)


def _made(context: Context, transport: Transport) -> Outcome:
    from tunneldoctor.ssh.algorithms import weak

    weaknesses = weak(transport.algorithms)
    findings: tuple[Finding, ...] = ()
    if weaknesses:
        text = "\n".join(f"{name}: {why}" for name, why in weaknesses.items())
        params: dict[str, Value] = {"algorithms": ", ".join(weaknesses), "software": transport.software}
        findings = (Finding("ssh.weak-algorithms", params, (Evidence("list", text),)),)
    return Outcome(findings, {TRANSPORT: transport}, _measured(context.hop.name, transport))


def _measured(hop: str, transport: Transport) -> dict[str, Value]:
    from tunneldoctor.ssh.blobs import fingerprint

    prefix = "ssh" if hop == "bastion" else f"{hop}.ssh"
    agreed = transport.algorithms
    return {
        f"{hop}.software": transport.software,
        f"{hop}.host_key": fingerprint(transport.plain_host_key),
        f"{prefix}.kex": agreed.kex,
        f"{prefix}.cipher": agreed.cipher,
        f"{prefix}.mac": agreed.mac,
        f"{prefix}.host_key_algorithm": agreed.host_key,
    }


def _failed(
    context: Context, failure: HandshakeFailure, slow: list[SlowHandshake], address: tuple[str, int] | None
) -> Outcome:
    facts = {HANDSHAKE_FAILED: failure}
    if unable := _unable(context.hop, failure):
        return Outcome(unknown=unable, facts=facts, measured=_software(context, failure))
    code, rulings = _code(failure)
    evidence = (*_evidence(failure), *(Evidence("timing", note) for each in slow for note in each.notes))
    place = Address(*address) if address else context.hop.address
    finding = Finding(code, {**_params(failure), "address": str(place)}, evidence)
    return found(finding, facts=facts, measured=_software(context, failure), rulings=rulings)


def _closed_without_a_word(
    context: Context, failure: HandshakeFailure, slow: list[SlowHandshake], address: tuple[str, int]
) -> Outcome:
    """PostgreSQL hangs up like that on whatever is not its own protocol: the likeliest mix-up of ports there is."""
    from tunneldoctor.ssh.front import postgresql

    try:
        context.budget.bare_connection(context.hop.name)
    except BudgetSpent:
        return _failed(context, failure, slow, address)
    seen = postgresql(address, max(0.1, min(_LOOK, context.remaining() / 4)))
    slow[0].note(seen.text)
    if seen.there:
        return _failed(context, replace(failure, stage="not-ssh", what="PostgreSQL"), slow, address)
    outcome = _failed(context, failure, slow, address)
    ruled = (rules_out("ssh.not-ssh", seen.text),) if seen.there is False else ()
    return replace(outcome, rulings=outcome.rulings + ruled)


def _unable(hop: Hop, failure: HandshakeFailure) -> str | None:
    """What this program lacks and OpenSSH's client has: not a fault of the server."""
    from tunneldoctor.ssh.algorithms import listed, openssh_can

    kind, offered = failure.disputed, failure.offered
    if not kind or not offered:
        return None
    others = openssh_can(kind, offered)
    if not others:
        return None
    what = kind.replace("_", " ")
    return (
        f"the server offers no {what} algorithm that this program has, only {listed(offered.of(kind))}; "
        f"OpenSSH's own client can use {others[0]}, so try: {_by_hand(hop)}"
    )


def _by_hand(hop: Hop) -> str:
    where = f"{hop.username}@{hop.host}" if hop.username else str(hop.host)
    return f"ssh -v -N -p {hop.port} {shlex.quote(where)}"


def _code(failure: HandshakeFailure) -> tuple[str, tuple[Ruling, ...]]:
    if _PROXIED in failure.first and failure.software:
        return "ssh.proxy-protocol-unexpected", ()
    if failure.stage == "closed-before-banner":
        return _closed(failure)
    return _CODES.get(failure.stage, "ssh.unclassified"), ()


def _closed(failure: HandshakeFailure) -> tuple[str, tuple[Ruling, ...]]:
    if _FULL in failure.first:
        return "ssh.max-startups", ()
    others = ("ssh.source-denied", "ssh.no-backend", "ssh.server-misconfigured")
    fronts = ("ssh.tls-in-front", "ssh.proxy-protocol-expected", "ssh.not-ssh")
    if _DROPPED in failure.first:
        because = "sshd itself wrote 'Not allowed at this time', which it does when full or penalising (9.8 and later)"
        return "ssh.closed-before-banner", tuple(rules_out(code, because) for code in others + fronts)
    if not failure.first and failure.end and failure.end.kind == "closed":
        because = "sshd says 'Not allowed at this time' before it drops a penalised address; nothing was said here"
        return "ssh.closed-before-banner", (rules_out("ssh.penalised", because),)
    return "ssh.closed-before-banner", ()


def _params(failure: HandshakeFailure) -> dict[str, Value]:
    from tunneldoctor.net.services import described
    from tunneldoctor.ssh.algorithms import listed

    lists: dict[str, Value] = {}
    if failure.offered and (kind := failure.disputed):
        lists = {"offered": listed(failure.offered.of(kind)), "ours": listed(failure.ours.of(kind))}
    return {
        "what": failure.what or "an unknown service",
        "software": failure.software or failure.text or "an unknown server",
        "first": described(failure.first),
        "seconds": round(failure.seconds, 1),
        **lists,
    }


def _evidence(failure: HandshakeFailure) -> tuple[Evidence, ...]:
    from tunneldoctor.net.services import described
    from tunneldoctor.ssh.algorithms import listed

    items = [Evidence("bytes", f"first bytes from the server: {described(failure.first, 200)}")]
    if failure.software:
        items.append(Evidence("message", f"the server says it is {failure.software}"))
    if failure.disconnect:
        items.append(Evidence("message", f"disconnect {failure.disconnect[0]}: {failure.disconnect[1]}"))
    if failure.offered and (kind := failure.disputed):
        items.append(Evidence("list", f"server: {listed(failure.offered.of(kind))}"))
        items.append(Evidence("list", f"this program: {listed(failure.ours.of(kind))}"))
    if failure.text and failure.stage == "garbled":
        items.append(Evidence("message", failure.text))
    ended = (
        f"the server ended the connection: {failure.end}" if failure.end else "the server did not end the connection"
    )
    items.append(Evidence("timing", f"{failure.stage} after {failure.seconds:.3f} s; {ended}"))
    return tuple(items)


def _software(context: Context, failure: HandshakeFailure) -> dict[str, Value]:
    return {f"{context.hop.name}.software": failure.software} if failure.software else {}


CHECK = Check(
    id="ssh.handshake",
    layer=Layer.SSH,
    title="the server speaks SSH and completes the key exchange",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.transport",),
    run=run,
    needs=(STREAM,),
    wants=(PINS,),
    gives=(TRANSPORT, HANDSHAKE_FAILED, HANDSHAKE_SLOW),
    codes=(
        *dict.fromkeys(_CODES.values()),
        "ssh.closed-before-banner",
        "ssh.max-startups",
        "ssh.proxy-protocol-unexpected",
        "ssh.weak-algorithms",
        "ssh.unclassified",
    ),
    equivalent="ssh -v {ssh_options} -o PreferredAuthentications=none {bastion_username}@{bastion_host}",
)
