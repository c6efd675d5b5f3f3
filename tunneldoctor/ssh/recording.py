"""A stream that remembers its first bytes, and how and when the peer ended it.

An SSH library says "error reading banner" for silence, for a reset and for a web server alike; what tells them apart is
here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import Protocol, cast

from tunneldoctor.net.stream import Stream

#: How many bytes from the start of the stream are kept for evidence.
KEPT = 4096
#: Seconds that the peer may refuse to take in our bytes before sending fails.
SEND_STALL = 10.0


@dataclass(frozen=True, slots=True)
class End:
    """How the peer ended the stream: ``kind`` is ``closed`` (FIN), ``reset`` (RST) or the name of another errno."""

    kind: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} after {self.seconds:.3f} s"


class _Sending(Protocol):
    def send(self, data: bytes, /) -> int: ...


class RecordingStream:
    """Passes bytes through to *stream* and back, as paramiko expects of a socket; never records what is sent."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._pushed_back = b""
        self._closed = False
        self._stalled_since: float | None = None
        self.started = time.monotonic()
        self.round_trip = round_trip_of(stream)
        self.first = b""
        self.received = 0
        self.end: End | None = None

    def recv(self, size: int) -> bytes:
        """At most *size* bytes, ``b""`` at the end. Raises TimeoutError, OSError."""
        if self._pushed_back:
            data, self._pushed_back = self._pushed_back[:size], self._pushed_back[size:]
            return data
        try:
            data = self._stream.recv(max(size, KEPT) if self.received < KEPT else size)
        except TimeoutError:
            raise
        except OSError as error:
            self._ended(_kind(error))
            raise
        self._acknowledge()
        self._note(data)
        if len(data) > size:  # read ahead at the start, so that what is kept does not end where a packet should
            self.unread(data[size:])
        return data[:size]

    def unread(self, data: bytes) -> None:
        """Give back *data*, to be received again first."""
        self._pushed_back = data + self._pushed_back

    def send(self, data: bytes) -> int:
        """Send some of *data*. Raises TimeoutError, and OSError where the peer takes nothing in for a long time."""
        try:
            sent = self._send(data)
        except TimeoutError:
            self._check_stall()
            raise
        except OSError as error:
            self._ended(_kind(error))
            raise
        self._stalled_since = None
        return sent

    def settimeout(self, seconds: float | None) -> None:
        """Bound every later wait."""
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """Close the stream, waking whoever waits in :meth:`recv`."""
        self._closed = True
        if isinstance(self._stream, socket.socket):
            with contextlib.suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _send(self, data: bytes) -> int:
        if hasattr(self._stream, "send"):
            return cast("_Sending", self._stream).send(data)
        self._stream.sendall(data)
        return len(data)

    def _acknowledge(self) -> None:
        """Acknowledge at once what came (tcp(7), TCP_QUICKACK).

        sshd writes several small messages after a login; with Nagle's algorithm on its side and delayed
        acknowledgements on ours, the later ones would wait 40 ms.
        """
        if isinstance(self._stream, socket.socket) and hasattr(socket, "TCP_QUICKACK"):
            with contextlib.suppress(OSError):
                self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _note(self, data: bytes) -> None:
        if not data:
            self._ended("closed")
            return
        self.received += len(data)
        self.first += data[: max(0, KEPT - len(self.first))]

    def _ended(self, kind: str) -> None:
        if self.end is None and not self._closed:
            self.end = End(kind, time.monotonic() - self.started)

    def _check_stall(self) -> None:
        now = time.monotonic()
        if self._stalled_since is None:
            self._stalled_since = now
        elif now - self._stalled_since > SEND_STALL:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def round_trip_of(stream: object) -> float | None:
    """Seconds of one round trip as the kernel measured it while connecting; None where it can't say.

    Source: ``struct tcp_info`` of linux/tcp.h, ``tcpi_rtt`` in microseconds at byte 68.
    """
    if not isinstance(stream, socket.socket) or not sys.platform.startswith("linux"):
        return None
    try:
        info = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 72)
    except OSError:
        return None
    return float(struct.unpack_from("=I", info, 68)[0]) / 1e6 if len(info) >= 72 else None


def reset_already(stream: object) -> bool:
    """True where the peer has reset the connection before anything was sent to it; takes no time."""
    if not isinstance(stream, socket.socket):
        return False
    try:
        stream.setblocking(False)
        stream.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError as error:
        return _kind(error) == "reset"
    finally:
        with contextlib.suppress(OSError):
            stream.setblocking(True)
    return False


def _kind(error: OSError) -> str:
    if error.errno in {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}:
        return "reset"
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
