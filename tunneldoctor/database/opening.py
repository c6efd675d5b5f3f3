"""Who speaks on a port, by the first bytes it sends.

Signatures: RFC 4253 §4.2 (SSH), RFC 9112 §4 (HTTP), RFC 8446 §5.1 (TLS records), RFC 5321 §4.2 (SMTP), MySQL
"Protocol::HandshakeV10" and "ERR_Packet", MS-TDS §2.2.3.1, Redis RESP, PostgreSQL "Message Formats".
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.database.wire import Ended, Wire
from tunneldoctor.model import Evidence, visible

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream

#: Sent on a second connection to a service that keeps silent: Redis and HTTP answer it, PostgreSQL hangs up.
KNOCK = b"PING\r\n"
_SHOWN = 48
_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"HTTP/", "HTTP"),
    (b"<!DOCTYPE", "HTTP"),
    (b"<html", "HTTP"),
    (b"220", "SMTP or FTP"),
    (b"* OK", "IMAP"),
    (b"+PONG", "Redis"),
    (b"-NOAUTH", "Redis"),
    (b"-DENIED", "Redis"),
    (b"-ERR", "Redis"),
    (b"+OK", "POP3 or Redis"),
    (b"\x16\x03", "TLS"),
    (b"\x15\x03", "TLS"),
    (b"\x04\x01", "SQL Server"),
    (b"\x05\x00\x00\x00\x0b\x08\x05", "MySQL X Protocol (its port is 33060)"),
)


def speaker(first: bytes) -> str | None:
    """The protocol whose bytes *first* are, as a reader calls it, or None where it can't be told."""
    if first.startswith(b"SSH-"):
        return "SSH"
    if _is_mysql(first):
        return "MySQL or MariaDB"
    return next((name for prefix, name in _PREFIXES if first.startswith(prefix)), None)


def shown(first: bytes) -> Evidence:
    """The first bytes as evidence: in hexadecimal, and as text where they are."""
    cut = first[:_SHOWN]
    return Evidence("bytes", f"{cut.hex(' ')}  {visible(cut.decode('ascii', 'backslashreplace'))}")


def _is_mysql(first: bytes) -> bool:
    """A first packet (sequence 0) that is a version 10 greeting or an error packet."""
    if len(first) < 5 or first[3] != 0:
        return False
    length = int.from_bytes(first[:3], "little")
    return (first[4] == 0x0A and 40 < length < 1024) or (first[4] == 0xFF and 3 < length < 1024)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first moments of a connection showed. ``spoken``: we had sent something before it was closed."""

    first: bytes = b""
    closed: bool = False
    spoken: bool = False

    @property
    def service(self) -> str | None:
        """Who answered, or None where nobody did."""
        return (speaker(self.first) or "a protocol that is not known here") if self.first else None

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines whose first bytes these are."""
        return _ENGINES.get(self.service or "", ())

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The bytes."""
        return (shown(self.first),) if self.first else ()


_ENGINES = {"MySQL or MariaDB": ("mysql", "mariadb"), "SQL Server": ("sqlserver",)}
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
    service = speaker(answer)
    return (service, shown(answer)) if service else None


def answers_to_tls(stream: Stream, seconds: float) -> Evidence | None:
    """The answer to a TLS ClientHello, where it is one."""
    from OpenSSL import SSL

    connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    connection.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    answer = _answer(stream, connection.bio_read(16384), seconds)
    return shown(answer) if speaker(answer) == "TLS" else None


def _answer(stream: Stream, words: bytes, seconds: float) -> bytes:
    wire = Wire(stream, seconds)
    try:
        wire.send(words)
        return wire.some()
    except (Ended, TimeoutError):
        return b""
