"""SQL Server and Azure SQL: TDS by hand.

By hand because python-tds and ODBC hide what matters here: the numbers of most errors, and the address that a server
sends its clients on to.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from tunneldoctor.database import sqlserver_messages as messages
from tunneldoctor.database.conversation import Garbled, talking
from tunneldoctor.database.engine import begins_with_tls
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.sqlserver_packets import BATCH, LOGIN7, PRELOGIN, Framed, packets, response
from tunneldoctor.database.sqlserver_refusals import classify
from tunneldoctor.database.sqlserver_tokens import Answer, read
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble, Withheld
from tunneldoctor.database.wire import Wire
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from tunneldoctor.database.session import Password
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

#: TDS 8 has TLS before everything else, as HTTPS has; ALPN names it, and PRELOGIN says it again (MS-TDS §2.2.6.5).
_STRICT, _STRICT_NAME = 4, b"tds/8.0"
#: Who we are to the server, and whether the database can be written; everybody may ask CONNECTIONPROPERTY.
_WHO = (
    "select cast(connectionproperty('client_net_address') as nvarchar(64)),"
    " cast(databasepropertyex(db_name(), 'Updateability') as nvarchar(64))"
)
_PING = "select 1"
#: Seconds of silence after which the server sends TCP keepalives, as delivered ("TCP/IP Properties", Keep Alive).
_KEEPALIVE = 30.0
#: Characters of a password in LOGIN7; tokens of Entra ID are longer and travel elsewhere.
_LONGEST_PASSWORD = 128


def prepare(stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
    """PRELOGIN, then TLS as both agree. Without *encrypt* the login alone is encrypted, as with ``encrypt=false``."""
    wire = Wire(stream, seconds)
    prepared = Prepared(database, wire)
    wish = messages.ON if encrypt else messages.NOT_SUPPORTED if database.tls.mode == "disable" else messages.OFF
    if begins_with_tls(database):
        from tunneldoctor.database import tls

        prepared.tls = tls.secure(wire, database, protocol=_STRICT_NAME)
        wish = _STRICT
    with talking(wire, "our first message"):
        wire.send(packets(PRELOGIN, messages.prelogin(wish)))
        answer = _greeted(response(wire), prepared)
    if wish != _STRICT:
        _encrypt(prepared, wish, answer.encryption)
    return prepared


def login(prepared: Prepared, password: Password, seconds: float) -> Session:
    """Log in with a SQL Server login, then ask who we are."""
    wire = prepared.wire
    wire.within(seconds)
    words = packets(LOGIN7, _login7(prepared, password))
    with talking(wire, "the login"):
        wire.send(words)
        if prepared.opening is not None:
            wire.restart(cast("Stream", prepared.opening))
        answer = read(response(wire))
        _judge(answer, prepared)
        return _session(prepared, answer)


def ping(session: Session, seconds: float) -> float:
    """Milliseconds of one ``select 1``."""
    session.wire.within(seconds)
    with talking(session.wire, "a query"):
        return _ask(session.wire, _PING)[1]


def listen(session: Session, seconds: float) -> None:
    """Return after *seconds* of silence."""
    wire = session.wire
    wire.within(seconds)
    with talking(wire, "being left alone"):
        try:
            answer = read(response(wire))
        except TimeoutError:
            return
    if answer.errors:
        raise DatabaseTrouble(classify(answer.errors))


def sleep(session: Session, after: float) -> None:
    """``WAITFOR DELAY``, which takes less than a day."""
    minutes, left = divmod(round(after * 1000), 60_000)
    delay = f"{minutes // 60:02d}:{minutes % 60:02d}:{left / 1000:06.3f}"
    with talking(session.wire, "a query"):
        session.wire.send(packets(BATCH, messages.batch(f"waitfor delay '{delay}'; {_PING}")))


def woken(session: Session, seconds: float) -> None:
    """The whole answer."""
    with talking(session.wire, f"WAITFOR, within {seconds:.0f} s"):
        answer = read(response(session.wire))
    if answer.errors:
        raise DatabaseTrouble(classify(answer.errors))


def _greeted(payload: bytes, prepared: Prepared) -> messages.Answer:
    """The server's PRELOGIN; a server that has no room for us answers with an error at once."""
    if payload[:1] == b"\xaa" and (errors := read(payload).errors):
        raise DatabaseTrouble(classify(errors, encrypted=prepared.encrypted))
    return messages.read_prelogin(payload)


