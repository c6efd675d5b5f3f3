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

#: Sent to a service that keeps silent: PostgreSQL takes it for a startup message of a version that there is not, and
#: says so; HTTP answers the line after it.
KNOCK = b"\0\0\0\x09\0\x04\0\0\0\r\nPING\r\n"
#: Sent where PostgreSQL is out of the question: Redis answers no line after a NUL (networking.c, processInlineBuffer).
LINE = b"PING\r\n"
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
}


def wait(stream: Stream, seconds: float) -> Opening:
    """What comes within *seconds* though nobody asked; silence is an answer too."""
    return _answer(stream, b"", seconds)


def knock(stream: Stream, seconds: float) -> Opening:
    """What a service that has kept silent so far answers to words that are nobody's first message."""
    return _answer(stream, KNOCK, seconds)


def _answer(stream: Stream, words: bytes, seconds: float) -> Opening:
    wire = Wire(stream, seconds)
    try:
        if words:
            wire.send(words)
        return Opening(wire.some())
    except TimeoutError:
        return Opening()
    except Ended:
        return Opening(closed=True)


def closes_unasked(stream: Stream, seconds: float) -> bool:
    """Whether *stream* is closed within *seconds* without our having said a word."""
    return wait(stream, seconds).closed


def answers_to_a_knock(stream: Stream, seconds: float) -> tuple[str, Evidence] | None:
    """Who answers to a line of text, or None where nobody does."""
    first = _answer(stream, LINE, seconds).first
    return (service_of(first), shown(first)) if identify(first) else None


def answers_to_tls(stream: Stream, seconds: float) -> Evidence | None:
    """The answer to a TLS ClientHello, where it is one."""
    from OpenSSL import SSL

    connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    connection.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    first = _answer(stream, connection.bio_read(16384), seconds).first
    return shown(first) if identify(first) == "TLS" else None
