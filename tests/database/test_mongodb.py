"""The engine against a MongoDB written by hand after the "MongoDB Wire Protocol": no real one runs here."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tunneldoctor.database import bson
from tunneldoctor.database.conversation import Garbled
from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.session import Prepared
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble, Withheld
from tunneldoctor.model import Database, Tls

NAME = "db.internal.example"
MEMBERS = ["mongo1.internal.example:27017", "mongo2.internal.example:27017"]


def array(name: str, items: list[str]) -> bytes:
    inner = bson.document({str(number): item for number, item in enumerate(items)})
    return b"\x04" + name.encode() + b"\0" + inner


def answer(*elements: bytes, **values: str | int) -> bytes:
    """An OP_MSG that answers our hello; *elements* are encoded ones to put in front."""
    plain = bson.document(values)[4:-1]
    inner = b"".join(elements) + plain + b"\x01ok\0" + struct.pack("<d", values.pop("failed", 1))
    document = struct.pack("<i", len(inner) + 5) + inner + b"\0"
    body = struct.pack("<IB", 0, 0) + document
    return struct.pack("<iiii", 16 + len(body), 99, 7, 2013) + body


ALONE = answer(b"\x08isWritablePrimary\0\x01", b"\x09localTime\0" + bytes(8), maxWireVersion=21)
MEMBER = answer(b"\x08isWritablePrimary\0\x01", array("hosts", MEMBERS), setName="rs0", primary=MEMBERS[0])


def says(*answers: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        for each in answers:
            connection.recv(4096)
            connection.sendall(each)
        while connection.recv(4096):
            pass

    return behave


@pytest.fixture
def prepare(server: Callable[..., int]) -> Iterator[Callable[..., Prepared]]:
    opened: list[socket.socket] = []

    def start(*answers: bytes, seconds: float = 2, **more: Any) -> Prepared:
        engine = engine_for("mongodb")
        assert engine
        port = server(says(*answers))
        opened.append(socket.create_connection(("127.0.0.1", port), 5))
        database = Database("mongodb", NAME, port, tls=Tls("disable"), **more)
        return engine.prepare(opened[-1], database, seconds, encrypt=False)

    yield start
    for stream in opened:
        stream.close()


def never(_: str) -> bytes:
    raise AssertionError("no password is asked for")


def trouble(work: Callable[[], object]) -> Trouble:
    with pytest.raises(DatabaseTrouble) as caught:
        work()
    return caught.value.trouble


def test_a_server_of_its_own_without_a_user_is_a_session(prepare: Callable[..., Prepared]) -> None:
    prepared = prepare(ALONE, ALONE, ALONE)
    session = prepared.engine.login(prepared, never, 2)
    assert session.read_only is None
    assert session.ping(2) > 0


def test_with_a_user_it_says_what_was_not_looked_at(prepare: Callable[..., Prepared]) -> None:
    prepared = prepare(ALONE, user="app")
    with pytest.raises(Withheld, match="not looked at"):
        prepared.engine.login(prepared, never, 2)


@pytest.mark.parametrize("options", [{"replicaSet": "rs0"}, {}, {"directConnection": "false"}])
def test_a_member_of_a_replica_set_sends_drivers_to_its_members(
    prepare: Callable[..., Prepared], options: dict[str, str]
) -> None:
    prepared = prepare(MEMBER, options=options)
    found = trouble(lambda: prepared.engine.login(prepared, never, 2))
    assert found.reason is Reason.REDIRECTED
    assert found.params["target"] == ", ".join(MEMBERS)


def test_a_driver_that_is_told_to_stay_stays(prepare: Callable[..., Prepared]) -> None:
    prepared = prepare(MEMBER, MEMBER, options={"directConnection": "true"})
    assert prepared.engine.login(prepared, never, 2).read_only is None


def test_a_secondary_is_read_only(prepare: Callable[..., Prepared]) -> None:
    secondary = answer(b"\x08isWritablePrimary\0\x00", array("hosts", MEMBERS), primary=MEMBERS[0])
    prepared = prepare(secondary, secondary, options={"directConnection": "true"})
    assert MEMBERS[0] in (prepared.engine.login(prepared, never, 2).read_only or "")


@pytest.mark.parametrize(
    "noise",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        struct.pack("<iiii", 16_000_000, 1, 7, 2013),
        struct.pack("<iiii", 60, 1, 8, 2013) + bytes(44),
        struct.pack("<iiii", 60, 1, 7, 2013) + bytes(44),
    ],
)
def test_what_is_no_answer_of_mongodb_is_another_service(prepare: Callable[..., Prepared], noise: bytes) -> None:
    assert trouble(lambda: prepare(noise)).reason is Reason.WRONG_SERVICE


def test_half_an_answer_ends_with_the_time(prepare: Callable[..., Prepared]) -> None:
    assert trouble(lambda: prepare(MEMBER[:60], seconds=0.3)).reason is Reason.NO_ANSWER


@pytest.mark.parametrize(
    "data",
    [
        b"",
        struct.pack("<i", 4),
        struct.pack("<i", 9) + b"\x10a\0",
        struct.pack("<i", 12) + b"\x02a\0\xff\xff\xff\x7f\0",
        struct.pack("<i", 100_005) + b"\x0aa\0" * 33_333 + b"\0" * 2,
        struct.pack("<i", 7) + b"\x99\0\0",
    ],
)
def test_documents_that_are_none_are_named_as_garbled(data: bytes) -> None:
    with pytest.raises(Garbled):
        bson.read(data)


def test_a_server_of_before_hello_is_asked_by_the_old_name(prepare: Callable[..., Prepared]) -> None:
    unknown = answer(code=59, errmsg="no such command: 'hello'", failed=0)
    old = answer(b"\x08ismaster\0\x00", maxWireVersion=6)
    prepared = prepare(unknown, old, unknown)
    assert prepared.engine.login(prepared, never, 2).read_only


@pytest.mark.parametrize(("number", "reason"), [(91, Reason.NOT_READY), (13, Reason.UNCLASSIFIED)])
def test_a_server_that_goes_down_is_not_ready(prepare: Callable[..., Prepared], number: int, reason: Reason) -> None:
    prepared = prepare(answer(code=number, errmsg="no", failed=0))
    assert trouble(lambda: prepared.engine.login(prepared, never, 2)).reason is reason
