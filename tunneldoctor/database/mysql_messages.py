"""MySQL's packets, read and written ("MySQL Internals: The Client/Server Protocol"; MariaDB's are the same here)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from tunneldoctor.database.wire import Wire

#: Capability flags (include/mysql_com.h): those that are asked for, where the server has them.
LONG_PASSWORD, WITH_DATABASE, PROTOCOL_41, SSL = 0x1, 0x8, 0x200, 0x800
TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH = 0x2000, 0x8000, 0x80000
#: First bytes of an answer.
OK, MORE, SWITCH, ERROR, LOCAL_FILE = 0x00, 0x01, 0xFE, 0xFF, 0xFB
QUIT, QUERY, PING = b"\x01", b"\x03", b"\x0e"
#: COM_QUIT as it goes over the wire.
GOODBYE = b"\x01\x00\x00\x00" + QUIT
#: No packet of a login or of one short row is longer; a longer one is somebody else's protocol, or worse.
LONGEST = 65536
#: Bytes that are kept of a message, and packets that an answer to a query may consist of.
_MESSAGE, _MOST_PACKETS = 2000, 100
_UTF8MB4 = 45
_GREETING = struct.Struct("<I8sxHBHHB10x")
_SALT = 20


class Garbled(Exception):
    """What came is no packet of this protocol, or none that belongs here; ``seen`` are its first bytes."""

    def __init__(self, seen: bytes, why: str = "") -> None:
        super().__init__(why or "no MySQL packet")
        self.seen = seen
        self.why = why


class ServerError(NamedTuple):
    """An ERR packet: ``number`` (1045 …), the SQLSTATE where it has one, and the server's words."""

    number: int
    state: str
    message: str


class Greeting(NamedTuple):
    """What the server says first (Protocol::HandshakeV10)."""

    version: str
    flags: int
    salt: bytes
    method: str

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB, by its own words."""
        return "MariaDB" in self.version


class Packets:
    """Packets over *wire*. ``number`` is the next one's sequence number: each command begins anew at 0."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.number = 0

    def read(self) -> bytes:
        """The next packet's payload. Raises Garbled, and what the wire raises."""
        head = self.wire.exactly(4)
        length, number = int.from_bytes(head[:3], "little"), head[3]
        if length > LONGEST:
            raise Garbled(head + self.wire.waiting(), f"a packet of {length} bytes")
        body = self.wire.exactly(length)
        # Servers count an error of their own (a shutdown, a time-out) from 0 wherever the conversation is.
        if number != self.number and body[:1] != bytes([ERROR]):
            raise Garbled(head + body[:64], f"packet {number} where {self.number} is due")
        self.number = (number + 1) % 256
        return body

    def send(self, body: bytes) -> None:
        """Send one packet. Raises what the wire raises."""
        self.wire.send(self.framed(body))

    def framed(self, body: bytes) -> bytes:
        """One packet, for somebody else to send."""
        frame = len(body).to_bytes(3, "little") + bytes([self.number]) + body
        self.number = (self.number + 1) % 256
        return frame


def error(body: bytes) -> ServerError:
    """An ERR packet; before the login MariaDB leaves the SQLSTATE out."""
    number, rest = int.from_bytes(body[1:3], "little"), body[3 : 3 + _MESSAGE]
    state = ""
    if rest[:1] == b"#":
        state, rest = rest[1:6].decode("ascii", "replace"), rest[6:]
    return ServerError(number, state, rest.decode("utf-8", "replace"))


def greeting(body: bytes) -> Greeting:
    """The server's first packet. Raises Garbled."""
    version, end, rest = body[1:].partition(b"\0")
    if body[:1] != b"\x0a" or not end:
        raise Garbled(body[:64], "not a greeting of protocol 10")
    try:
        _, first, low, _, _, high, length = _GREETING.unpack_from(rest)
    except struct.error:
        raise Garbled(body[:64], "a greeting that is cut short") from None
    second = max(13, length - 8)
    salt = (first + rest[_GREETING.size : _GREETING.size + second])[:_SALT]
    name = rest[_GREETING.size + second :].split(b"\0")[0]
    flags = low | high << 16
    if not flags & PROTOCOL_41 or not flags & SECURE_CONNECTION:
        raise Garbled(body[:64], "a greeting of before MySQL 4.1")
    method = _text(name[:100]) if flags & PLUGIN_AUTH else "mysql_native_password"
    return Greeting(plain_version(_text(version[:100])), flags, salt, method)


