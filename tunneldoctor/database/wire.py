"""Bytes to and from a database: exact reads, one deadline, everything bounded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream

#: Bytes asked for at once.
BLOCK = 16384
#: Bytes from the start of a conversation that are kept to tell who speaks.
KEPT = 256
#: Shortest wait; 0 would mean "do not block" to a socket.
_TICK = 0.005


class Ended(Exception):
    """The peer closed its side (or reset the connection, which a channel can't tell from it)."""


class TlsError(OSError):
    """TLS under the wire gave up; ``reason`` is OpenSSL's name for why: ``tlsv13 alert certificate required``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Wire:
    """Reads and writes over *stream*; every wait ends when the seconds given to :meth:`within` are over.

    Through an SSH channel a reset arrives as an end of stream, so both raise :class:`Ended`. ``first`` are the first
    bytes that ever came, ``received`` how many came altogether.
    """

    def __init__(self, stream: Stream, seconds: float) -> None:
        self.stream = stream
        self.first = b""
        self.received = 0
        self._buffer = bytearray()
        self._end = 0.0
        self.within(seconds)

    def within(self, seconds: float) -> None:
        """Set the deadline of all that follows, in seconds from now."""
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._end - time.monotonic())

    def send(self, data: bytes) -> None:
        """Send all of *data*. Raises Ended, TimeoutError, TlsError."""
        self._arm()
        try:
            self.stream.sendall(data)
        except (TimeoutError, TlsError):
            raise
        except OSError as error:  # paramiko's Channel raises a bare OSError("Socket is closed")
            raise Ended from error

    def some(self) -> bytes:
        """What is there, or what comes next; never empty. Raises Ended, TimeoutError, TlsError."""
        if not self._buffer:
            self._pull()
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def exactly(self, count: int) -> bytes:
        """The next *count* bytes. Raises Ended, TimeoutError, TlsError."""
        while len(self._buffer) < count:
            self._pull()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def unread(self, data: bytes) -> None:
        """Put *data* back in front of what comes."""
        self._buffer[:0] = data

    def waiting(self) -> bytes:
        """What has been read and not yet taken."""
        return bytes(self._buffer)

    def restart(self, stream: Stream) -> None:
        """Go on over *stream*, which wraps the old one. What was read before and not taken is dropped."""
        self.stream = stream
        self._buffer.clear()

    def close(self) -> None:
        """Close the stream; harmless when repeated."""
        self.stream.close()

    def _pull(self) -> None:
        self._arm()
        try:
            data = self.stream.recv(BLOCK)
        except (TimeoutError, TlsError):
            raise
        except OSError as error:
            raise Ended from error
        if not data:
            raise Ended
        self.first += data[: KEPT - len(self.first)] if len(self.first) < KEPT else b""
        self.received += len(data)
        self._buffer += data

    def _arm(self) -> None:
        left = self.remaining()
        if left <= 0:
            raise TimeoutError
        self.stream.settimeout(max(left, _TICK))
