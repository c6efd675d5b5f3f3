"""A host key or a host certificate, judged by what is pinned (check_host_key in sshconnect.c, sshkey.c)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tunneldoctor.ssh.blobs import Malformed, fingerprint, key_type
from tunneldoctor.ssh.certificate_blob import plain_key
from tunneldoctor.ssh.certificates import Certificate, CertificateError, from_blob, shown
from tunneldoctor.ssh.pins import Judgement, Pin, Pins, Trust


def judge(pins: Pins, blob: bytes) -> Judgement:
    """Judge the *blob* of a key or of a host certificate. Raises nothing for any bytes."""
    try:
        kind = key_type(blob)
    except Malformed:
        return Judgement(Trust.UNKNOWN, fingerprint(blob), "unreadable", plain=blob)
    return _judge_certificate(pins, blob) if "-cert-v01@" in kind else pins.judge_plain(blob)


def _judge_certificate(pins: Pins, blob: bytes) -> Judgement:
    """A certificate that is not good enough is taken as the plain key in it, as OpenSSH does."""
    plain = plain_key(blob)
    if plain is None:
        return Judgement(Trust.CERTIFICATE_UNTRUSTED, fingerprint(blob), key_type(blob), because="it can't be read")
    as_plain = pins.judge_plain(plain)
    if pins.fingerprints or as_plain.trust is Trust.REVOKED:
        return as_plain
    judged = _by_authorities(pins, blob, as_plain, datetime.now(UTC))
    if judged is None or (judged.trust is not Trust.REVOKED and not judged.trusted and as_plain.trusted):
        return as_plain
    return judged


def _by_authorities(pins: Pins, blob: bytes, seen: Judgement, moment: datetime) -> Judgement | None:
    """None where no authority is pinned for the server; the lines with its port come before those without."""
    lines = pins.lines if _marked(pins.lines, "cert-authority") else pins.bare
    authorities = _marked(lines, "cert-authority")
    if not authorities and not _marked(pins.lines, "revoked"):
        return None
    try:
        certificate = from_blob(blob)
    except CertificateError as error:
        return replace(seen, trust=Trust.CERTIFICATE_UNTRUSTED, pins=authorities, because=str(error))
    revoked = tuple(pin for pin in _marked(pins.lines, "revoked") if pin.fingerprint == certificate.ca_fingerprint)
    if revoked:
        return replace(seen, trust=Trust.REVOKED, pins=revoked, because="its certificate authority is revoked")
    if not authorities:
        return None
    signers = tuple(pin for pin in authorities if pin.fingerprint == certificate.ca_fingerprint)
    if not signers:
        because = f"it was signed by {certificate.ca_fingerprint}"
        return replace(seen, trust=Trust.CERTIFICATE_UNTRUSTED, pins=authorities, because=because)
    trust, because = _contents(certificate, pins.name, moment)
    return replace(seen, trust=trust, pins=signers, because=because, without_port=lines is pins.bare)


def _marked(lines: tuple[Pin, ...], marker: str) -> tuple[Pin, ...]:
    return tuple(pin for pin in lines if pin.marker == marker)


def _contents(certificate: Certificate, name: str, moment: datetime) -> tuple[Trust, str]:
    """sshkey_cert_check_host in sshkey.c, in its order."""
    if certificate.type != "host":
        return Trust.CERTIFICATE_UNTRUSTED, "it is a user's certificate, not a host's"
    if certificate.too_early(moment):
        return Trust.CERTIFICATE_NOT_YET_VALID, shown(certificate.valid_after)
    if certificate.expired(moment):
        return Trust.CERTIFICATE_EXPIRED, shown(certificate.valid_before)
    if certificate.principals and name not in certificate.principals:
        return Trust.CERTIFICATE_WRONG_PRINCIPAL, ", ".join(certificate.principals[:20])
    if certificate.critical_options:
        return Trust.CERTIFICATE_UNTRUSTED, "it has critical options, which no client knows for hosts"
    if certificate.signature_algorithm == "ssh-rsa":
        return Trust.CERTIFICATE_UNTRUSTED, "it is signed with SHA-1 (ssh-rsa), which clients no longer take"
    return Trust.TRUSTED, f"certificate {certificate.key_id}"
