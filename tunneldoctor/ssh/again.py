"""A further connection to a server that one is open to already: the same address and port, by the same way."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from tunneldoctor.net.stream import peer_address
from tunneldoctor.ssh.forwarding import ForwardedStream, OpenFailure
from tunneldoctor.ssh.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.net.stream import Stream
    from tunneldoctor.ssh.handshake import HandshakeFailure


def another(stream: Stream, timeout: float, address: str | None = None) -> Stream:
    """Connect to where *stream* leads, or to that port of another IP *address*. Raises OSError."""
    if isinstance(stream, ForwardedStream):
        opened = stream.another(timeout)
        if isinstance(opened, OpenFailure):
            raise OSError(opened.text or "the jump host opens no further channel")
        return opened
    peer = peer_address(stream)
    if peer is None:
        raise OSError("the connection is closed already")
    return socket.create_connection((address or peer[0], peer[1]), timeout)


def shake_hands_again(
    stream: Stream, prefer: Sequence[str], timeout: float, address: str | None = None
) -> Transport | HandshakeFailure:
    """The same up to the key exchange; host keys of the types *prefer* are asked for first. Raises OSError."""
    end = time.monotonic() + timeout
    return Transport.handshake(
        another(stream, timeout, address),
        timeout=max(0.1, end - time.monotonic()),
        preferred_host_key_types=prefer,
    )
