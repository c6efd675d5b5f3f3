"""PostgreSQL's messages, read and written (Frontend/Backend Protocol 3.0, "Message Formats")."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from tunneldoctor.database.conversation import Garbled
from tunneldoctor.database.wire import Wire

SSL_REQUEST = struct.pack("!II", 8, 80877103)
TERMINATE = b"X\x00\x00\x00\x04"
_PROTOCOL = 196608  # 3.0
#: No message of a login or of one short row is longer; a longer one is somebody else's protocol.
LONGEST = 65536
_KINDS = frozenset(b"RSKZENTDCIGAv")
#: Fields of an error that are kept, and the characters kept of each.
_FIELDS, _FIELD = 32, 2000


class Message(NamedTuple):
    """One message from the server: its type byte and what follows the length."""

    kind: bytes
    body: bytes


def read(wire: Wire) -> Message:
    """The next message. Raises Garbled, and what *wire* raises."""
    head = wire.exactly(1)
    if head[0] not in _KINDS:
        raise Garbled(head + wire.waiting())
    raw = wire.exactly(4)
    length = int.from_bytes(raw, "big")
    if head == b"E" and length > LONGEST:
        return Message(b"E", _before_the_protocol(raw + wire.waiting()))
    if not 4 <= length <= LONGEST:
        raise Garbled(head + raw + wire.waiting())
    return Message(head, wire.exactly(length - 4))


def _before_the_protocol(text: bytes) -> bytes:
    """A postmaster that can't fork says so without a length (report_fork_failure_to_client): read it as an error."""
    line = text[:_FIELD].split(b"\0")[0].strip()
    if not line.isascii() or not line.replace(b"\n", b" ").decode().isprintable():
        raise Garbled(b"E" + text)
    return b"M" + line + b"\0\0"


def write(kind: bytes, body: bytes = b"") -> bytes:
    """A message to the server."""
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(parameters: Mapping[str, str]) -> bytes:
    """The first message of a login."""
    text = "".join(f"{name}\0{value}\0" for name, value in parameters.items())
    body = struct.pack("!I", _PROTOCOL) + text.encode() + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def query(sql: str) -> bytes:
    """A simple query."""
    return write(b"Q", sql.encode() + b"\0")


def sasl_first(mechanism: str, data: bytes) -> bytes:
    """SASLInitialResponse."""
    return write(b"p", mechanism.encode() + b"\0" + struct.pack("!I", len(data)) + data)


def password(data: bytes) -> bytes:
    """PasswordMessage."""
    return write(b"p", data + b"\0")


def error_fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse by their letter; what is malformed is left out."""
    parts = body.split(b"\0", _FIELDS)[:_FIELDS]
    return {chr(part[0]): part[1 : _FIELD + 1].decode("utf-8", "replace") for part in parts if part}


def text_pair(body: bytes) -> tuple[str, str]:
    """The name and value of a ParameterStatus."""
    name, _, rest = body.partition(b"\0")
    return name[:100].decode("utf-8", "replace"), rest.split(b"\0")[0][:500].decode("utf-8", "replace")


def columns(body: bytes) -> list[str | None]:
    """The columns of a DataRow, as text. Raises Garbled."""
    try:
        (count,), at, found = struct.unpack_from("!H", body), 2, []
        for _ in range(count):
            (length,) = struct.unpack_from("!i", body, at)
            found.append(None if length < 0 else body[at + 4 : at + 4 + length].decode("utf-8", "replace"))
            at += 4 + max(0, length)
    except struct.error as error:
        raise Garbled(body[:64]) from error
    return found
