"""Oracle as far as its listener tells: TNS CONNECT, and whether it accepts, refuses or sends on. No login is made.

Packets: Oracle Net as Wireshark's packet-tns.c and python-oracledb's thin mode (impl/thin/messages/connect.pyx) read
them. Numbers: Oracle Database Error Messages, ORA-12500 to ORA-12699.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple, cast

from tunneldoctor.database.conversation import Garbled, opened, talking
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, LoginRefusal, Reason, Trouble, Withheld
from tunneldoctor.database.wire import Wire
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from tunneldoctor.database.session import Password
    from tunneldoctor.model import Database, Value
    from tunneldoctor.net.stream import Stream

_CONNECT, _ACCEPT, _REFUSE, _REDIRECT, _RESEND = 1, 2, 4, 5, 11
_HEADER = 8
#: Fixed part of CONNECT, in bytes: the connect data begins after it.
_FIXED = 74
#: Longest packet of a greeting; connect data up to this length travels in the packet itself.
_LONGEST, _INLINE = 8192, 230
#: How often a listener may ask for the same words again.
_RESENDS = 3
_BY_NUMBER = {
    "12505": Reason.UNKNOWN_DATABASE,  # no such SID
    "12514": Reason.UNKNOWN_DATABASE,  # no such service
    "12516": Reason.TOO_MANY_CONNECTIONS,
    "12518": Reason.TOO_MANY_CONNECTIONS,
    "12519": Reason.TOO_MANY_CONNECTIONS,
    "12520": Reason.TOO_MANY_CONNECTIONS,
    "12521": Reason.UNKNOWN_DATABASE,  # no such instance
    "12526": Reason.DATABASE_NOT_ACCEPTING,  # restricted mode
    "12527": Reason.DATABASE_NOT_ACCEPTING,
    "12528": Reason.NOT_READY,  # all instances block new connections: starting
    "12529": Reason.HOST_NOT_ALLOWED,
    "1033": Reason.NOT_READY,
    "1034": Reason.NOT_READY,
}


class Packet(NamedTuple):
    """One packet of the listener: its type and what follows the header."""

    kind: int
    body: bytes


def prepare(stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
    """TLS where the client has it (TCPS), from the first byte; then CONNECT."""
    prepared = opened(stream, database, seconds, encrypt=encrypt)
    with talking(prepared.wire, "our first message"):
        prepared.opening = _connect(prepared.wire, database)
    return prepared


def login(prepared: Prepared, password: Password, seconds: float) -> Session:
    """What the listener says. No password is asked for: the login itself is not made here."""
    packet = cast("Packet", prepared.opening)
    text = packet.body.decode("utf-8", "replace")
    if packet.kind == _REFUSE:
        raise DatabaseTrouble(_refused(text, prepared))
    if packet.kind == _REDIRECT:
        raise DatabaseTrouble(_redirected(text))
    raise Withheld("the listener lets the client on to the database; whether that takes the user was not looked at")


def ping(session: Session, seconds: float) -> float:
    """Never called, for there is no session."""
    raise NotImplementedError


def listen(session: Session, seconds: float) -> None:
    """Never called, for there is no session."""
    raise NotImplementedError


def _connect(wire: Wire, database: Database) -> Packet:
    words = connect(_descriptor(database))
    for _ in range(_RESENDS):
        wire.send(words)
        packet = _read(wire)
        if packet.kind != _RESEND:
            return packet
    raise Garbled(b"")


def connect(descriptor: str) -> bytes:
    """The first packet of a connection, and a second with the words where they don't fit in."""
    data = descriptor.encode()
    head = struct.pack(
        "!HHHHHHHHHHIBB24xII",
        318,
        300,
        0,
        _LONGEST,
        _LONGEST,
        0x4F98,
        0,
        1,
        len(data),
        _FIXED,
        0,
        0x84,
        0x84,
        _LONGEST,
        _LONGEST,
    )
    head = head.ljust(_FIXED - _HEADER, b"\0")[: _FIXED - _HEADER]
    if len(data) > _INLINE:
        return _packet(_CONNECT, head) + _packet(6, b"\0\0" + data)
    return _packet(_CONNECT, head + data)


def _packet(kind: int, body: bytes) -> bytes:
    return struct.pack("!HHBBH", len(body) + _HEADER, 0, kind, 0, 0) + body


def _read(wire: Wire) -> Packet:
    """The next packet. Raises Garbled, and what *wire* raises."""
    head = wire.exactly(_HEADER)
    (length,), kind = struct.unpack_from("!H", head), head[4]
    if kind not in (_ACCEPT, _REFUSE, _REDIRECT, _RESEND) or not _HEADER <= length <= _LONGEST:
        raise Garbled(head + wire.waiting())
    body = wire.exactly(length - _HEADER)
    if kind == _REDIRECT and len(body) <= 2:  # long words come in a DATA packet of their own
        more = wire.exactly(_HEADER)
        (length,) = struct.unpack_from("!H", more)
        if not _HEADER <= length <= _LONGEST:
            raise Garbled(more)
        body += wire.exactly(length - _HEADER)
    return Packet(kind, body)


def _descriptor(database: Database) -> str:
    sid = database.options.get("sid")
    name = f"SID={_word(sid)}" if sid else f"SERVICE_NAME={_word(database.name or '')}"
    user = _word(database.user or "")
    return (
        f"(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST={_word(database.host)})(PORT={database.port}))"
        f"(CONNECT_DATA=({name})(CID=(PROGRAM=tunneldoctor)(HOST=tunneldoctor)(USER={user}))))"
    )


def _word(text: str) -> str:
    """*text* without what would end it in a descriptor."""
    return re.sub(r"[()=\\\"'\s]", "", text)


def _refused(text: str, prepared: Prepared) -> Trouble:
    match = re.search(r"\(ERR=(\d{1,6})\)", text)
    number = match[1] if match else ""
    reason = _BY_NUMBER.get(number, Reason.UNCLASSIFIED)
    seen = Evidence("message", f"REFUSE: {text[4:2000]}")
    refusal = LoginRefusal(number, text[4:2000], encrypted=prepared.encrypted)
    params: dict[str, Value] = {"sqlstate": f"ORA-{number}", "message": f"the listener refuses: ORA-{number}"}
    if reason is Reason.TOO_MANY_CONNECTIONS:
        params["full"] = "every handler of that service"
    if reason is Reason.HOST_NOT_ALLOWED:
        params |= {"address": "the bastion", "how": "by the listener's valid node checking"}
    return Trouble(reason, params, (seen,), refusal=refusal)


def _redirected(text: str) -> Trouble:
    host, port = re.search(r"\(HOST=([^()]{1,255})\)", text), re.search(r"\(PORT=(\d{1,5})\)", text)
    target = f"{host[1] if host else 'another address'}:{port[1] if port else '?'}"
    why = "the listener hands its clients on to the address of an instance or a handler"
    return Trouble(
        Reason.REDIRECTED, {"target": target, "why": why}, (Evidence("message", f"REDIRECT: {text[2:2000]}"),)
    )
