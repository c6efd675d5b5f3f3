"""Packets of SQL Server, and TLS inside them (MS-TDS §2.2.3.1, §2.2.6.5, §3.2.5.1)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tunneldoctor.database.conversation import Garbled

if TYPE_CHECKING:
    from tunneldoctor.database.wire import Wire
    from tunneldoctor.net.stream import Stream

PRELOGIN, BATCH, LOGIN7 = 0x12, 0x01, 0x10
_RESPONSE = 0x04
_HEADER, _TLS_HEADER = 8, 5
_LAST = 0x01
#: Bytes of a packet before another size is agreed on, and the most that is read of one response.
_PACKET, _RESPONSE_BYTES = 4096, 131072


def packets(kind: int, payload: bytes) -> bytes:
    """*payload* in as many packets as it takes."""
    room = _PACKET - _HEADER
    parts = [payload[at : at + room] for at in range(0, len(payload), room)]
    return b"".join(
        bytes((kind, _LAST if number == len(parts) else 0))
        + (len(part) + _HEADER).to_bytes(2, "big")
        + bytes((0, 0, number % 256, 0))
        + part
        for number, part in enumerate(parts, start=1)
    )


def response(wire: Wire) -> bytes:
    """The payload of the server's next message. Raises Garbled, and what *wire* raises."""
    payload = b""
    while True:
        head = wire.exactly(1)
        if head[0] != _RESPONSE:
            raise Garbled(head + wire.waiting())
        head += wire.exactly(_HEADER - 1)
        length = int.from_bytes(head[2:4], "big")
        if length < _HEADER or len(payload) + length > _RESPONSE_BYTES:
            raise Garbled(head + wire.waiting())
        payload += wire.exactly(length - _HEADER)
        if head[1] & _LAST:
            return payload


class Framed:
    """A stream whose TLS records travel inside PRELOGIN packets as long as the handshake lasts.

    What comes is unwrapped packet by packet, for a server may wrap TLS 1.3's session tickets too or leave them bare;
    the first byte tells a packet from a record. :meth:`bare` ends the wrapping of what is sent.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._end: float | None = None
        self._wrapping = True
        self._left = 0

    def bare(self) -> None:
        """From now on what is sent goes out as it is."""
        self._wrapping = False

    def sendall(self, data: bytes, /) -> None:
        """Send all of *data*. Raises TimeoutError, OSError."""
        self._stream.sendall(packets(PRELOGIN, data) if self._wrapping else data)

    def recv(self, size: int, /) -> bytes:
        """At most *size* bytes, ``b""`` at the end. Raises TimeoutError, OSError."""
        head = b""
        if not self._left:
            head = self._exactly(1)
            if head and head[0] in (PRELOGIN, _RESPONSE):
                head, self._left = b"", int.from_bytes(self._exactly(_HEADER - 1)[1:3], "big") - _HEADER
            elif head:
                head += self._exactly(_TLS_HEADER - 1)
                self._left = int.from_bytes(head[3:5], "big")
        if head or self._left <= 0:  # an empty packet is as good as the end
            return head
        data = self._some(min(size, self._left))
        self._left -= len(data)
        return data

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound all that follows, up to the next call of this, in seconds."""
        self._end = None if seconds is None else time.monotonic() + seconds
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """Close the stream below; harmless when repeated."""
        self._stream.close()

    def _exactly(self, count: int) -> bytes:
        """*count* bytes, fewer at the end of the stream."""
        held = b""
        while len(held) < count and (data := self._some(count - len(held))):
            held += data
        return held

    def _some(self, size: int) -> bytes:
        if self._end is not None:
            left = self._end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._stream.settimeout(left)
        return self._stream.recv(size)
