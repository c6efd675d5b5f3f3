"""MySQL and MariaDB, and what answers in their place (ProxySQL, MaxScale, RDS Proxy): the wire by hand.

By hand because one connection has to do for all: drivers break it off where the certificate or the method does not
suit them, which counts against ``max_connect_errors`` and at last blocks the bastion for everybody (error 1129). They
also send passwords in clear where nobody asked them to, and wrap what the server said in numbers of their own.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple, cast

from tunneldoctor.database import mysql_messages as messages
from tunneldoctor.database.conversation import talking
from tunneldoctor.database.mysql_login import Login, leave
from tunneldoctor.database.mysql_refusals import classify, refusal
from tunneldoctor.database.opening import service_of, shown
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble
from tunneldoctor.database.wire import Wire
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunneldoctor.database.session import Password
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

#: Who we are to the server, after how long it ends an idle session, and whether it lets us write: one query for all.
_WHO = "SELECT VERSION(), USER(), @@wait_timeout, @@read_only, @@innodb_read_only, @@interactive_timeout"
#: Seconds that leaving politely may take.
_FAREWELL = 2.0
_OWN = ("MySQL", "MariaDB")


class Opened(NamedTuple):
    """What ``prepare`` hands on to ``login``."""

    packets: messages.Packets
    greeting: messages.Greeting


def prepare(stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
    """Read the greeting, and put TLS under the connection where it is asked for and offered."""
    wire = Wire(stream, seconds)
    opened = _opened(wire)
    offers = bool(opened.greeting.flags & messages.SSL)
    prepared = Prepared(database, wire, offers_tls=offers, opening=opened)
    if encrypt and (offers or database.tls.required):
        with _talking(wire, "the greeting"):
            _encrypt(prepared, opened)
    prepared.leave = lambda: _leave(prepared)
    return prepared


def login(prepared: Prepared, password: Password, seconds: float) -> Session:
    """Log in, then ask who we are."""
    prepared.wire.within(seconds)
    prepared.leave = None
    opened = cast("Opened", prepared.opening)
    with _talking(prepared.wire, "the login"):
        Login(prepared, opened.greeting, opened.packets, password).run()
    with _talking(prepared.wire, "the first query"):
        return _session(prepared, opened.greeting)


def ping(session: Session, seconds: float) -> float:
    """Milliseconds of one COM_PING."""
    session.wire.within(seconds)
    packets = messages.Packets(session.wire)
    start = time.perf_counter()
    with _talking(session.wire, "a ping"):
        packets.send(messages.PING)
        _no_error(packets.read())
    return round((time.perf_counter() - start) * 1000, 2)


def listen(session: Session, seconds: float) -> None:
    """Return after *seconds* of silence. MySQL 8.0.24 and later say 4031 before they close an idle session."""
    session.wire.within(seconds)
    with _talking(session.wire, "being left alone"):
        try:
            body = messages.Packets(session.wire).read()
        except TimeoutError:
            return
        _no_error(body)
        raise messages.Garbled(body[:64], "a packet that nobody asked for")


def sleep(session: Session, after: float) -> None:
    """``SELECT SLEEP``, which the server gives up when the client goes (item_func.cc, Interruptible_wait)."""
    with _talking(session.wire, "a query"):
        messages.Packets(session.wire).send(messages.QUERY + f"SELECT SLEEP({after:.3f})".encode())


def woken(session: Session, seconds: float) -> None:
    """The whole answer."""
    packets = messages.Packets(session.wire)
    packets.number = 1
    with _talking(session.wire, f"SLEEP, within {seconds:.0f} s"):
        first = packets.read()
        _no_error(first)
        messages.first_row(packets, first)


@contextlib.contextmanager
def _talking(wire: Wire, stage: str) -> Iterator[None]:
    """Turn whatever goes wrong on *wire* meanwhile into DatabaseTrouble; by now it is known who is there."""
    try:
        with talking(wire, stage):
            yield
    except messages.Garbled as error:
        raise DatabaseTrouble(_strange(error)) from error


def _no_error(body: bytes) -> None:
    if body[:1] == bytes([messages.ERROR]):
        raise DatabaseTrouble(classify(refusal(messages.error(body), authenticated=True)))


def _opened(wire: Wire) -> Opened:
    """The server's first packet, if it is one. It comes unasked; where none does, the service waits for us."""
    packets = messages.Packets(wire)
    try:
        with talking(wire, "the connection's opening"):
            body = packets.read()
            if body[:1] == bytes([messages.ERROR]):
                raise DatabaseTrouble(classify(refusal(messages.error(body))))
            return Opened(packets, messages.greeting(body))
    except messages.Garbled as error:
        service = service_of(wire.first)
        if service in _OWN:
            raise DatabaseTrouble(_strange(error)) from error
        raise DatabaseTrouble(Trouble(Reason.WRONG_SERVICE, {"service": service}, (shown(wire.first),))) from error