def _encrypt(prepared: Prepared, wish: int, answer: int | None) -> None:
    """What MS-TDS §2.2.6.5 makes of the two sides' wishes."""
    mode = prepared.database.tls.mode
    if wish == messages.NOT_SUPPORTED:
        if answer in (messages.ON, messages.REQUIRED):
            raise DatabaseTrouble(_insists(mode))
        return
    prepared.offers_tls = answer not in (messages.NOT_SUPPORTED, None)
    whole = answer in (messages.ON, messages.REQUIRED)
    if not whole and wish == messages.ON and prepared.database.tls.required:
        raise DatabaseTrouble(_has_none(mode, answer))
    if prepared.offers_tls:
        _shake_hands(prepared, whole=whole)


def _shake_hands(prepared: Prepared, *, whole: bool) -> None:
    """The handshake inside packets. Not *whole*: the stream goes back to clear text after the login."""
    from tunneldoctor.database import tls

    wire = prepared.wire
    below = wire.stream
    wire.stream = framed = Framed(below)
    wire.first = b""  # what comes next tells who speaks
    prepared.tls = tls.secure(wire, prepared.database)
    framed.bare()
    prepared.opening = None if whole else below


def _login7(prepared: Prepared, password: Password) -> bytes:
    database = prepared.database
    options = {name.lower(): value.lower() for name, value in database.options.items()}
    if other := _other_login(options):
        raise Withheld(f"the client logs in with {other}, which tunneldoctor does not: nothing was sent")
    method = "LOGIN7" if database.tls.mode == "disable" else "cleartext"  # LOGIN7 only disguises the password
    secret = password(method).decode("utf-8", "replace")
    if len(secret) > _LONGEST_PASSWORD:
        raise Withheld("the password is longer than SQL Server logins have; tunneldoctor does not log in with tokens")
    strict, read_only = begins_with_tls(database), options.get("applicationintent") == "readonly"
    return messages.login7(
        database.user or "", secret, database.host, database.name or "", strict=strict, read_only=read_only
    )


def _other_login(options: dict[str, str]) -> str | None:
    """A login that is no user name with a password, as the drivers' options name it."""
    if any(options.get(name) in ("true", "yes", "sspi") for name in ("integratedsecurity", "trusted_connection")):
        return "Windows authentication"
    named = options.get("authentication", "sqlpassword")
    return None if named in ("sqlpassword", "notspecified") else f"authentication={named}"


def _judge(answer: Answer, prepared: Prepared) -> None:
    """Raise unless the login was acknowledged, by the server that was asked for."""
    if answer.version and answer.routing:
        raise DatabaseTrouble(_routed(*answer.routing))
    if answer.version:
        return
    if not answer.errors:
        raise Garbled(b"")
    presented = bool(prepared.tls and prepared.tls.presented)
    situation = {"password_sent": True, "encrypted": prepared.encrypted, "client_certificate": presented}
    raise DatabaseTrouble(classify(answer.errors, **situation))


def _session(prepared: Prepared, acknowledged: Answer) -> Session:
    answer, latency = _ask(prepared.wire, _WHO)
    address, updateability = (*answer.row, None, None)[:2]
    read_only = "the database is read-only on this server" if updateability == "READ_ONLY" else None
    whole = prepared.tls if prepared.opening is None else None
    return Session(
        database=prepared.database,
        wire=prepared.wire,
        goodbye=b"",  # TDS has none
        version=acknowledged.version,
        latency_ms=latency,
        encryption=whole.version if whole else None,
        seen_as=address if address and address[:1].isalnum() else None,  # not "<local machine>"
        read_only=read_only,
        tcp_keepalive=_KEEPALIVE,
    )


def _ask(wire: Wire, sql: str) -> tuple[Answer, float]:
    """The answer to *sql* and the milliseconds it took."""
    start = time.perf_counter()
    wire.send(packets(BATCH, messages.batch(sql)))
    payload = response(wire)
    return read(payload), round((time.perf_counter() - start) * 1000, 2)


def _insists(mode: str) -> Trouble:
    seen = Evidence("message", "the server's PRELOGIN says that encryption is required")
    return Trouble(Reason.TLS_REQUIRED, {"message": "encryption is required", "mode": mode}, (seen,))


def _has_none(mode: str, answer: int | None) -> Trouble:
    seen = Evidence("message", f"PRELOGIN: we ask for encryption, the server answers {answer}")
    return Trouble(Reason.TLS_NOT_SUPPORTED, {"mode": mode}, (seen,))


def _routed(host: str, port: int) -> Trouble:
    why = "the login is accepted, and the gateway's redirect policy or a read-only route sends it on"
    seen = Evidence("message", f"ENVCHANGE of type 20 (routing): {host}:{port}")
    return Trouble(Reason.REDIRECTED, {"target": f"{host}:{port}", "why": why}, (seen,))
