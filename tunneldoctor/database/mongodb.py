"""MongoDB and those who speak as it does (DocumentDB, Cosmos DB): ``hello`` by OP_MSG, which needs no login.

MongoDB manual, "MongoDB Wire Protocol"; driver specification "Server Discovery and Monitoring".
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, cast

from tunneldoctor.database import bson
from tunneldoctor.database.conversation import Garbled, opened, talking
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, LoginRefusal, Reason, Trouble, Withheld
from tunneldoctor.database.wire import Wire
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunneldoctor.database.session import Password
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

_OP_MSG, _HEADER = 2013, 16
#: Our requests carry this number, and their answers repeat it.
_REQUEST = 7
#: Longest answer that is read, in bytes; a ``hello`` of 50 members has 4000.
_LONGEST = 65536
_HELLO = bson.document({"hello": 1, "$db": "admin"})
#: Its name in servers that know no other (before 4.4.2 and the like), and their answer to ``hello``: CommandNotFound.
_IS_MASTER, _NO_SUCH_COMMAND = bson.document({"isMaster": 1, "$db": "admin"}), 59
#: Error codes (mongo/base/error_codes.yml) of a server that goes down, comes up or changes its role.
_NOT_READY = {"91", "189", "11600", "11602", "13436"}
#: Members of a replica set that are shown.
_MEMBERS = 5


def prepare(stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
    """TLS where the client has it, from the first byte as MongoDB has it; then ``hello``."""
    prepared = opened(stream, database, seconds, encrypt=encrypt)
    with talking(prepared.wire, "our first message"):
        told = _hello(prepared.wire)[0]
        unknown = told.get("code") == _NO_SUCH_COMMAND
        prepared.opening = _hello(prepared.wire, _IS_MASTER)[0] if unknown else told
    return prepared


def login(prepared: Prepared, password: Password, seconds: float) -> Session:
    """See where the server sends its clients. No password is asked for: the login itself is not made here."""
    told = cast("Mapping[str, bson.Value]", prepared.opening)
    if not told.get("ok"):
        raise DatabaseTrouble(_refused(told))
    if members := _elsewhere(told, prepared.database):
        raise DatabaseTrouble(_redirected(told, members))
    if prepared.database.user or prepared.database.password:
        raise Withheld("MongoDB answers; whether it takes the user and the password was not looked at")
    prepared.wire.within(seconds)
    with talking(prepared.wire, "hello"):
        latency = _hello(prepared.wire)[1]
    return Session(
        database=prepared.database,
        wire=prepared.wire,
        goodbye=b"",
        version="",
        latency_ms=latency,
        encryption=prepared.tls.version if prepared.tls else None,
        read_only=None if _writable(told) else f"it is no primary; the primary is {told.get('primary', 'not known')}",
    )


def ping(session: Session, seconds: float) -> float:
    """Milliseconds of one ``hello``."""
    session.wire.within(seconds)
    with talking(session.wire, "hello"):
        return _hello(session.wire)[1]


def listen(session: Session, seconds: float) -> None:
    """Return after *seconds* of silence. MongoDB gives no reason when it closes."""
    session.wire.within(seconds)
    with talking(session.wire, "being left alone"):
        try:
            raise Garbled(session.wire.some())
        except TimeoutError:
            return


def _hello(wire: Wire, command: bytes = _HELLO) -> tuple[dict[str, bson.Value], float]:
    """The answer to ``hello``, and the milliseconds it took."""
    start = time.perf_counter()
    body = struct.pack("<IB", 0, 0) + command
    wire.send(struct.pack("<iiii", _HEADER + len(body), _REQUEST, 0, _OP_MSG) + body)
    head = wire.exactly(4)
    length = int.from_bytes(head, "little")
    if not _HEADER + 5 < length <= _LONGEST:
        raise Garbled(head + wire.waiting())
    head += wire.exactly(_HEADER - 4)
    _, _, answers, kind = struct.unpack("<iiii", head)
    if kind != _OP_MSG or answers != _REQUEST:
        raise Garbled(head + wire.waiting())
    answer = bson.read(wire.exactly(length - _HEADER)[5:])
    return answer, round((time.perf_counter() - start) * 1000, 2)


def _elsewhere(told: Mapping[str, bson.Value], database: Database) -> list[str]:
    """The members that a driver goes on to; none where it is told to stay with the one that it was given.

    A driver that is given one host and no replicaSet stays there only with directConnection=true, since PyMongo 4,
    Node.js 4 and Go 1; Java's stays.
    """
    options = {name.lower(): value.lower() for name, value in database.options.items()}
    if options.get("directconnection") == "true" or options.get("connect") == "direct":
        return []
    hosts = told.get("hosts")
    members = [str(host)[:255] for host in hosts] if isinstance(hosts, list) else []
    return [host for host in members if host.rpartition(":")[0] not in ("127.0.0.1", "localhost")]


def _writable(told: Mapping[str, bson.Value]) -> bool:
    return bool(told.get("isWritablePrimary", told.get("ismaster", True)))


def _redirected(told: Mapping[str, bson.Value], members: list[str]) -> Trouble:
    name = str(told.get("setName", ""))[:100]
    target = ", ".join(members[:_MEMBERS])
    why = f"it is a member of replica set {name}, and drivers go on to the members that it names"
    seen = Evidence("message", f"hello: setName {name}, hosts {target}, primary {str(told.get('primary'))[:255]}")
    return Trouble(Reason.REDIRECTED, {"target": target, "why": why}, (seen,))


def _refused(told: Mapping[str, bson.Value]) -> Trouble:
    number, message = str(told.get("code", ""))[:20], str(told.get("errmsg", ""))[:2000]
    seen = Evidence("message", f"hello: {number} {message}")
    refusal = LoginRefusal(number, message)
    reason = Reason.NOT_READY if number in _NOT_READY else Reason.UNCLASSIFIED
    return Trouble(reason, {"sqlstate": number, "message": message}, (seen,), refusal=refusal)
