"""The server is the one that is pinned. Nothing secret is sent before this has passed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Severity, Value, Where
from tunneldoctor_checks.facts import PINS, TRANSPORT, TRUSTED

if TYPE_CHECKING:
    from tunneldoctor.ssh.pins import Judgement, Pins

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
    from tunneldoctor.ssh.host_trust import judge

    pins, transport = context.need(PINS), context.need(TRANSPORT)
    judgement = judge(pins, transport.host_key)
    measured: dict[str, Value] = {f"{context.hop.name}.host_key": judgement.presented}
    if judgement.trusted and not judgement.without_port:
        return Outcome(facts={TRUSTED: transport}, measured=measured)
    code = "hostkey.pinned-without-port" if judgement.trusted else _CODES[judgement.trust]
    params = _params(pins, judgement, transport.offered.host_key)
    severity = Severity.WARNING if judgement.trusted else None
    finding = Finding(code, params, _evidence(pins, judgement), severity)
    return Outcome((finding,), {TRUSTED: transport} if judgement.trusted else {}, measured)


def _params(pins: Pins, judgement: Judgement, offered: tuple[str, ...]) -> dict[str, Value]:
    first = judgement.pins[0] if judgement.pins else None
    pinned = ", ".join(dict.fromkeys(pin.fingerprint for pin in judgement.pins)) or ", ".join(pins.fingerprints)
    return {
        "fingerprint": judgement.presented,
        "key_type": judgement.key_type,
        "looked_up": pins.looked_up,
        "known_hosts_line": _line(pins, judgement),
        "pinned": pinned or None,
        "pinned_type": ", ".join(dict.fromkeys(pin.key_type for pin in judgement.pins)) or None,
        "place": first.place if first else ("host_key in the configuration" if pins.fingerprints else None),
        "file": first.file if first else None,
        "line": first.number if first else None,
        "reason": judgement.because or None,
        "pinned_type_is": "still offered" if _offers(judgement, offered) else "no longer offered",
    }


def _offers(judgement: Judgement, offered: tuple[str, ...]) -> bool:
    """True where the server's list has a key of a pinned type; RSA keys go by the names of their signatures."""
    names = {pin.key_type.replace("ssh-rsa", "rsa-sha2-") for pin in judgement.pins}
    return any(algorithm.startswith(name) for algorithm in offered for name in names)


def _line(pins: Pins, judgement: Judgement) -> str:
    """The line that pins the key as presented, in the form that known_hosts wants for this port."""
    return f"{pins.looked_up} {judgement.key_type} {base64.b64encode(judgement.plain).decode('ascii')}"


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
    loads=("tunneldoctor.ssh.host_trust",),
    needs=(PINS, TRANSPORT),
    gives=(TRUSTED,),
    codes=tuple(_CODES.values()),
    run=run,
)
