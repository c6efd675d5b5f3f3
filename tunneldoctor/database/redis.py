"""Redis and those who speak as it does (Valkey, ElastiCache): PING, AUTH, and a few questions about the server.

By hand because redis-py strips the word that tells an error, and tries three times behind one's back.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, cast

from tunneldoctor.database.conversation import opened, talking
from tunneldoctor.database.redis_refusals import classify, redirected, refusal
from tunneldoctor.database.redis_replies import Reply, command, read
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble
from tunneldoctor.database.wire import Wire

if TYPE_CHECKING:
    from tunneldoctor.database.session import Password
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

_PING = command("PING")
#: Settings that bear on unused connections.
_SETTINGS = ("timeout", "tcp-keepalive")
_QUESTIONS = (command("INFO"), command("CLIENT", "INFO"), *(command("CONFIG", "GET", name) for name in _SETTINGS))
#: A key that nobody has; asking for it shows whether this node answers for keys at all.
_CLUSTER_QUESTIONS = (command("CLUSTER", "NODES"), command("EXISTS", "tunneldoctor"))
#: Databases that clients do not SELECT, since connections begin there (redis-py, Jedis, Lettuce, go-redis).
_THERE_ALREADY = (None, "", "0")
#: Refusals of an unauthenticated PING that a login may yet overcome.
_LOGIN_FIRST = ("NOAUTH", "NOPERM")
_ADDRESS = re.compile(r"\baddr=(\S+):\d+ ")


def prepare(stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
    """TLS where the client has it, for Redis has it from the first byte or not at all; then PING."""
    prepared = opened(stream, database, seconds, encrypt=encrypt)
    with talking(prepared.wire, "our first message"):
        prepared.wire.send(_PING)
        prepared.opening = read(prepared.wire)
    return prepared


def login(prepared: Prepared, password: Password, seconds: float) -> Session:
    """Authenticate as a client would, choose the database, then ask who and what the server is."""
    wire = prepared.wire
    wire.within(seconds)
    with talking(wire, "the login"):
        sent = _authenticate(prepared, password)
        if prepared.database.name not in _THERE_ALREADY:
            _choose(prepared, str(prepared.database.name), sent)
        return _session(prepared, sent)


def ping(session: Session, seconds: float) -> float:
    """Milliseconds of one PING."""
    session.wire.within(seconds)
    with talking(session.wire, "a PING"):
        return _ping(session.wire)[1]


def listen(session: Session, seconds: float) -> None:
    """Return after *seconds* of silence. Redis gives no reason when it closes."""
    wire = session.wire
    wire.within(seconds)
    with talking(wire, "being left alone"):
        try:
            reply = read(wire)
        except TimeoutError:
            return
    raise DatabaseTrouble(classify(refusal(reply)))


def sleep(session: Session, after: float) -> None:
    """Read a stream that nobody has, and wait for what comes: a command that only reads, on replicas too (Redis 5)."""
    wait = str(max(1, round(after * 1000)))
    with talking(session.wire, "XREAD"):
        session.wire.send(command("XREAD", "BLOCK", wait, "STREAMS", "tunneldoctor", "$"))


def woken(session: Session, seconds: float) -> None:
    """The empty answer."""
    with talking(session.wire, f"XREAD, within {seconds:.0f} s"):
        reply = read(session.wire)
    if reply.refused:
        raise DatabaseTrouble(classify(refusal(reply)))


def _authenticate(prepared: Prepared, password: Password) -> bool:
    """Whether a password was sent: where one is configured a client sends it, asked or not."""
    database, greeting = prepared.database, cast("Reply", prepared.opening)
    if greeting.refused and greeting.refused not in _LOGIN_FIRST:
        _refuse(prepared, greeting)
    if database.password is None and greeting.refused != "NOAUTH":
        if greeting.refused:
            _refuse(prepared, greeting)
        return False
    user = (database.user,) if database.user else ()
    prepared.wire.send(command("AUTH", *user, password("AUTH")))
    reply = read(prepared.wire)
    if reply.refused:
        _refuse(prepared, reply, sent=True)
    return True


def _choose(prepared: Prepared, number: str, sent: bool) -> None:
    prepared.wire.send(command("SELECT", number))
    reply = read(prepared.wire)
    if reply.refused:
        _refuse(prepared, reply, sent=sent, choosing=True)


def _session(prepared: Prepared, sent: bool) -> Session:
    wire = prepared.wire
    reply, latency = _ping(wire)
    if reply.refused not in ("", "NOPERM"):
        _refuse(prepared, reply, sent=sent)
    info, client, *answers = _ask(wire, _QUESTIONS)
    settings = {reply.items[0]: reply.items[1] for reply in answers if len(reply.items) == 2}
    known = _fields(info.text)
    _stay_here(prepared, known, sent)
    address = _ADDRESS.search(client.text)
    return Session(
        database=prepared.database,
        wire=wire,
        goodbye=command("QUIT"),
        version=known.get("redis_version", ""),
        latency_ms=latency,
        encryption=prepared.tls.version if prepared.tls else None,
        seen_as=address[1] if address else None,
        read_only=_read_only(known),
        idle_timeout=_seconds(settings.get("timeout")),
        tcp_keepalive=_seconds(settings.get("tcp-keepalive")),
        settings={name: settings[name] for name in _SETTINGS if name in settings},
    )


def _stay_here(prepared: Prepared, known: dict[str, str], sent: bool) -> None:
    """Raise where the server would send its clients on to another."""
    if known.get("redis_mode") == "sentinel":
        masters = re.findall(r"address=([^,\s]+)", known.get("master0", ""))
        raise DatabaseTrouble(redirected("this is a Sentinel, which tells clients where the master is", masters))
    if known.get("cluster_enabled") != "1":
        return
    nodes, there = _ask(prepared.wire, _CLUSTER_QUESTIONS)
    if elsewhere := _owners_elsewhere(nodes.text):
        raise DatabaseTrouble(redirected("it is one node of a Redis Cluster", elsewhere))
    if there.refused == "MOVED":
        raise DatabaseTrouble(redirected(f"it answers -{there.text}", there.text.split()[2:3]))
    if there.refused == "CLUSTERDOWN":
        _refuse(prepared, there, sent=sent)


def _owners_elsewhere(nodes: str) -> list[str]:
    """The other nodes that own keys (CLUSTER NODES: id, address, flags, master, pings, epoch, link, slots)."""
    parts = [line.split() for line in nodes.splitlines()]
    return [each[1].partition("@")[0] for each in parts if len(each) > 8 and "myself" not in each[2]]


def _read_only(known: dict[str, str]) -> str | None:
    if known.get("role") != "slave":
        return None
    return f"it is a replica of {known.get('master_host', 'another')}:{known.get('master_port', '')}"


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None


def _fields(info: str) -> dict[str, str]:
    lines = (line.partition(":") for line in info.splitlines())
    return {name: value[:200] for name, colon, value in lines if colon}


def _ping(wire: Wire) -> tuple[Reply, float]:
    start = time.perf_counter()
    wire.send(_PING)
    reply = read(wire)
    return reply, round((time.perf_counter() - start) * 1000, 2)


def _ask(wire: Wire, questions: tuple[bytes, ...]) -> list[Reply]:
    """The answers to *questions*, which go out together."""
    wire.send(b"".join(questions))
    return [read(wire) for _ in questions]


def _refuse(prepared: Prepared, reply: Reply, *, sent: bool = False, choosing: bool = False) -> None:
    seen = refusal(reply, password_sent=sent, encrypted=prepared.encrypted)
    raise DatabaseTrouble(classify(seen, choosing=choosing, named=bool(prepared.database.user)))