def _encrypt(prepared: Prepared, opened: Opened) -> None:
    wire, database = prepared.wire, prepared.database
    if not prepared.offers_tls:
        _leave(prepared)
        seen = Evidence("message", f"{opened.greeting.version} offers no TLS: its greeting lacks CLIENT_SSL")
        raise DatabaseTrouble(Trouble(Reason.TLS_NOT_SUPPORTED, {"mode": database.tls.mode}, (seen,)))
    from tunneldoctor.database import tls

    flags = messages.flags_for(opened.greeting, database=bool(database.name), encrypt=True)
    request = opened.packets.framed(messages.tls_request(flags))
    wire.first = b""  # what comes next is TLS, or else not what the greeting was
    try:
        prepared.tls = tls.secure(wire, database, request=request)
    except DatabaseTrouble as error:
        if error.trouble.reason is Reason.CLIENT_CERTIFICATE_UNUSABLE:  # the request was not sent
            opened.packets.number -= 1
            _leave(prepared)
        raise


def _leave(prepared: Prepared) -> None:
    opened = cast("Opened", prepared.opening)
    prepared.wire.within(min(prepared.wire.remaining() or _FAREWELL, _FAREWELL))
    leave(opened.packets, opened.greeting, encrypted=prepared.encrypted)


def _session(prepared: Prepared, greeting: messages.Greeting) -> Session:
    row, latency = _ask(prepared.wire, _WHO)
    version, user, idle, server, storage, interactive = (*row, *[None] * 6)[:6]
    settings = {"wait_timeout": idle, "interactive_timeout": interactive}
    return Session(
        database=prepared.database,
        wire=prepared.wire,
        goodbye=messages.GOODBYE,
        version=messages.plain_version(version or "") or greeting.version,
        latency_ms=latency,
        encryption=prepared.tls.version if prepared.tls else None,
        seen_as=(user or "").rpartition("@")[2] or None,
        read_only=_read_only(server, storage),
        idle_timeout=float(idle) if idle and idle.isascii() and idle.isdigit() else None,
        settings={name: value for name, value in settings.items() if value},
    )


def _ask(wire: Wire, sql: str) -> tuple[list[str | None], float]:
    """The first row of *sql* and the milliseconds until the answer began; no row where the server can't say."""
    packets = messages.Packets(wire)
    start = time.perf_counter()
    first = messages.ask(packets, sql)
    latency = round((time.perf_counter() - start) * 1000, 2)
    if first[:1] != bytes([messages.ERROR]):
        return messages.first_row(packets, first), latency
    trouble = classify(refusal(messages.error(first), authenticated=True))
    if trouble.reason is not Reason.UNCLASSIFIED or _ends_it(trouble):
        raise DatabaseTrouble(trouble)
    return [], latency


def _ends_it(trouble: Trouble) -> bool:
    """SQLSTATE class 08: the server is about to hang up, as after an init_connect that failed (1184)."""
    return trouble.refusal is not None and trouble.refusal.detail.startswith("08")


def _read_only(server: str | None, storage: str | None) -> str | None:
    """Why nothing can be written; MariaDB 12 has more words than 0 and 1 for it."""
    if server not in (None, "0", "OFF"):
        return "read_only is on: it is a replica, or was made read-only"
    return "innodb_read_only is on: it is a reader of a cluster" if storage not in (None, "0", "OFF") else None


def _strange(error: messages.Garbled) -> Trouble:
    """It speaks this protocol, and says what has no place in it."""
    return Trouble(Reason.UNCLASSIFIED, {"detail": str(error)}, (Evidence("message", str(error)), shown(error.seen)))
