"""One TLS handshake as the client would make it, with every fault of the certificate.

Nothing is rejected here: :mod:`tunneldoctor.database.certificate` judges.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from OpenSSL import SSL

from tunneldoctor.database.opening import shown
from tunneldoctor.database.tls_stream import TlsStream, reason_of
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble
from tunneldoctor.database.trust import client_certificate, roots_of, server_name_to_send
from tunneldoctor.database.wire import TlsError, Wire
from tunneldoctor.model import Evidence, Value
from tunneldoctor.net.services import identify

if TYPE_CHECKING:
    from cryptography import x509

    from tunneldoctor.database.trust import ClientCertificate, Roots
    from tunneldoctor.model import Database

#: Seconds beyond two round trips that a server may take to look at our certificate.
_VERDICT = 0.05
_VERSIONS = {
    "tlsv1": SSL.TLS1_VERSION,
    "tlsv1.1": SSL.TLS1_1_VERSION,
    "tlsv1.2": SSL.TLS1_2_VERSION,
    "tlsv1.3": SSL.TLS1_3_VERSION,
}
#: Certificates of a chain that are looked at.
MOST_CERTIFICATES = 10


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a finished handshake showed. ``faults`` are OpenSSL's X509_V_ERR numbers with the depth (0: the leaf).

    ``protocol`` is the name that ALPN agreed on, "" where the server took none.
    """

    version: str
    cipher: str
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    faults: tuple[tuple[int, int], ...]
    roots_problem: str | None
    presented: bool
    protocol: str = ""


def secure(
    wire: Wire, database: Database, protocol: bytes = b"", *, request: bytes = b"", we_speak: bool = False
) -> Handshake:
    """Put TLS under *wire*, as the client of *database* would. Raises DatabaseTrouble, and what the wire raises.

    *protocol* is the name for ALPN (RFC 7301), where the server wants one. *request* is what the server wants to be
    asked with; it is sent when nothing on this side can fail any more. *we_speak*: the first words over TLS
    are ours, and a server that wants a certificate would answer them with a reset.
    """
    roots = roots_of(database)
    certificate = client_certificate(database)
    faults: set[tuple[int, int]] = set()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    _limit(context, database)
    if protocol:
        context.set_alpn_protos([protocol])
    roots_problem = _load_roots(context, roots)
    if certificate:
        _load_certificate(context, certificate)
    context.set_verify(SSL.VERIFY_PEER, lambda _, __, number, depth, ok: _note(faults, number, depth))
    asked = _watch(context) if we_speak else []
    if request:
        wire.send(request)
    stream = TlsStream(wire.stream, _connection(context, server_name_to_send(database)))
    stream.settimeout(wire.remaining())
    started = time.monotonic()
    _trying(stream, wire, stream.shake_hands)
    if certificate or asked:
        seconds = 2 * (time.monotonic() - started) + _VERDICT
        _trying(stream, wire, lambda: stream.await_verdict(min(seconds, wire.remaining())))
    wire.restart(stream)
    return _handshake(stream, faults, roots_problem, certificate is not None)


def _limit(context: SSL.Context, database: Database) -> None:
    """libpq's ``ssl_min_protocol_version``, TLS 1.2 where it is not given, and ``ssl_max_protocol_version``."""
    said = database.options if database.engine == "postgresql" else {}
    lowest, highest = (said.get(f"ssl_{end}_protocol_version", "").lower() for end in ("min", "max"))
    context.set_min_proto_version(_VERSIONS.get(lowest, SSL.TLS1_2_VERSION))
    context.set_max_proto_version(_VERSIONS.get(highest, 0))  # 0: the highest there is


def _watch(context: SSL.Context) -> list[bool]:
    """A list that is empty until the server asks for a certificate (RFC 8446 §4.3.2)."""
    asked: list[bool] = []

    def note(connection: SSL.Connection, _where: int, _result: int) -> None:
        if b"certificate request" in connection.get_state_string():
            asked.append(True)

    context.set_info_callback(note)
    return asked


def _connection(context: SSL.Context, server_name: str | None) -> SSL.Connection:
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    if server_name:
        connection.set_tlsext_host_name(server_name.encode())
    return connection


def _note(faults: set[tuple[int, int]], number: int, depth: int) -> bool:
    """The verify callback: take down what is wrong, and go on."""
    if number and depth <= MOST_CERTIFICATES:
        faults.add((number, depth))
    return True


def _load_roots(context: SSL.Context, roots: Roots) -> str | None:
    if roots.system:
        context.set_default_verify_paths()
    if roots.path is None:
        return None
    if roots.missing:
        return f"{roots.path} does not exist"
    try:
        context.load_verify_locations(str(roots.path))
    except SSL.Error:
        return f"{roots.path} can't be read, or holds no certificate"
    return None


