"""What the first moments of a connection show of the service behind it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.database.wire import Ended, Wire
from tunneldoctor.model import Evidence, visible
from tunneldoctor.net.services import identify

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream

#: Sent on a second connection to a service that keeps silent: Redis and HTTP answer it, PostgreSQL hangs up.
KNOCK = b"PING\r\n"
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
    """What the first moments of a connection showed. ``spoken``: we had sent something before it was closed."""

    first: bytes = b""
    closed: bool = False
    spoken: bool = False

    @property
    def service(self) -> str | None:
        """Who answered, or None where nobody did."""
        return service_of(self.first) if self.first else None

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines whose first bytes these are."""
        return _ENGINES.get(self.service or "", ())

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The bytes."""
        return (shown(self.first),) if self.first else ()


_ENGINES = {
    "MySQL": ("mysql", "mariadb"),
    "MariaDB": ("mysql", "mariadb"),
    "SQL Server": ("sqlserver",),
}
#: MS-TDS §2.2.6.5: a PRELOGIN with a version and "encryption on".
_PRELOGIN = bytes.fromhex("1201001a0000010000000b00060100110001ff0f000000000001")
_SPEAKS_FIRST = {"sqlserver": _PRELOGIN}


def open_with(stream: Stream, engine: str, seconds: float) -> Opening:
    """Begin as a client of *engine* would, and wait *seconds* for an answer; silence is an answer too."""
    words = _SPEAKS_FIRST.get(engine, b"")
    wire = Wire(stream, seconds)
    try:
        if words:
            wire.send(words)
        return Opening(wire.some(), spoken=bool(words))
    except TimeoutError:
        return Opening(spoken=bool(words))
    except Ended:
        return Opening(closed=True, spoken=bool(words))


def closes_unasked(stream: Stream, seconds: float) -> bool:
    """Whether *stream* is closed within *seconds* without our having said a word."""
    return open_with(stream, "", seconds).closed


def answers_to_a_knock(stream: Stream, seconds: float) -> tuple[str, Evidence] | None:
    """Who answers to words that are nobody's first message, or None where nobody does."""
    answer = _answer(stream, KNOCK, seconds)
    return (service_of(answer), shown(answer)) if identify(answer) else None


def answers_to_tls(stream: Stream, seconds: float) -> Evidence | None:
    """The answer to a TLS ClientHello, where it is one."""
    from OpenSSL import SSL

    connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    connection.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    answer = _answer(stream, connection.bio_read(16384), seconds)
    return shown(answer) if identify(answer) == "TLS" else None


def _answer(stream: Stream, words: bytes, seconds: float) -> bytes:
    wire = Wire(stream, seconds)
    try:
        wire.send(words)
        return wire.some()
    except (Ended, TimeoutError):
        return b""
