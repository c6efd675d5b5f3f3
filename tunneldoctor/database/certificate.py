"""Judge a server's certificate by the client's own settings: what is wrong, and whether the client would mind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from tunneldoctor.database.trouble import Reason, Trouble
from tunneldoctor.database.trust import is_loopback, name_to_verify, roots_of, verifies_issuer
from tunneldoctor.model import Evidence
from tunneldoctor.net.scope import parse

if TYPE_CHECKING:
    from tunneldoctor.database.tls import Handshake
    from tunneldoctor.database.trust import Roots
    from tunneldoctor.model import Database

#: How long before its end a certificate is worth a word.
SOON = timedelta(days=14)
#: Certificates with a shorter life than this are renewed by a machine, and always near their end.
SHORT_LIVED = timedelta(days=3)
_NAMES_SHOWN = 20
# Numbers of OpenSSL's X509_verify_cert, named in its header x509_vfy.h
_NOT_YET, _EXPIRED = 9, 10
_WEAK = {66: "its key is too short", 67: "an authority's key is too short", 68: "its signature uses a weak digest"}
_UNTRUSTED = {
    18: "it is self-signed, and not itself among the trusted ones",
    19: "the chain ends in a root that is not trusted",
    20: "the issuer is not among the trusted ones",
    21: "no certificate between it and a trusted root was sent",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with the certificate; ``rejected`` is True where this client would refuse it."""

    trouble: Trouble
    rejected: bool


def judge(handshake: Handshake, database: Database, now: datetime | None = None) -> tuple[Fault, ...]:
    """All that is wrong with the certificate, as the client of *database* sees it at *now*."""
    moment = now or datetime.now(UTC)
    roots = roots_of(database)
    verifies = verifies_issuer(database, roots)
    found = [_issuer(handshake, roots, verifies), *_dates(handshake, moment), _name(handshake, database, verifies)]
    seen = _described(handshake)
    return tuple(
        Fault(replace(trouble, evidence=(*trouble.evidence, seen)), _rejected(trouble, database, verifies))
        for trouble in found
        if trouble
    )


def days_left(handshake: Handshake, now: datetime | None = None) -> int | None:
    """Days until the leaf expires, where that is soon and somebody has to act; None otherwise."""
    leaf, moment = handshake.leaf, now or datetime.now(UTC)
    left = leaf.not_valid_after_utc - moment
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    return left.days if timedelta(0) < left < SOON and life > SHORT_LIVED else None


