"""TLS over any stream.

pyOpenSSL on memory buffers: the ``ssl`` module stops at the first fault of a certificate, and needs a real socket,
which a channel through an SSH server is not.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from OpenSSL import SSL

from tunneldoctor.database.wire import KEPT, TlsError

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream

#: Bytes that are moved at once: the largest TLS record (RFC 8446 §5.1).
_BLOCK = 16384


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
                failure = TlsError(reason_of(error))
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


def reason_of(error: SSL.Error) -> str:
    """The last entry of OpenSSL's error queue."""
    queue = error.args[0] if error.args else ()
    return str(queue[-1][2]) if isinstance(queue, list | tuple) and queue else type(error).__name__
