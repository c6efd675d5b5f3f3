"""The engine against a listener written by hand after Oracle Net as Wireshark's packet-tns.c reads it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.oracle import connect
from tunneldoctor.database.session import Prepared
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble, Withheld
from tunneldoctor.model import Database, Tls

NAME = "db.internal.example"


def packet(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("!HHBBH", len(body) + 8, 0, kind, 0, 0) + body


def refuse(number: int) -> bytes:
    words = (
        f"(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR={number})(ERROR_STACK=(ERROR=(CODE={number})(EMFI=4))))".encode()
    )
    return packet(4, b"\x22\x00" + struct.pack("!H", len(words)) + words)


REDIRECTION = b"(ADDRESS=(PROTOCOL=tcp)(HOST=node2-vip.internal.example)(PORT=1521))"


class Listener:
    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.heard: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        for each in self.answers:
            self.heard.append(connection.recv(4096))
            connection.sendall(each)
        while connection.recv(4096):
            pass


@pytest.fixture
def prepare(server: Callable[..., int]) -> Iterator[Callable[..., Prepared]]:
    opened: list[socket.socket] = []

    def start(listener: Listener, seconds: float = 2, **more: Any) -> Prepared:
        engine = engine_for("oracle")
        assert engine
        port = server(listener)
        opened.append(socket.create_connection(("127.0.0.1", port), 5))
        database = Database("oracle", NAME, port, "app", more.pop("name", "ORDERS"), tls=Tls("disable"), **more)
        return engine.prepare(opened[-1], database, seconds, encrypt=False)

    yield start
    for stream in opened:
        stream.close()


def trouble(work: Callable[[], object]) -> Trouble:
    with pytest.raises(DatabaseTrouble) as caught:
        work()
    return caught.value.trouble


def log_in(prepared: Prepared) -> object:
    return prepared.engine.login(prepared, lambda _: b"", 2)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (12514, Reason.UNKNOWN_DATABASE),
        (12505, Reason.UNKNOWN_DATABASE),
        (12516, Reason.TOO_MANY_CONNECTIONS),
        (12520, Reason.TOO_MANY_CONNECTIONS),
        (12528, Reason.NOT_READY),
        (12999, Reason.UNCLASSIFIED),
    ],
)
def test_refusals_go_by_their_number(prepare: Callable[..., Prepared], number: int, reason: Reason) -> None:
    found = trouble(lambda: log_in(prepare(Listener(refuse(number)))))
    assert (found.reason, found.params["sqlstate"]) == (reason, f"ORA-{number}")


def test_a_redirection_names_where_to(prepare: Callable[..., Prepared]) -> None:
    short = packet(5, struct.pack("!H", len(REDIRECTION)) + REDIRECTION)
    long = packet(5, struct.pack("!H", len(REDIRECTION))) + packet(6, b"\0\0" + REDIRECTION)
    for redirection in (short, long):
        found = trouble(lambda answer=redirection: log_in(prepare(Listener(answer))))
        assert (found.reason, found.params["target"]) == (Reason.REDIRECTED, "node2-vip.internal.example:1521")


def test_a_listener_that_accepts_leaves_the_login_unknown(prepare: Callable[..., Prepared]) -> None:
    with pytest.raises(Withheld, match="not looked at"):
        log_in(prepare(Listener(packet(2, bytes(24)))))


def test_the_words_are_said_again_where_the_listener_asks_but_not_for_ever(prepare: Callable[..., Prepared]) -> None:
    listener = Listener(packet(11), refuse(12514))
    assert trouble(lambda: log_in(prepare(listener))).reason is Reason.UNKNOWN_DATABASE
    assert listener.heard[0] == listener.heard[1]
    assert trouble(lambda: prepare(Listener(*[packet(11)] * 10))).reason is Reason.WRONG_SERVICE


def test_the_service_or_the_sid_is_asked_for_and_nothing_else_gets_in(prepare: Callable[..., Prepared]) -> None:
    service, sid = Listener(refuse(12514)), Listener(refuse(12505))
    prepare(service, name="ORDERS)(SERVER=x")
    prepare(sid, options={"sid": "XE"})
    assert b"(SERVICE_NAME=ORDERSSERVERx)" in service.heard[0]
    assert b"(SID=XE)" in sid.heard[0]


def test_the_words_are_where_the_packet_says() -> None:
    for words in ("(short)", "(" + "x" * 300 + ")"):
        sent = connect(words)
        length, offset = struct.unpack_from("!HH", sent, 24)
        head = int.from_bytes(sent[:2], "big")
        assert (length, offset) == (len(words), 74)
        assert sent[offset:].endswith(words.encode())
        assert head in (74 + len(words), 74)


@pytest.mark.parametrize(
    "noise", [b"SSH-2.0-OpenSSH_9.2p1\r\n", packet(4)[:2] + b"\0\0\x63" + bytes(3), b"\xff\xff\0\0\x04\0\0\0"]
)
def test_what_is_no_packet_is_another_service(prepare: Callable[..., Prepared], noise: bytes) -> None:
    assert trouble(lambda: prepare(Listener(noise))).reason is Reason.WRONG_SERVICE


def test_half_a_packet_ends_with_the_time(prepare: Callable[..., Prepared]) -> None:
    assert trouble(lambda: prepare(Listener(refuse(12514)[:20]), seconds=0.3)).reason is Reason.NO_ANSWER
