"""What the first moments of a connection show of the service behind it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.database.wire import Ended, Wire
from tunneldoctor.model import Evidence, visible
from tunneldoctor.net.services import identify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunneldoctor.net.stream import Stream

#: A line of text. HTTP answers it, Redis has no such key and says so, MongoDB has a page for it (session_asio.h,
#: maybeHandleHttpRequest); who reads lengths in binary takes it for one that can't be, and hangs up.
LINE = b"GET / HTTP/1.0\r\n\r\n"
#: A startup message of a version that there is not: PostgreSQL says so, and so does pgbouncer.
_STARTUP = b"\0\0\0\x09\0\x04\0\0\0"
_SHOWN = 48


def service_of(first: bytes) -> str:
    """Who speaks so, in words for a reader."""
    return identify(first) or "a protocol that is not known here"


def shown(first: bytes) -> Evidence:
    """The first bytes as evidence: in hexadecimal, and as text where they are."""
    cut = first[:_SHOWN]
    return Evidence("bytes", f"{cut.hex(' ')}  {visible(cut.decode('ascii', 'backslashreplace'))}")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first moments of a connection showed."""

    first: bytes = b""
    closed: bool = False

    @property
    def service(self) -> str | None:
        """Who answered, or None where nobody did."""
        return service_of(self.first) if self.first else None

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines whose greeting this is."""
        return _ENGINES.get(self.service or "", ())

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The bytes."""
        return (shown(self.first),) if self.first else ()


_ENGINES = {
    "MySQL": ("mysql", "mariadb"),
    "MariaDB": ("mysql", "mariadb"),
    "PostgreSQL": ("postgresql",),
    "SQL Server": ("sqlserver",),
    "Redis": ("redis",),
    "MongoDB": ("mongodb",),
    "Oracle": ("oracle",),
}


def wait(stream: Stream, seconds: float) -> Opening:
    """What comes within *seconds* though nobody asked; silence is an answer too."""
    return ask(stream, b"", seconds)


def ask(stream: Stream, words: bytes, seconds: float) -> Opening:
    """What comes within *seconds* in answer to *words*."""
    wire = Wire(stream, seconds)
    try:
        if words:
            wire.send(words)
        return Opening(wire.some())
    except TimeoutError:
        return Opening()
    except Ended:
        return Opening(closed=True)


def first_words(said: str) -> Iterator[bytes]:
    """What clients say first, for a port that hangs up on a line of text; *said*: the engine whose words it has had."""
    if said != "postgresql":
        yield _STARTUP
    yield _client_hello()
    if said != "sqlserver":
        from tunneldoctor.database.sqlserver_messages import NOT_SUPPORTED, prelogin
        from tunneldoctor.database.sqlserver_packets import PRELOGIN, packets

        yield packets(PRELOGIN, prelogin(NOT_SUPPORTED))
    if said != "oracle":
        from tunneldoctor.database.oracle import connect

        yield connect("(CONNECT_DATA=(COMMAND=ping))")  # as tnsping does


def _client_hello() -> bytes:
    from OpenSSL import SSL

    connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    connection.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(16384)