def plain_version(text: str) -> str:
    """``5.5.5-10.11.19-MariaDB-0+deb12u1`` is 10.11.19-MariaDB: the prefix is for the replication of old servers."""
    parts = text[:100].removeprefix("5.5.5-").split("-")
    return "-".join(parts[:2]) if "MariaDB" in parts[1:2] else parts[0]


def flags_for(server: Greeting, *, database: bool, encrypt: bool) -> int:
    """What we ask for: of the little that a login needs, what *server* has."""
    wanted = LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH
    wanted |= (WITH_DATABASE if database else 0) | (SSL if encrypt else 0)
    return wanted & server.flags | PROTOCOL_41


def tls_request(flags: int) -> bytes:
    """Protocol::SSLRequest: the beginning of a login, cut off where the user's name would come."""
    return struct.pack("<IIB23x", flags, 1 << 24, _UTF8MB4)


def login(flags: int, user: str, proof: bytes, database: str | None, method: str) -> bytes:
    """Protocol::HandshakeResponse41."""
    words = _ended(user) + bytes([len(proof)]) + proof
    if flags & WITH_DATABASE:
        words += _ended(database or "")
    if flags & PLUGIN_AUTH:
        words += _ended(method)
    return tls_request(flags) + words


def switch(body: bytes) -> tuple[str, bytes]:
    """The method and its data of an AuthSwitchRequest; the one of one byte is from before MySQL 4.1."""
    if len(body) == 1:
        return "mysql_old_password", b""
    name, _, data = body[1:].partition(b"\0")
    return _text(name[:100]), data


def ask(packets: Packets, sql: str) -> bytes:
    """Send a query and return the first packet of the answer."""
    packets.number = 0
    packets.send(QUERY + sql.encode())
    return packets.read()


def first_row(packets: Packets, first: bytes) -> list[str | None]:
    """The first row of the result set that *first* begins; all of it is read. Raises Garbled."""
    if first[:1] in (bytes([OK]), bytes([LOCAL_FILE])):
        raise Garbled(first[:64], "no rows in answer to a query")
    columns, at = _length(first, 0)
    if at != len(first) or columns > _MOST_PACKETS:
        raise Garbled(first[:64], "an answer that is no result set")
    row: list[str | None] = []
    ends = 0
    for _ in range(columns + _MOST_PACKETS):
        body = packets.read()
        if body[:1] == bytes([ERROR]):
            return []
        if body[:1] == bytes([SWITCH]) and len(body) < 9:  # EOF: after the columns, and after the rows
            ends += 1
            if ends == 2:
                return row
        elif ends:
            row = row or _columns(body)
    raise Garbled(b"", "rows without an end")


def _columns(body: bytes) -> list[str | None]:
    found: list[str | None] = []
    at = 0
    while at < len(body):
        if body[at] == LOCAL_FILE:  # NULL, in a row
            found.append(None)
            at += 1
            continue
        length, at = _length(body, at)
        found.append(_text(body[at : at + length]))
        at += length
    return found


def _length(body: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer and where it ends. Raises Garbled."""
    if at >= len(body):
        raise Garbled(body[:64], "a packet that is cut short")
    more = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(body[at], 0)
    if not more:
        return body[at], at + 1
    return int.from_bytes(body[at + 1 : at + 1 + more], "little"), at + 1 + more


def _ended(text: str) -> bytes:
    """*text* as a string that a NUL ends, and so without one in it."""
    return text.encode().split(b"\0")[0] + b"\0"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
