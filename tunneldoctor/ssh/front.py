"""What stands in front of a port that hangs up on an SSH client, or says nothing: asked on connections of their own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from dataclasses import dataclass

from tunneldoctor.net.services import described, identify

#: Our half of the identification exchange, for a look that goes no further.
_HELLO = b"SSH-2.0-tunneldoctor\r\n"
#: PostgreSQL's SSLRequest (protocol documentation, "Message Formats").
_SSL_REQUEST = struct.pack(">II", 8, 80877103)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look came to. ``there`` is None where it could not be told; ``text`` says what was seen."""

    there: bool | None
    text: str
    first: bytes = b""


def tls(address: tuple[str, int], server_name: str, timeout: float) -> Seen:
    """Whether the port takes a TLS handshake; ``first`` holds what came inside it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # no secret is sent: the question is only whether TLS is spoken at all
    deadline = time.monotonic() + timeout
    try:
        with (
            socket.create_connection(address, timeout) as plain,
            context.wrap_socket(plain, server_hostname=server_name or None) as stream,
        ):
            version = stream.version() or "TLS"
            with contextlib.suppress(TimeoutError):
                first = _answer(stream, _HELLO, deadline)
                return Seen(True, f"{version} accepted; inside it: {described(first)}", first)
            return Seen(True, f"{version} accepted; inside it nothing")
    except TimeoutError:
        return Seen(None, "a TLS hello got no answer in time")
    except (ssl.SSLError, OSError) as error:
        return Seen(False, f"a TLS hello was not taken: {error}")


def proxy(address: tuple[str, int], timeout: float) -> Seen:
    """Whether an SSH server answers once a PROXY protocol header (version 1) goes ahead."""
    deadline = time.monotonic() + timeout
    try:
        with socket.create_connection(address, timeout) as stream:
            us, them = stream.getsockname(), stream.getpeername()
            family = "TCP6" if stream.family == socket.AF_INET6 else "TCP4"
            header = f"PROXY {family} {us[0]} {them[0]} {us[1]} {them[1]}\r\n".encode()
            first = _answer(stream, header + _HELLO, deadline)
    except TimeoutError:
        return Seen(None, "a PROXY header got no answer in time")
    except OSError as error:
        return Seen(False, f"a PROXY header was not taken: {error}")
    return Seen(first.startswith(b"SSH-"), f"after a PROXY header came {described(first)}", first)


def postgresql(address: tuple[str, int], timeout: float) -> Seen:
    """Whether the port answers PostgreSQL's SSLRequest, with its one letter or an error message."""
    deadline = time.monotonic() + timeout
    try:
        with socket.create_connection(address, timeout) as stream:
            first = _answer(stream, _SSL_REQUEST, deadline)
    except TimeoutError:
        return Seen(None, "a PostgreSQL SSLRequest got no answer in time")
    except OSError as error:
        return Seen(False, f"a PostgreSQL SSLRequest was not taken: {error}")
    there = first in {b"S", b"N"} or identify(first) == "PostgreSQL"
    return Seen(there, f"to a PostgreSQL SSLRequest came {described(first)}", first)


def _answer(stream: socket.socket, question: bytes, deadline: float) -> bytes:
    """The first bytes that come back until *deadline* (monotonic). Raises OSError, TimeoutError."""
    stream.settimeout(max(0.05, deadline - time.monotonic()))
    stream.sendall(question)
    stream.settimeout(max(0.05, deadline - time.monotonic()))
    return stream.recv(256)


def connect_with_small_segments(address: tuple[str, int], timeout: float, size: int = 536) -> socket.socket:
    """A connection whose segments carry at most *size* bytes, both ways (tcp(7), TCP_MAXSEG). Raises OSError.

    536 bytes fit every path that carries IPv4 at all (RFC 1122 §4.2.2.6).
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    stream = socket.socket(family, socket.SOCK_STREAM)
    try:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, size)
        stream.settimeout(timeout)
        stream.connect(address)
    except OSError:
        stream.close()
        raise
    return stream
