"""The byte stream that everything above TCP speaks over: a socket, or a channel through an SSH server."""

import socket
from typing import Protocol


class Stream(Protocol):
    """What a connected ``socket.socket`` and a paramiko ``Channel`` have in common."""

    def recv(self, size: int, /) -> bytes:
        """At most *size* bytes; ``b""`` at the end. Raises TimeoutError, OSError."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of *data*. Raises TimeoutError, OSError."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound every later wait, in seconds."""

    def close(self) -> None:
        """Close it; harmless when repeated."""


def peer_address(stream: object) -> tuple[str, int] | None:
    """The other end's IP address and port; None where *stream* is no connected socket."""
    if not isinstance(stream, socket.socket):
        return None
    try:
        peer = stream.getpeername()
    except OSError:
        return None
    return (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else None