def _load_certificate(context: SSL.Context, pair: ClientCertificate) -> None:
    problem = pair.problem() or _use(context, pair)
    if problem:
        params = {"problem": problem, "certificate": str(pair.certificate), "key": str(pair.key)}
        raise DatabaseTrouble(Trouble(Reason.CLIENT_CERTIFICATE_UNUSABLE, params, (Evidence("file", problem),)))


def _use(context: SSL.Context, pair: ClientCertificate) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pair.key.read_bytes(), None)
    except TypeError:
        return f"{pair.key} needs a passphrase"
    except (OSError, ValueError, UnsupportedAlgorithm):
        return f"{pair.key} holds no key that can be read"
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return f"{pair.key} is of a type that servers do not take"
    try:
        context.use_privatekey(key)
        context.use_certificate_chain_file(str(pair.certificate))
        context.check_privatekey()
    except SSL.Error as error:
        return f"{pair.certificate} and {pair.key} can't be used together: {reason_of(error)}"
    return None


def _trying(stream: TlsStream, wire: Wire, step: Callable[[], None]) -> None:
    try:
        step()
    except TimeoutError:
        raise DatabaseTrouble(_stalled(stream)) from None
    except TlsError as error:
        raise DatabaseTrouble(failed(error, wire.first + stream.first)) from None
    except (EOFError, OSError):
        raise DatabaseTrouble(_hung_up(stream)) from None


def failed(error: TlsError, first: bytes = b"") -> Trouble:
    """What OpenSSL's reason for giving up comes to; *first* are the bytes that came instead of TLS."""
    service = identify(first)
    if error.reason in _NOT_TLS and service not in (None, "TLS", "a binary protocol"):
        return Trouble(Reason.WRONG_SERVICE, {"service": service}, (shown(first),))
    reason = next((reason for words, reason in _ALERTS.items() if words in error.reason), Reason.TLS_HANDSHAKE_FAILED)
    return Trouble(reason, {"detail": error.reason}, (Evidence("message", f"OpenSSL: {error.reason}"),))


#: OpenSSL's names (openssl/ssl/ssl_err.c) of alerts (RFC 8446 §6.2) and of its own objections.
_ALERTS = {
    "protocol version": Reason.TLS_PROTOCOL_MISMATCH,
    "unsupported protocol": Reason.TLS_PROTOCOL_MISMATCH,
    "certificate required": Reason.TLS_CLIENT_CERTIFICATE_REQUIRED,
    "alert unknown ca": Reason.CLIENT_CERTIFICATE_REJECTED,
    "alert bad certificate": Reason.CLIENT_CERTIFICATE_REJECTED,
    "alert certificate": Reason.CLIENT_CERTIFICATE_REJECTED,  # … expired, revoked, unknown
    "alert unsupported certificate": Reason.CLIENT_CERTIFICATE_REJECTED,
}
_NOT_TLS = {"wrong version number", "packet length too long", "http request", "https proxy request"}


def _stalled(stream: TlsStream) -> Trouble:
    seen = f"{stream.sent} bytes of TLS sent, {stream.received} bytes came back, then nothing more"
    params = {"sent": stream.sent, "received": stream.received}
    return Trouble(Reason.TLS_STALLED, params, (Evidence("timing", seen),))


def _hung_up(stream: TlsStream) -> Trouble:
    seen = f"the connection was closed after {stream.sent} bytes of TLS sent and {stream.received} received"
    detail = "the connection was closed in the middle"
    params: dict[str, Value] = {"detail": detail, "received": stream.received}
    return Trouble(Reason.TLS_HANDSHAKE_FAILED, params, (Evidence("timing", seen),))


def _handshake(
    stream: TlsStream, faults: set[tuple[int, int]], roots_problem: str | None, has_certificate: bool
) -> Handshake:
    connection = stream.connection
    try:
        chain = tuple(connection.get_peer_cert_chain(as_cryptography=True) or ())[:MOST_CERTIFICATES]
    except ValueError:  # OpenSSL took it, but a field of it is no DER
        chain = ()
    if not chain:
        raise DatabaseTrouble(failed(TlsError("the server's certificate is malformed")))
    return Handshake(
        version=connection.get_protocol_version_name(),
        cipher=connection.get_cipher_name() or "",
        leaf=chain[0],
        chain=chain,
        faults=tuple(sorted(faults)),
        roots_problem=roots_problem,
        presented=has_certificate,
        protocol=connection.get_alpn_proto_negotiated().decode("ascii", "replace"),
    )
