"""What a refused key says about its causes, without one more login."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Layer, Outcome, Ruling, Value, Where, confirms, rules_out
from tunneldoctor_checks.facts import IDENTITIES, LOGIN_REFUSED, TRUSTED

if TYPE_CHECKING:
    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.transport import Refusal, Transport

#: Causes that only a certificate can have; the first are what the server decides, the rest the certificate itself.
_BY_SERVER = (
    "auth.certificate-authority-untrusted",
    "auth.certificate-source-address",
    "auth.certificate-principal-not-authorized",
)
_BY_CERTIFICATE = (
    "key.certificate-expired",
    "key.certificate-not-yet-valid",
    "key.certificate-wrong-principal",
    "key.certificate-no-principals",
)
_VERSION = re.compile(r"OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)")
#: OpenSSH since this version announces the user's own PubkeyAcceptedAlgorithms to those who ask (release notes 9.6).
_HONEST = (9, 6)


def run(context: Context) -> Outcome:
    """Read the key's kind, the algorithms that the server announces, and what it says after a login that worked."""
    from tunneldoctor.ssh.debug import egress_address, refusal_causes

    transport, refusal = context.need(TRUSTED), context.need(LOGIN_REFUSED)
    if refusal.method != "publickey" or not refusal.turned_down:
        return Outcome(skipped="no key was refused")
    if transport.is_logged_in:  # only then does sshd say why, and answer at all
        transport.round_trip(min(2.0, context.remaining() / 2))  # what was sent before the answer is here by then
    messages = transport.debug_messages
    proven = (confirms(code, f"the server says: {text}") for code, text in refusal_causes(messages).items())
    rulings = (*proven, *_by_keys(context.want(IDENTITIES) or (), context.hop.username), *_by_list(transport, refusal))
    address = egress_address(messages)
    measured: dict[str, Value] = {"egress_address": address} if address else {}
    return Outcome(rulings=rulings, measured=measured)


def _by_keys(identities: tuple[Identity, ...], username: str | None) -> Iterator[Ruling]:
    if identities and not any("rsa" in identity.type for identity in identities):
        kinds = ", ".join(sorted({identity.type for identity in identities}))
        yield rules_out("auth.key-too-short-for-server", f"RequiredRSASize says nothing of {kinds} keys")
    certificates = [identity.certificate for identity in identities if identity.certificate]
    if not certificates:
        for code in _BY_SERVER + _BY_CERTIFICATE:
            yield rules_out(code, "no certificate was offered")
        return
    yield from _by_certificates(identities, username)


def _by_certificates(identities: tuple[Identity, ...], username: str | None) -> Iterator[Ruling]:
    from tunneldoctor.ssh.certificates import problems

    now = datetime.now(UTC)
    certificates = [identity.certificate for identity in identities if identity.certificate]
    wrong = {problem.code for each in certificates for problem in problems(each, username, now)}
    for code in _BY_CERTIFICATE:
        if code not in wrong:
            yield rules_out(code, "the certificate itself says otherwise")
    if not any(each.source_addresses for each in certificates):
        yield rules_out("auth.certificate-source-address", "the certificate may be used from any address")


def _by_list(transport: Transport, refusal: Refusal) -> Iterator[Ruling]:
    """``server-sig-algs`` (RFC 8308 §3.1), where the server means this very user by it."""
    announced = transport.server_sig_algs
    if announced is None or not _means_it(transport) or not refusal.algorithm:
        return
    plain = refusal.algorithm.removesuffix("-cert-v01@openssh.com")
    if {refusal.algorithm, plain} & set(announced):
        yield rules_out("auth.algorithm-not-accepted", f"the server announces that it takes {plain}")
    else:
        yield confirms("auth.algorithm-not-accepted", f"the server takes {', '.join(announced)}, and not {plain}")


def _means_it(transport: Transport) -> bool:
    """OpenSSH before 9.6 announces one and the same list whatever is configured (kex.c, sshkey_alg_list)."""
    version = _VERSION.match(transport.software)
    if version is None:
        return True
    return (int(version[1]), int(version[2])) >= _HONEST and transport.sig_algs_are_the_users


CHECK = Check(
    id="auth.evidence",
    layer=Layer.AUTH,
    title="what the server says about the refused key was read",
    where=Where.EACH_HOP,
    run=run,
    needs=(LOGIN_REFUSED, TRUSTED),
    wants=(IDENTITIES,),
)
