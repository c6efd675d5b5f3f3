"""What a refused key says about its causes, without one more login."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Layer, Outcome, Ruling, Value, Where, confirms, rules_out
from tunneldoctor_checks.facts import CERTIFICATE_FAULTS, IDENTITIES, LOGIN_REFUSED, TRUSTED

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
#: All that can be wrong with a certificate, and that a server without certificates does not care about.
_OF_CERTIFICATES = (
    *_BY_SERVER,
    *_BY_CERTIFICATE,
    "key.certificate-is-host-certificate",
    "key.certificate-mismatch",
    "key.certificate-signed-with-sha1",
    "key.certificate-unknown-option",
    "key.certificate-unreadable",
)
#: What sshd says after a login that worked, of a credential that was refused before it (see tunneldoctor.ssh.debug).
_SAID = (
    "auth.bad-permissions",
    "auth.from-mismatch",
    "auth.key-expired",
    "auth.certificate-source-address",
    "auth.certificate-principal-not-authorized",
    *_BY_CERTIFICATE,
)
#: What is the same for every credential of a user.
_OF_THE_USER = ("auth.unknown-user", "auth.user-not-allowed", "auth.account-locked")
#: What dropbear does not have, up to its version 2026.94 (svr-auth.c, svr-authpubkey.c, svr-authpubkeyoptions.c).
_NOT_IN_DROPBEAR = {
    "auth.account-locked": "dropbear lets keys in whatever /etc/shadow says",
    "auth.from-mismatch": "dropbear knows no from=: a line with it counts as damaged",
    "auth.key-expired": "dropbear knows no expiry-time=: a line with it counts as damaged",
    "auth.key-revoked": "dropbear has no list of revoked keys",
    "auth.key-too-short-for-server": "dropbear has no such rule",
    **dict.fromkeys(_OF_CERTIFICATES, "dropbear does not know certificates"),
}
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
    keys = _by_keys(context.want(IDENTITIES) or (), context.hop.username)
    by_server = tuple(_by_server(transport))
    open_causes = set(_OF_CERTIFICATES) - {ruling.code for ruling in by_server}
    faults = (ruling for ruling in context.want(CERTIFICATE_FAULTS) or () if ruling.code in open_causes)
    rulings = (*proven, *faults, *keys, *_by_list(transport, refusal), *by_server)
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


def _by_server(transport: Transport) -> Iterator[Ruling]:
    """What the server at hand does not do, and what another credential on this connection shows."""
    if transport.software.startswith("dropbear"):
        for code, because in _NOT_IN_DROPBEAR.items():
            yield rules_out(code, because)
    if transport.has_accepted:
        for code in _OF_THE_USER:
            yield rules_out(code, "another credential of the same user was accepted on this connection")
    if transport.is_logged_in and transport.software.startswith("OpenSSH"):
        for code in _SAID:
            yield rules_out(code, "sshd would have said so after the login that worked")


def _by_list(transport: Transport, refusal: Refusal) -> Iterator[Ruling]:
    """``server-sig-algs`` (RFC 8308 §3.1), where the server means this very user by it.

    The list names signatures: what is true of a plain key need not be of its certificate (OpenSSH kex.c,
    kex_set_server_sig_algs; dropbear takes none). asyncssh announces it and takes others too (auth.py).
    """
    announced = transport.server_sig_algs
    if announced is None or not _means_it(transport) or not refusal.algorithm:
        return
    plain = refusal.algorithm.removesuffix("-cert-v01@openssh.com")
    if refusal.algorithm in announced:
        yield rules_out("auth.algorithm-not-accepted", f"the server announces that it takes {plain}")
    elif plain not in announced and "asyncssh" not in transport.software.lower():
        yield confirms("auth.algorithm-not-accepted", f"the server takes {', '.join(announced)}, and not {plain}")


def _means_it(transport: Transport) -> bool:
    """OpenSSH before 9.6 announces one and the same list whatever is configured (kex.c, sshkey_alg_list)."""
    from tunneldoctor.ssh.identification import openssh_version

    version = openssh_version(transport.software)
    return version is None or (version >= _HONEST and transport.sig_algs_are_the_users)


CHECK = Check(
    id="auth.evidence",
    layer=Layer.AUTH,
    title="what the server says about the refused key was read",
    where=Where.EACH_HOP,
    run=run,
    needs=(LOGIN_REFUSED, TRUSTED),
    wants=(IDENTITIES, CERTIFICATE_FAULTS),
)
