"""SSH certificates (PROTOCOL.certkeys of OpenSSH): read, and judged for a name and a moment, before any connection."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from tunneldoctor.model import Value, visible
from tunneldoctor.ssh.blobs import Malformed, Reader, decode, fingerprint, key_type
from tunneldoctor.ssh.certificate_blob import signature_algorithm

#: More than any certificate has, in bytes; ssh-keygen's own are below 4 KiB.
LARGEST = 256 * 1024
#: OpenSSH reads no certificate with more names (SSHKEY_CERT_MAX_PRINCIPALS in sshkey.h).
_MOST_PRINCIPALS = 256
#: The critical options that sshd knows (auth-options.c, cert_option_list); it refuses a certificate with any other.
_KNOWN_OPTIONS = {"force-command", "source-address", "verify-required"}
_FOR_EVER = 2**64 - 1
_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


class CertificateError(ValueError):
    """The bytes are no certificate that can be used; the text says why, in words for the user."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. ``valid_before`` is None for one that never expires, ``valid_after`` for no beginning.

    ``type`` is ``user`` or ``host``; ``key_type`` the wire name; ``fingerprint`` that of the certified key itself,
    as ``ssh-keygen -l`` shows it; ``blob`` the whole certificate; texts are made visible.
    """

    type: str
    key_type: str
    key_id: str
    principals: tuple[str, ...]
    valid_after: datetime | None
    valid_before: datetime | None
    critical_options: dict[str, str]
    extensions: dict[str, str]
    ca_fingerprint: str
    signature_algorithm: str
    fingerprint: str
    blob: bytes

    @property
    def plain_type(self) -> str:
        """The type of the certified key: ``ssh-ed25519`` of ``ssh-ed25519-cert-v01@openssh.com``."""
        return self.key_type.removesuffix("-cert-v01@openssh.com")

    @property
    def line(self) -> str:
        """The certificate as the one line of a ``-cert.pub`` file."""
        return f"{self.key_type} {base64.b64encode(self.blob).decode('ascii')}"

    @property
    def permits_port_forwarding(self) -> bool:
        """True where a tunnel may be opened with it."""
        return "permit-port-forwarding" in self.extensions

    @property
    def source_addresses(self) -> tuple[str, ...]:
        """The CIDR blocks that it may be used from; empty for everywhere."""
        return tuple(filter(None, self.critical_options.get("source-address", "").split(",")))

    def expired(self, moment: datetime) -> bool:
        """True from the very second of ``valid_before`` on (sshkey_cert_check_authority in sshkey.c)."""
        return self.valid_before is not None and moment >= self.valid_before

    def too_early(self, moment: datetime) -> bool:
        """True before ``valid_after``."""
        return self.valid_after is not None and moment < self.valid_after


@dataclass(frozen=True, slots=True)
class CertificateProblem:
    """Something that will make a server refuse the certificate; not ``certain`` where one may be set up to take it."""

    code: str
    params: dict[str, Value]
    certain: bool = True


def read(data: bytes) -> Certificate:
    """Read the first certificate line of a ``-cert.pub`` file. Raises :class:`CertificateError`."""
    if len(data) > LARGEST:
        raise CertificateError(f"{len(data)} bytes, far more than a certificate has")
    text = data.decode("utf-8", "replace").strip()
    line = next((line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    fields = line.split()
    if len(fields) < 2 or not _TYPE.fullmatch(fields[0]):
        raise CertificateError(_not_one(data, text, fields))
    try:
        blob = decode(fields[1])
        if key_type(blob) != fields[0]:
            raise CertificateError("its first word and its contents name different types")
    except Malformed as error:
        raise CertificateError(f"damaged or cut short: {error}") from error
    return from_blob(blob)


_ENDING = "-cert-v01@openssh.com"
_TYPE = re.compile(rf"[a-z0-9-]+{re.escape(_ENDING)}")


def _not_one(data: bytes, text: str, fields: list[str]) -> str:
    if not fields:
        return "empty"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "stored as UTF-16, not as plain text"
    if "PRIVATE KEY-----" in text:
        return "a private key, not a certificate"
    if "BEGIN CERTIFICATE" in text:
        return "an X.509 certificate, which SSH does not use"
    if _ENDING in fields[0]:
        return "other characters stand before its first word (a byte-order mark, quotation marks)"
    if _ENDING in " ".join(fields[:20]):
        return "other words stand before the certificate on its line"
    if fields[0].startswith(("ssh-", "ecdsa-", "sk-")):
        return f"a plain public key of type {visible(fields[0], 60)}, which no authority has signed"
    if fields[0].startswith(("c3NoL", "ZWNkc2Et", "c2st")):  # ssh-, ecdsa-, sk- in base64
        return "base64 of a certificate: it was encoded once too often"
    return "not an SSH certificate"


def from_blob(blob: bytes) -> Certificate:
    """The same from the wire. Raises :class:`CertificateError`, also where its signature is not good."""
    try:
        kind = key_type(blob)
        parsed = serialization.load_ssh_public_identity(f"{kind} {base64.b64encode(blob).decode('ascii')}".encode())
        if not isinstance(parsed, serialization.SSHCertificate):
            raise CertificateError(f"a plain key of type {kind}")
        if len(parsed.valid_principals) > _MOST_PRINCIPALS:
            raise CertificateError(
                f"{len(parsed.valid_principals)} principals: OpenSSH reads no more than {_MOST_PRINCIPALS}"
            )
        parsed.verify_cert_signature()
        return _facts(parsed, kind, blob)
    except InvalidSignature as error:
        raise CertificateError("its signature does not fit its contents") from error
    except UnsupportedAlgorithm as error:
        raise CertificateError("of a type, or signed in a way, that is no longer used") from error
    except CertificateError:
        raise
    except (ValueError, TypeError, OverflowError, NotImplementedError) as error:
        raise CertificateError("damaged or cut short") from error


def _facts(parsed: serialization.SSHCertificate, kind: str, blob: bytes) -> Certificate:
    own, authority = _blob(parsed.public_key()), _blob(parsed.signature_key())
    return Certificate(
        type="user" if parsed.type is serialization.SSHCertificateType.USER else "host",
        key_type=kind,
        key_id=visible(parsed.key_id, 200),
        principals=tuple(visible(each, 200) for each in parsed.valid_principals),
        valid_after=_moment(parsed.valid_after) if parsed.valid_after else None,
        valid_before=None if parsed.valid_before == _FOR_EVER else _moment(parsed.valid_before),
        critical_options=_options(parsed.critical_options),
        extensions=_options(parsed.extensions),
        ca_fingerprint=fingerprint(authority),
        signature_algorithm=signature_algorithm(blob),
        fingerprint=fingerprint(own),
        blob=blob,
    )


def _blob(key: serialization.SSHCertPublicKeyTypes) -> bytes:
    form = serialization.PublicFormat.OpenSSH
    return decode(key.public_bytes(serialization.Encoding.OpenSSH, form).split()[1])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(min(seconds, _LATEST), UTC)


def _options(options: dict[bytes, bytes]) -> dict[str, str]:
    """Values are strings inside strings (PROTOCOL.certkeys, "Critical options")."""
    return {visible(name, 100): visible(_inner(value), 1000) for name, value in options.items()}


def _inner(value: bytes) -> bytes:
    try:
        return Reader(value).string() if value else b""
    except Malformed:
        return value


def problems(certificate: Certificate, username: str | None, moment: datetime) -> tuple[CertificateProblem, ...]:
    """What stands in the way of logging in as *username* and opening a tunnel at *moment* (aware)."""
    return tuple(filter(None, [
        _host_type(certificate),
        _window(certificate, moment),
        _principal(certificate, username),
        _signature(certificate),
        _options_known(certificate),
        _forwarding(certificate),
    ]))  # fmt: skip


def _host_type(certificate: Certificate) -> CertificateProblem | None:
    if certificate.type == "user":
        return None
    return CertificateProblem("key.certificate-is-host-certificate", {"key_id": certificate.key_id})


def _window(certificate: Certificate, moment: datetime) -> CertificateProblem | None:
    if certificate.expired(moment):
        params: dict[str, Value] = {"valid_before": shown(certificate.valid_before), "key_id": certificate.key_id}
        return CertificateProblem("key.certificate-expired", params)
    if certificate.too_early(moment):
        params = {"valid_after": shown(certificate.valid_after), "key_id": certificate.key_id, "now": shown(moment)}
        return CertificateProblem("key.certificate-not-yet-valid", params)
    return None


def _principal(certificate: Certificate, username: str | None) -> CertificateProblem | None:
    if certificate.type != "user":
        return None
    if not certificate.principals:
        return CertificateProblem("key.certificate-no-principals", {"key_id": certificate.key_id})
    if username is None or username in certificate.principals:
        return None
    params: dict[str, Value] = {"principals": ", ".join(certificate.principals[:20]), "username": username}
    return CertificateProblem("key.certificate-wrong-principal", params, certain=False)


def _signature(certificate: Certificate) -> CertificateProblem | None:
    """sshd does not have it among CASignatureAlgorithms since OpenSSH 8.2 (release notes), but can be told to."""
    if certificate.signature_algorithm != "ssh-rsa":
        return None
    return CertificateProblem("key.certificate-signed-with-sha1", {"key_id": certificate.key_id}, certain=False)


def _options_known(certificate: Certificate) -> CertificateProblem | None:
    unknown = sorted(certificate.critical_options.keys() - _KNOWN_OPTIONS)
    if certificate.type != "user" or not unknown:
        return None
    return CertificateProblem("key.certificate-unknown-option", {"options": ", ".join(unknown[:20])})


def _forwarding(certificate: Certificate) -> CertificateProblem | None:
    if certificate.type != "user" or certificate.permits_port_forwarding:
        return None
    granted = ", ".join(certificate.extensions) or "none"
    return CertificateProblem("key.certificate-no-port-forwarding", {"extensions": granted})


def shown(moment: datetime | None) -> str:
    """A moment as people read it: UTC, to the second."""
    return "forever" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
