"""Whether sshd trusts a certificate: its authority, its principals, its time, where it may be used from.

Sources: OpenSSH auth2-pubkey.c (user_cert_trusted_ca, match_principals_file), sshkey.c (sshkey_cert_check_authority).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.bastion.case import Case
from tunneldoctor.bastion.key_files import files_read
from tunneldoctor.bastion.settings import source_fits
from tunneldoctor.bastion.sight import Sight

if TYPE_CHECKING:
    from tunneldoctor.bastion.key_lines import KeyLine
    from tunneldoctor.ssh.certificates import Certificate

_UNTRUSTED = "auth.certificate-authority-untrusted"
_NOT_AUTHORIZED, _ELSEWHERE = "auth.certificate-principal-not-authorized", "auth.certificate-source-address"
_NO_NAMES, _WRONG_NAME = "key.certificate-no-principals", "key.certificate-wrong-principal"
_UNREADABLE, _MISMATCH = "key.certificate-unreadable", "key.certificate-mismatch"
#: What the certificate alone decides, and the clock.
_BY_ITSELF = (
    "key.certificate-is-host-certificate",
    "key.certificate-not-yet-valid",
    "key.certificate-expired",
    "key.certificate-signed-with-sha1",
    "key.certificate-unknown-option",
)
CODES = (_UNREADABLE, _MISMATCH, _UNTRUSTED, _NOT_AUTHORIZED, _NO_NAMES, _WRONG_NAME, *_BY_ITSELF, _ELSEWHERE)


def sights_of_certificate(case: Case, certificate: Certificate) -> Iterator[Sight]:
    """What is wrong with it there, in sshd's order, and what is in order."""
    wrong = {each.code: each for each in _faults(case, certificate)}
    yield from wrong.values()
    unknown = set() if case.now else set(_BY_ITSELF)
    unknown |= set() if case.subject.address or not certificate.source_addresses else {_ELSEWHERE}
    if _UNTRUSTED not in wrong:
        unknown |= {_NOT_AUTHORIZED} if case.settings.one("authorizedprincipalscommand") else set()
        unknown |= _unseen_trust(case, certificate)
    for code in CODES:
        if code not in wrong and code not in unknown:
            early = code == _NOT_AUTHORIZED and _UNTRUSTED in wrong
            yield Sight(code, False, "sshd did not come that far" if early else "nothing is amiss with that")


def _unseen_trust(case: Case, certificate: Certificate) -> set[str]:
    trusted = is_trusted(case, certificate) or line_of_authority(case, certificate)
    return set() if trusted else {_UNTRUSTED, _NOT_AUTHORIZED, _NO_NAMES, _WRONG_NAME}


def line_of_authority(case: Case, certificate: Certificate) -> KeyLine | None:
    """The line of authorized_keys that trusts the authority, if there is one."""
    lines = (line for file in files_read(case) for line in file.lines or ())
    wanted = certificate.ca_fingerprint
    return next((line for line in lines if line.has("cert-authority") and line.fingerprint == wanted), None)


def is_trusted(case: Case, certificate: Certificate) -> bool:
    """Whether TrustedUserCAKeys has the authority."""
    file = case.settings.one("trustedusercakeys")
    return bool(file) and certificate.ca_fingerprint in case.look.text("trusted", file)


def _faults(case: Case, certificate: Certificate) -> Iterator[Sight]:
    if case.subject.fingerprint and certificate.fingerprint != case.subject.fingerprint:
        yield Sight(_MISMATCH, True, f"the certificate is for {certificate.fingerprint}")
    line = line_of_authority(case, certificate)
    if is_trusted(case, certificate):
        yield from _principals(case, certificate)
    elif line is None:
        yield from _untrusted(case, certificate)
    elif line.values("principals"):
        yield from _listed(certificate, line.values("principals")[0].split(","), f"line {line.number}, principals=")
    elif certificate.principals and case.person.name not in certificate.principals:
        yield _wrong_name(case, certificate)
    yield from _by_itself(case, certificate)
    address, allowed = case.subject.address, certificate.source_addresses
    if address and allowed and not source_fits(address, "", ",".join(allowed)):
        yield Sight(_ELSEWHERE, True, f"the certificate is for {', '.join(allowed)}, and sshd sees us as {address}")


def _untrusted(case: Case, certificate: Certificate) -> Iterator[Sight]:
    file = case.settings.one("trustedusercakeys")
    if file and case.look.permitted("trusted", file) is None:
        return
    if any(each.lines is None for each in files_read(case)):
        return
    signer = f"the certificate is signed by {certificate.ca_fingerprint}"
    has = f"TrustedUserCAKeys {file} has other authorities" if file else "TrustedUserCAKeys none"
    yield Sight(_UNTRUSTED, True, f"{has}, and no cert-authority line helps; {signer}")


def _principals(case: Case, certificate: Certificate) -> Iterator[Sight]:
    file = case.settings.one("authorizedprincipalsfile")
    if case.settings.one("authorizedprincipalscommand"):
        return
    if file:
        path = case.path(file)
        section = case.look.permitted("principals", path)
        if section is None:
            return
        names = [line.split()[-1] for line in section.lines if line.split() and not line.lstrip().startswith("#")]
        yield from _listed(certificate, [] if section.status else names, path)
    elif not certificate.principals:
        yield Sight(_NO_NAMES, True, "the certificate has no principals, and sshd wants one")
    elif case.person.name not in certificate.principals:
        yield _wrong_name(case, certificate)


def _listed(certificate: Certificate, names: list[str], where: str) -> Iterator[Sight]:
    if not set(names) & set(certificate.principals):
        has = ", ".join(certificate.principals) or "none"
        yield Sight(
            _NOT_AUTHORIZED, True, f"{where} lists {', '.join(names) or 'nobody'}; the certificate is for {has}"
        )


def _wrong_name(case: Case, certificate: Certificate) -> Sight:
    return Sight(
        _WRONG_NAME, True, f"the certificate is for {', '.join(certificate.principals)}, not {case.person.name}"
    )


def _by_itself(case: Case, certificate: Certificate) -> Iterator[Sight]:
    """By the bastion's clock, which is the one that counts."""
    from tunneldoctor.ssh.certificates import problems

    if case.now is None:
        return
    moment = datetime.fromtimestamp(case.now, UTC)
    for problem in problems(certificate, case.person.name, moment):
        if problem.code in _BY_ITSELF:
            because = f"so the certificate says; the bastion's clock has {moment:%Y-%m-%d %H:%M:%S} UTC"
            yield Sight(problem.code, True, because, dict(problem.params))