def names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses it is for; its common name where it lists no DNS name, as libpq and OpenSSL read it.

    fe-secure-common.c and fe-secure-openssl.c (pgtls_verify_peer_name_matches_certificate_guts); OpenSSL, v3_utl.c.
    """
    try:
        listed = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (x509.ExtensionNotFound, ValueError):
        listed = None
    known: list[str] = []
    addresses: list[str] = []
    if isinstance(listed, x509.SubjectAlternativeName):
        known = listed.get_values_for_type(x509.DNSName)
        addresses = [str(address) for address in listed.get_values_for_type(x509.IPAddress)]
    return (*(known or _common_names(certificate)), *addresses)


def covers(certificate: x509.Certificate, host: str) -> bool:
    """Whether the certificate is for *host* (RFC 9525 §6.3: a wildcard is a whole first label).

    A dot at the end of *host* is a character like any other to libpq and to OpenSSL.
    """
    if address := parse(host):
        return any(parse(name) == address for name in names(certificate))
    name = host.lower()
    return any(_matches(pattern.lower(), name) for pattern in names(certificate))


def _matches(pattern: str, name: str) -> bool:
    label, _, rest = name.partition(".")
    return pattern == name or (bool(label and rest) and pattern == f"*.{rest}")


def _common_names(certificate: x509.Certificate) -> list[str]:
    return [str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _issuer(handshake: Handshake, roots: Roots, verifies: bool) -> Trouble | None:
    """Only where there are roots to judge by: in ``require`` without any, an unknown issuer is what was asked for."""
    params = {"roots": str(roots), "issuer": handshake.leaf.issuer.rfc4514_string()}
    if verifies and handshake.roots_problem:
        problem = handshake.roots_problem
        return Trouble(Reason.TLS_ROOT_MISSING, params | {"problem": problem}, (Evidence("file", problem),))
    if not roots.usable or handshake.roots_problem or not (verifies or roots.path):
        return None
    numbers = [number for number, _ in handshake.faults if number not in (_NOT_YET, _EXPIRED)]
    if not numbers:
        return None
    if set(numbers) & set(_WEAK):
        return Trouble(Reason.TLS_WEAK_CERTIFICATE, {"problem": _WEAK[next(n for n in numbers if n in _WEAK)]})
    why = _UNTRUSTED.get(numbers[0], f"OpenSSL's verification error {numbers[0]}")
    count = len(handshake.chain)
    seen = Evidence("list", f"verification errors {sorted(set(numbers))}; certificates sent: {count}")
    return Trouble(Reason.TLS_UNTRUSTED_ISSUER, params | {"problem": why, "certificates": count}, (seen,))


def _dates(handshake: Handshake, now: datetime) -> list[Trouble]:
    leaf = handshake.leaf
    params = {"not_before": day(leaf.not_valid_before_utc), "not_after": day(leaf.not_valid_after_utc)}
    above = {number for number, depth in handshake.faults if depth > 0}
    found = []
    if now > leaf.not_valid_after_utc or _EXPIRED in above:
        found.append(Trouble(Reason.TLS_EXPIRED, params | {"which": _which(now > leaf.not_valid_after_utc)}))
    if now < leaf.not_valid_before_utc or _NOT_YET in above:
        which = _which(now < leaf.not_valid_before_utc)
        found.append(Trouble(Reason.TLS_NOT_YET_VALID, params | {"which": which, "now": day(now)}))
    return found


def _which(leaf: bool) -> str:
    return "the server's own certificate" if leaf else "a certificate of its issuer"


def _name(handshake: Handshake, database: Database, verifies: bool) -> Trouble | None:
    """A placeholder (self-signed, and nobody verifies it) is for no name at all, and so for no wrong one."""
    wanted, leaf = name_to_verify(database), handshake.leaf
    if covers(leaf, wanted):
        return None
    through_tunnel = is_loopback(wanted) and not database.tls.server_name
    if not database.tls.verifies_name and (through_tunnel or (not verifies and leaf.issuer == leaf.subject)):
        return None
    reason = Reason.TLS_NAME_MISMATCH_THROUGH_TUNNEL if through_tunnel else Reason.TLS_NAME_MISMATCH
    listed = names(leaf)
    params = {
        "expected": wanted,
        "names": ", ".join(listed[:_NAMES_SHOWN]) or "no name at all",
        "certificate_name": _usable(listed),
    }
    return Trouble(reason, params)


def _usable(listed: tuple[str, ...]) -> str:
    """The name to connect by, for the advice."""
    return next((name for name in listed if "*" not in name and not is_loopback(name)), listed[0] if listed else "")


def _rejected(trouble: Trouble, database: Database, verifies: bool) -> bool:
    if trouble.reason in (Reason.TLS_NAME_MISMATCH, Reason.TLS_NAME_MISMATCH_THROUGH_TUNNEL):
        return database.tls.verifies_name
    return verifies


def _described(handshake: Handshake) -> Evidence:
    leaf = handshake.leaf
    lines = (
        f"subject: {leaf.subject.rfc4514_string()}",
        f"issuer: {leaf.issuer.rfc4514_string()}",
        f"names: {', '.join(names(leaf)[:_NAMES_SHOWN]) or '-'}",
        f"valid: {day(leaf.not_valid_before_utc)} to {day(leaf.not_valid_after_utc)}",
        f"serial: {leaf.serial_number:x}",
    )
    return Evidence("certificate", "\n".join(lines))


def day(moment: datetime) -> str:
    """A date as the findings show it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
