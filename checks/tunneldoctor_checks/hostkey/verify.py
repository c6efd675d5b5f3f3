"""The server is the one that is pinned. Nothing secret is sent before this has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Severity, Value, Where
from tunneldoctor_checks.facts import HOST_KEY, PINS, STREAM, TRANSPORT, TRUSTED
from tunneldoctor_checks.hostkey._further import further_keys

if TYPE_CHECKING:
    from tunneldoctor.ssh.pins import Judgement, Pins
    from tunneldoctor.ssh.transport import Transport

#: Codes by the word of the judgement (tunneldoctor.ssh.pins.Trust).
_CODES = {
    "unknown": "hostkey.unknown",
    "changed": "hostkey.changed",
    "other type": "hostkey.other-type-pinned",
    "pinned without port": "hostkey.pinned-without-port",
    "revoked": "hostkey.revoked",
    "certificate untrusted": "hostkey.certificate-untrusted",
    "certificate expired": "hostkey.certificate-expired",
    "certificate not yet valid": "hostkey.certificate-not-yet-valid",
    "certificate wrong principal": "hostkey.certificate-wrong-principal",
}


def run(context: Context) -> Outcome:
    """Judge the key that was presented; only a trusted transport is handed on."""
    pins = context.need(PINS)
    transport, judgement = _judged(context, pins)
    measured: dict[str, Value] = {f"{context.hop.name}.host_key": judgement.presented}
    facts: dict[Any, Any] = {HOST_KEY: judgement, **({TRUSTED: transport} if judgement.trusted else {})}
    if judgement.trusted and not judgement.without_port:
        return Outcome(facts=facts, measured=measured)
    code = "hostkey.pinned-without-port" if judgement.trusted else _CODES[judgement.trust]
    params = _params(pins, judgement, transport.offered.host_key)
    severity = Severity.WARNING if judgement.trusted else None
    return Outcome((Finding(code, params, _evidence(pins, judgement), severity),), facts, measured)


def _judged(context: Context, pins: Pins) -> tuple[Transport, Judgement]:
    """The transport whose key is pinned, if there is one.

    A fingerprint does not say of which type of key it is, so where it is not the presented one's, the server's keys
    of other types are asked for too.
    """
    from tunneldoctor.ssh.host_trust import judge

    transport = context.need(TRANSPORT)
    judgement = judge(pins, transport.host_key)
    stream = context.want(STREAM)
    if judgement.trusted or not pins.fingerprints or stream is None:
        return transport, judgement
    for other in further_keys(context, stream, transport):
        further = judge(pins, other.host_key)
        if further.trusted:
            return context.closing(other), further
        other.close()
    return transport, judgement


def _params(pins: Pins, judgement: Judgement, offered: tuple[str, ...]) -> dict[str, Value]:
    first = judgement.pins[0] if judgement.pins else None
    pinned = ", ".join(dict.fromkeys(pin.fingerprint for pin in judgement.pins)) or ", ".join(pins.fingerprints)
    return {
        "fingerprint": judgement.presented,
        "key_type": judgement.key_type,
        "looked_up": pins.looked_up,
        "known_hosts_line": pins.line(judgement),
        "pinned": pinned or None,
        "pinned_type": ", ".join(dict.fromkeys(pin.key_type for pin in judgement.pins)) or None,
        "place": first.place if first else ("host_key in the configuration" if pins.fingerprints else None),
        "file": first.file if first else None,
        "line": first.number if first else None,
        "reason": judgement.because or None,
        "pinned_type_is": "still offered" if _offers(judgement, offered) else "no longer offered",
    }


def _offers(judgement: Judgement, offered: tuple[str, ...]) -> bool:
    """True where the server has a key of a pinned type."""
    from tunneldoctor.ssh.algorithms import host_key_types

    return bool({pin.key_type for pin in judgement.pins} & set(host_key_types(offered)))


def _evidence(pins: Pins, judgement: Judgement) -> tuple[Evidence, ...]:
    seen = [Evidence("key", f"presented: {judgement.key_type} {judgement.presented}")]
    seen += [
        Evidence("file", f"{pin.place}: {_marked(pin.marker)}{pin.key_type} {pin.fingerprint}")
        for pin in judgement.pins[:10]
    ]
    seen += [Evidence("setting", f"host_key pins {each}") for each in pins.fingerprints]
    if judgement.because:
        seen.append(Evidence("message", judgement.because))
    if judgement.trust == "unknown":
        seen += [
            Evidence("file", f"this very key is pinned elsewhere: {place}") for place in pins.elsewhere(judgement.plain)
        ]
        seen += [Evidence("file", each) for each in pins.missing]
    return tuple(seen)


def _marked(marker: str) -> str:
    return f"@{marker} " if marker else ""


CHECK = Check(
    id="hostkey.verify",
    layer=Layer.HOSTKEY,
    title="the server presents the pinned host key",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.host_trust", "tunneldoctor.ssh.again"),
    needs=(PINS, TRANSPORT),
    wants=(STREAM,),
    gives=(TRUSTED, HOST_KEY),
    codes=tuple(_CODES.values()),
    run=run,
    equivalent="ssh -v -N {ssh_options} -o StrictHostKeyChecking=yes {bastion_username}@{bastion_host}",
)
