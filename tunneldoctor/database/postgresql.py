"""PostgreSQL, and what answers in its place (pgbouncer, RDS Proxy …): the wire by hand.

By hand because libpq gives no SQLSTATE for a login that failed, retries without TLS behind one's back, and reduces
every fault of a certificate to one sentence.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tunneldoctor.database import postgresql_messages as messages
from tunneldoctor.database.conversation import Garbled, broken, someone_else, talking
from tunneldoctor.database.engine import begins_with_tls
from tunneldoctor.database.opening import shown
from tunneldoctor.database.postgresql_login import Login
from tunneldoctor.database.postgresql_refusals import classify, refusal
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble
from tunneldoctor.database.wire import Ended, TlsError, Wire
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from tunneldoctor.database.session import Password
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

#: What else bears on unused connections; a server that does not know a setting answers null.
_SETTINGS = (
    "idle_session_timeout", "idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_keepalives_interval",
    "tcp_keepalives_count", "tcp_user_timeout",
)  # fmt: skip
#: Who we are to the server, after how long it ends an idle session (0: never), and those settings: one query for all.
#: tcp_keepalives_idle is what is in force on this connection (guc_tables.c, show_tcp_keepalives_idle).
_ASKED = (
    "inet_client_addr()",
    "extract(epoch from current_setting('idle_session_timeout', true)::interval)",
    *(f"current_setting('{name}', true)" for name in _SETTINGS),
)
_WHO = "select " + ", ".join(_ASKED)
_PING = "select 1"
#: Its name in ALPN (IANA, "TLS Application-Layer Protocol Negotiation (ALPN) Protocol IDs").
_PROTOCOL = b"postgresql"
_FIRST_QUERY = "the first query"
#: From this version on a server notices that its client has gone while it sleeps, if it is asked to; else it would
#: keep a connection for as long as it sleeps. For this statement alone, since a pooler hands the session on.
_NOTICES, _NOTICE = 14, "set local client_connection_check_interval = '2s'; "
#: Messages that one answer may consist of.
_MOST_MESSAGES = 200
#: Startup parameters that a connection string may ask for; the rest of it is the client's own business.
_PASSED_ON = ("options", "replication")


def prepare(stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
    """Ask for TLS (or, without *encrypt*, send the startup message) and see whether PostgreSQL answers."""
    wire = Wire(stream, seconds)
    prepared = Prepared(database, wire)
    try:
        if encrypt and begins_with_tls(database):
            _begin_with_tls(prepared)
        elif encrypt:
            wire.send(messages.SSL_REQUEST)
            _take_tls_answer(prepared)
        else:
            wire.send(messages.startup(parameters(database)))
            prepared.opening = messages.read(wire)
    except (Ended, TimeoutError, Garbled, TlsError) as error:
        raise _failed(error, wire, "our first message") from error
    return prepared


def login(prepared: Prepared, password: Password, seconds: float) -> Session:
    """Log in, then ask who we are."""
    wire = prepared.wire
    wire.within(seconds)
    attempt = Login(prepared, password)
    try:
        attempt.run(parameters(prepared.database))
        return _session(prepared, attempt)
    except (Ended, TimeoutError, Garbled, TlsError) as error:
        if isinstance(error, TimeoutError) and (attempt.proven or attempt.stage == _FIRST_QUERY):
            raise DatabaseTrouble(_no_server() if attempt.proven else _no_turn()) from error
        raise _failed(error, wire, attempt.stage) from error


def ping(session: Session, seconds: float) -> float:
    """Milliseconds of one ``select 1``."""
    session.wire.within(seconds)
    try:
        return _ask(session.wire, _PING)[1]
    except (Ended, TimeoutError, Garbled, TlsError) as error:
        raise _failed(error, session.wire, "a query") from error


def listen(session: Session, seconds: float) -> None:
    """Return after *seconds* of silence."""
    session.wire.within(seconds)
    try:
        while True:
            message = messages.read(session.wire)
            if message.kind == b"E":
                raise DatabaseTrouble(classify(refusal(message.body)))
    except TimeoutError:
        return
    except (Ended, Garbled, TlsError) as error:
        raise _failed(error, session.wire, "being left alone") from error


def sleep(session: Session, after: float) -> None:
    """``select pg_sleep``."""
    major = session.version.partition(".")[0]
    notice = _NOTICE if major.isdigit() and int(major) >= _NOTICES else ""
    with talking(session.wire, "a query"):
        session.wire.send(messages.query(f"{notice}select pg_sleep({after:.3f})"))


def woken(session: Session, seconds: float) -> None:
    """All messages up to ReadyForQuery."""
    with talking(session.wire, f"pg_sleep, within {seconds:.0f} s"):
        for _ in range(_MOST_MESSAGES):
            message = messages.read(session.wire)
            if message.kind == b"E":
                raise DatabaseTrouble(classify(refusal(message.body, authenticated=True)))
            if message.kind == b"Z":
                return
        raise Garbled(b"")


def parameters(database: Database) -> dict[str, str]:
    """The startup parameters; the database's name is the user's where none is given, as with libpq."""
    user = database.user or ""
    wanted = {"user": user, "database": database.name or user, "application_name": "tunneldoctor"}
    return wanted | {name: database.options[name] for name in _PASSED_ON if name in database.options}


def _begin_with_tls(prepared: Prepared) -> None:
    """``sslnegotiation=direct``: the server must say by ALPN that it means PostgreSQL (fe-secure-openssl.c)."""
    from tunneldoctor.database import tls

    prepared.tls = tls.secure(prepared.wire, prepared.database, protocol=_PROTOCOL)
    prepared.offers_tls = True
    if prepared.tls.protocol != _PROTOCOL.decode():
        raise TlsError("the server agrees to no ALPN protocol, and sslnegotiation=direct insists on one")


def _take_tls_answer(prepared: Prepared) -> None:
    from tunneldoctor.database import tls  # loads OpenSSL while the answer is on its way

    wire, database = prepared.wire, prepared.database
    answer = wire.some()
    prepared.offers_tls = answer == b"S"
    if answer == b"S":
        wire.first = b""  # what comes next tells TLS from an SSH banner, which begins with S as well
        prepared.tls = tls.secure(wire, database)
    elif answer == b"N" and database.tls.required:
        raise DatabaseTrouble(Trouble(Reason.TLS_NOT_SUPPORTED, {"mode": database.tls.mode}, (shown(answer),)))
    elif answer[:1] == b"E":
        wire.unread(answer)
        raise DatabaseTrouble(classify(refusal(messages.read(wire).body)))
    elif answer != b"N":
        raise Garbled(answer)


def _session(prepared: Prepared, attempt: Login) -> Session:
    attempt.stage = _FIRST_QUERY
    row, latency = _ask(prepared.wire, _WHO)
    seen_as, idle = (*row, None, None)[:2]
    settings = {name: value for name, value in zip(_SETTINGS, row[2:], strict=False) if value}
    announced = attempt.parameters
    return Session(
        database=prepared.database,
        wire=prepared.wire,
        goodbye=messages.TERMINATE,
        version=announced.get("server_version", "").partition(" ")[0],
        latency_ms=latency,
        encryption=prepared.tls.version if prepared.tls else None,
        seen_as=seen_as,
        read_only=_read_only(announced),
        idle_timeout=_number(idle),
        tcp_keepalive=_number(settings.get("tcp_keepalives_idle")),
        settings=settings,
    )


def _ask(wire: Wire, sql: str) -> tuple[list[str | None], float]:
    """The first row of *sql* and the milliseconds until the answer began; a query that fails gives no row."""
    start = time.perf_counter()
    wire.send(messages.query(sql))
    row: list[str | None] = []
    fatal: Trouble | None = None
    latency = 0.0
    for _ in range(_MOST_MESSAGES):
        try:
            message = messages.read(wire)
        except (Ended, TimeoutError):
            if fatal:
                raise DatabaseTrouble(fatal) from None
            raise
        latency = latency or (time.perf_counter() - start) * 1000
        if message.kind == b"Z":
            return row, round(latency, 2)
        if message.kind == b"D":
            row = row or messages.columns(message.body)
        elif message.kind == b"E":
            fatal = classify(refusal(message.body, authenticated=True))
    raise Garbled(b"")


def _read_only(announced: dict[str, str]) -> str | None:
    """Why nothing can be written: ParameterStatus tells since PostgreSQL 14."""
    if announced.get("in_hot_standby") == "on":
        return "it is a standby, which replays another server's changes"
    if announced.get("default_transaction_read_only") == "on":
        return "default_transaction_read_only is on for this session"
    return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _no_server() -> Trouble:
    """PostgreSQL sends its proof and AuthenticationOk together (auth.c, sendAuthRequest does not flush the former)."""
    seen = Evidence("message", "the server proved that it knows the password, then never said that the login is done")
    return Trouble(Reason.POOLER_UPSTREAM_DOWN, {"message": "no answer"}, (seen,))


def _no_turn() -> Trouble:
    """A pooler that has had a server before logs clients in by itself; the first query waits for a server."""
    seen = Evidence("message", "the login was done at once, and a query that needs nothing was never answered")
    return Trouble(Reason.POOLER_WAITS, {"message": "no answer"}, (seen,))


def _failed(error: Garbled | TlsError | TimeoutError | Ended, wire: Wire, stage: str) -> DatabaseTrouble:
    """What an exception from the wire comes to."""
    return DatabaseTrouble(someone_else(error.seen) if isinstance(error, Garbled) else broken(error, wire, stage))
