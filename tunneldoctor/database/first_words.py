"""What a port is asked that hangs up on the protocol that was expected there: the first words of the others."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from OpenSSL import SSL

from tunneldoctor.database.oracle import connect
from tunneldoctor.database.sqlserver_messages import NOT_SUPPORTED, prelogin
from tunneldoctor.database.sqlserver_packets import PRELOGIN, packets

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A line of text. HTTP answers it, Redis has no such key and says so, MongoDB has a page for it (session_asio.h,
#: maybeHandleHttpRequest); who reads lengths in binary takes it for one that can't be, and hangs up.
LINE = b"GET / HTTP/1.0\r\n\r\n"
#: A startup message of a version that there is not: PostgreSQL says so, and so does pgbouncer.
_STARTUP = b"\0\0\0\x09\0\x04\0\0\0"


def first_words(said: str) -> Iterator[bytes]:
    """What clients say first, for a port that hangs up on a line of text; *said*: the engine whose words it has had."""
    if said != "postgresql":
        yield _STARTUP
    yield _client_hello()
    if said != "sqlserver":
        yield packets(PRELOGIN, prelogin(NOT_SUPPORTED))
    if said != "oracle":
        yield connect("(CONNECT_DATA=(COMMAND=ping))")  # as tnsping does


def _client_hello() -> bytes:
    connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    connection.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(16384)
