"""TLS over any stream, with every fault of the certificate from one handshake.

pyOpenSSL on memory buffers: the ``ssl`` module stops at the first fault, and needs a real socket, which a channel
through an SSH server is not. Nothing is rejected here: :mod:`tunneldoctor.database.certificate` judges.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from OpenSSL import SSL

from tunneldoctor.database.opening import shown
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble
from tunneldoctor.database.trust import client_certificate, roots_of, server_name_to_send
from tunneldoctor.database.wire import KEPT, TlsError, Wire
from tunneldoctor.model import Evidence
from tunneldoctor.net.services import identify

if TYPE_CHECKING:
    from cryptography import x509

    from tunneldoctor.database.trust import ClientCertificate, Roots
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

_BLOCK = 16384
#: Seconds beyond two round trips that a server may take to look at our certificate.
_VERDICT = 0.05
#: Certificates of a chain that are looked at.
MOST_CERTIFICATES = 10


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a finished handshake showed. ``faults`` are OpenSSL's X509_V_ERR numbers with the depth (0: the leaf)."""

    version: str
    cipher: str
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    faults: tuple[tuple[int, int], ...]
    roots_problem: str | None
    presented: bool


class TlsStream:
    """A :class:`~tunneldoctor.net.stream.Stream` inside TLS. OpenSSL is entered by one thread at a time.

    ``sent`` and ``received`` count bytes on the wire below, ``first`` are the first that came.
    """

    def __init__(self, stream: Stream, connection: SSL.Connection) -> None:
        self.connection = connection
        self._stream = stream
        self._lock = threading.Lock()
        self._end: float | None = None
        self.sent = 0
        self.received = 0
        self.first = b""

    def shake_hands(self) -> None:
        """Do the handshake. Raises TlsError, EOFError, TimeoutError, OSError."""
        while not self._step(self.connection.do_handshake):
            self._feed()

    def await_verdict(self, seconds: float) -> None:
        """Wait whether the server minds our certificate. Raises as :meth:`shake_hands` does, but for TimeoutError.

        In TLS 1.3 it says so only after the handshake, and a login that is under way then turns the alert into a reset.
        """
        self.settimeout(seconds)
        try:
            while not self._step(lambda: self.connection.recv(1, socket.MSG_PEEK)):
                self._feed()
        except TimeoutError:
            return
        except SSL.ZeroReturnError:
            raise EOFError from None

    def recv(self, size: int, /) -> bytes:
        """At most *size* bytes, ``b""`` at the end. Raises TlsError, TimeoutError, OSError."""
        got: list[bytes] = []
        try:
            while not self._step(lambda: got.append(self.connection.recv(size))):
                self._feed()
        except (SSL.ZeroReturnError, EOFError):
            return b""
        return got[0]

    def sendall(self, data: bytes, /) -> None:
        """Send all of *data*. Raises TlsError, TimeoutError, OSError."""
        self._step(lambda: self.connection.sendall(data))

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound all that follows, up to the next call of this, in seconds."""
        self._end = None if seconds is None else time.monotonic() + seconds

    def close(self) -> None:
        """Close the stream below; harmless when repeated."""
        self._stream.close()

    def _step(self, enter: Callable[[], object]) -> bool:
        """Enter OpenSSL, then send what it wants sent; False where it needs bytes first."""
        done, failure = True, None
        with self._lock:
            try:
                enter()
            except SSL.WantReadError:
                done = False
            except SSL.ZeroReturnError:
                raise
            except SSL.Error as error:
                failure = TlsError(_reason(error))
            out = self._pending()
        try:
            self._send(out)
        except OSError:
            if failure is None:
                raise  # else an alert that nobody is there to read
        if failure:
            raise failure
        return done

    def _feed(self) -> None:
        self._arm()
        data = self._stream.recv(_BLOCK)
        if not data:
            raise EOFError
        self.received += len(data)
        self.first += data[: KEPT - len(self.first)] if len(self.first) < KEPT else b""
        with self._lock:
            self.connection.bio_write(data)

    def _send(self, data: bytes) -> None:
        if data:
            self._arm()
            self._stream.sendall(data)
            self.sent += len(data)

    def _pending(self) -> bytes:
        parts = []
        while True:
            try:
                parts.append(self.connection.bio_read(_BLOCK))
            except SSL.Error:  # WantReadError: nothing left
                return b"".join(parts)

    def _arm(self) -> None:
        if self._end is None:
            self._stream.settimeout(None)
            return
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._stream.settimeout(left)


def secure(wire: Wire, database: Database) -> Handshake:
    """Put TLS under *wire*, as the client of *database* would. Raises DatabaseTrouble."""
    roots = roots_of(database)
    certificate = client_certificate(database)
    faults: set[tuple[int, int]] = set()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)  # libpq's ssl_min_protocol_version
    roots_problem = _load_roots(context, roots)
    if certificate:
        _load_certificate(context, certificate)
    context.set_verify(SSL.VERIFY_PEER, lambda _, __, number, depth, ok: _note(faults, number, depth))
    stream = TlsStream(wire.stream, _connection(context, server_name_to_send(database)))
    stream.settimeout(wire.remaining())
    started = time.monotonic()
    _trying(stream, wire, stream.shake_hands)
    if certificate:
        seconds = 2 * (time.monotonic() - started) + _VERDICT
        _trying(stream, wire, lambda: stream.await_verdict(min(seconds, wire.remaining())))
    wire.restart(stream)
    return _handshake(stream, faults, roots_problem, certificate is not None)


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
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pair.key.read_bytes(), None)
    except TypeError:
        return f"{pair.key} needs a passphrase"
    except (OSError, ValueError):
        return f"{pair.key} holds no key that can be read"
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return f"{pair.key} is of a type that servers do not take"
    try:
        context.use_privatekey(key)
        context.use_certificate_chain_file(str(pair.certificate))
        context.check_privatekey()
    except SSL.Error as error:
        return f"{pair.certificate} and {pair.key} can't be used together: {_reason(error)}"
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
    return Trouble(Reason.TLS_HANDSHAKE_FAILED, {"detail": detail}, (Evidence("timing", seen),))


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
    )


def _reason(error: SSL.Error) -> str:
    """The last entry of OpenSSL's error queue."""
    queue = error.args[0] if error.args else ()
    return str(queue[-1][2]) if isinstance(queue, list | tuple) and queue else type(error).__name__
