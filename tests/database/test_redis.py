"""The engine against a real Redis 7; what a healthy one can't be brought to say comes from a listener that says it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from fixtures.lab.pki import Authority
from fixtures.lab.ports import free_port
from tests.database.redis_server import NAME, running
from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble, Withheld
from tunneldoctor.model import Database, Reference, Tls

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")

PASSWORD = "correct-horse"
ELSEWHERE = "10.20.30.40:6379"
NODES = (
    f"{'a' * 40} {ELSEWHERE}@16379 master - 0 1 2 connected 0-16383",
    f"{'b' * 40} 127.0.0.1:0@0 myself,master - 0 0 1 connected",
)


@pytest.fixture(scope="module")
def signer() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def guarded(signer: Authority) -> Iterator[int]:
    """Asks for a password; knows user app, who may only read keys of app:, and user off, who is disabled."""
    users = (
        f"user default on +@all ~* >{PASSWORD}",
        f"user app on +@read ~app:* >{PASSWORD}",
        f"user gone off +@all ~* >{PASSWORD}",
    )
    with running(signer, *users, "timeout 90") as port:
        yield port


@pytest.fixture(scope="module")
def open_to_all(signer: Authority) -> Iterator[int]:
    with running(signer) as port:
        yield port


@pytest.fixture(scope="module")
def encrypted(signer: Authority) -> Iterator[int]:
    with running(signer, tls=True) as port:
        yield port


class Client:
    """What a test asks of the engine; closes what it opened."""

    def __init__(self) -> None:
        self.opened: list[socket.socket] = []
        self.asked: list[str] = []

    def prepare(self, port: int, mode: str = "disable", **more: Any) -> Prepared:
        engine = engine_for("redis")
        assert engine
        stream = socket.create_connection(("127.0.0.1", port), 5)
        self.opened.append(stream)
        database = Database("redis", NAME, port, tls=Tls(mode), **more)
        return engine.prepare(stream, database, 2, encrypt=database.tls.required)

    def login(self, port: int, password: str = PASSWORD, **more: Any) -> Session:
        prepared = self.prepare(port, **more)

        def give(method: str) -> bytes:
            self.asked.append(method)
            return password.encode()

        return prepared.engine.login(prepared, give, 2)

    def trouble(self, work: Callable[[], object]) -> Trouble:
        with pytest.raises(DatabaseTrouble) as caught:
            work()
        return caught.value.trouble


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    for stream in made.opened:
        stream.close()


def causes_out(trouble: Trouble) -> set[str]:
    return {ruling.code for ruling in trouble.rulings if ruling.out}


def test_a_good_password_logs_in_and_tells_what_is_there(client: Client, guarded: int) -> None:
    session = client.login(guarded)
    assert session.version.startswith("7.")
    assert (session.seen_as, session.read_only, session.encryption) == ("127.0.0.1", None, None)
    assert session.settings == {"timeout": "90", "tcp-keepalive": "300"}
    assert session.idle_timeout == 90
    assert session.ping(2) > 0
    session.listen(0.01)
    assert client.asked == ["AUTH"]


def test_a_user_who_may_do_next_to_nothing_is_logged_in_all_the_same(client: Client, guarded: int) -> None:
    assert client.login(guarded, user="app").latency_ms > 0


def test_no_password_is_asked_for_where_none_is_configured_or_needed(client: Client, open_to_all: int) -> None:
    client.login(open_to_all)
    assert client.asked == []


def test_a_wrong_password_without_a_user_leaves_the_password_and_a_disabled_default_user(
    client: Client, guarded: int
) -> None:
    trouble = client.trouble(lambda: client.login(guarded, "wrong"))
    assert trouble.reason is Reason.LOGIN_REFUSED
    assert "db.unknown-user" in causes_out(trouble)
    assert not {"db.password-wrong", "db.account-locked"} & causes_out(trouble)


@pytest.mark.parametrize("user", ["nobody", "gone", "app"])
def test_redis_does_not_tell_a_wrong_password_from_an_unknown_or_disabled_user(
    client: Client, guarded: int, user: str
) -> None:
    trouble = client.trouble(lambda: client.login(guarded, "wrong", user=user))
    assert trouble.reason is Reason.LOGIN_REFUSED
    assert not {"db.password-wrong", "db.unknown-user", "db.account-locked"} & causes_out(trouble)


def test_a_password_for_a_server_that_has_none_is_not_usable(client: Client, open_to_all: int) -> None:
    database = replace(client.prepare(open_to_all).database, password=Reference("env", "PASSWORD"))
    prepared = replace(client.prepare(open_to_all), database=database)
    trouble = client.trouble(lambda: prepared.engine.login(prepared, lambda _: b"x", 2))
    assert trouble.reason is Reason.PASSWORD_NOT_USABLE


def test_what_the_password_giver_raises_comes_through(client: Client, guarded: int) -> None:
    prepared = client.prepare(guarded)

    def refuse(_: str) -> bytes:
        raise Withheld("none given", Reason.PASSWORD_MISSING)

    with pytest.raises(Withheld):
        prepared.engine.login(prepared, refuse, 2)


def test_a_database_number_that_is_not_there(client: Client, open_to_all: int) -> None:
    client.login(open_to_all, name="3")
    assert client.trouble(lambda: client.login(open_to_all, name="99")).reason is Reason.UNKNOWN_DATABASE


def test_tls_from_the_first_byte(client: Client, encrypted: int) -> None:
    assert client.login(encrypted, mode="require").encryption == "TLSv1.3"


def test_tls_to_a_plain_port_stalls_and_plain_to_tls_is_closed(
    client: Client, encrypted: int, open_to_all: int
) -> None:
    stalled = client.trouble(lambda: client.prepare(open_to_all, "require"))
    assert stalled.reason is Reason.TLS_STALLED
    closed = client.trouble(lambda: client.prepare(encrypted))
    assert (closed.reason, closed.params["received"]) == (Reason.CLOSED, 0)


def test_a_client_certificate_that_is_wanted(client: Client, signer: Authority) -> None:
    with running(signer, "tls-auth-clients yes", tls=True) as port:
        trouble = client.trouble(lambda: client.prepare(port, "require"))
    assert trouble.reason is Reason.TLS_CLIENT_CERTIFICATE_REQUIRED


def test_a_full_server(client: Client, signer: Authority) -> None:
    with running(signer, "maxclients 1") as port:
        client.prepare(port)
        assert client.trouble(lambda: client.login(port)).reason is Reason.TOO_MANY_CONNECTIONS


def test_a_cluster_sends_on_to_the_nodes_that_own_the_keys(client: Client, signer: Authority) -> None:
    settings = ("cluster-enabled yes", "cluster-node-timeout 600000", "cluster-allow-reads-when-down yes")
    with running(signer, *settings, nodes=NODES) as port:
        trouble = client.trouble(lambda: client.login(port))
    assert (trouble.reason, trouble.params["target"]) == (Reason.REDIRECTED, ELSEWHERE)


def test_a_cluster_that_serves_no_keys_is_not_ready(client: Client, signer: Authority) -> None:
    with running(signer, "cluster-enabled yes") as port:
        assert client.trouble(lambda: client.login(port)).reason is Reason.NOT_READY


def test_a_replica_whose_master_is_down(client: Client, signer: Authority) -> None:
    dead = f"replicaof 127.0.0.1 {free_port()}"
    with running(signer, dead) as port:
        assert "replica of 127.0.0.1" in (client.login(port).read_only or "")
    with running(signer, dead, "replica-serve-stale-data no") as port:
        assert client.trouble(lambda: client.login(port)).reason is Reason.NOT_READY


def says(answer: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(answer)
        connection.recv(1000)

    return behave


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n", Reason.HOST_NOT_ALLOWED),
        (b"-LOADING Redis is loading the dataset in memory\r\n", Reason.NOT_READY),
        (b"-BUSY Redis is busy running a script.\r\n", Reason.NOT_READY),
        (b"-ERR something new\x1b[2J\x00\r\n", Reason.UNCLASSIFIED),
    ],
)
def test_other_refusals_go_by_their_word(
    client: Client, server: Callable[..., int], answer: bytes, reason: Reason
) -> None:
    """Said by a listener: these need a remote address, a large file of data, a script that hangs."""
    trouble = client.trouble(lambda: client.login(server(says(answer))))
    assert trouble.reason is reason
    assert "\x1b" not in str(trouble.evidence[0].text)


def test_a_sentinel_sends_on_to_the_master(client: Client, server: Callable[..., int]) -> None:
    info = b"redis_version:7.0.15\r\nredis_mode:sentinel\r\nmaster0:name=m,status=ok,address=10.0.0.9:6379,slaves=1\r\n"

    def sentinel(connection: socket.socket) -> None:
        for _ in range(2):
            connection.recv(1000)
            connection.sendall(b"+PONG\r\n")
        connection.recv(1000)
        connection.sendall(b"$%d\r\n%b\r\n" % (len(info), info) + b"-ERR unknown\r\n" * 3)
        connection.recv(1000)

    trouble = client.trouble(lambda: client.login(server(sentinel)))
    assert (trouble.reason, trouble.params["target"]) == (Reason.REDIRECTED, "10.0.0.9:6379")


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.2p1\r\n", b"+" + b"x" * 100_000, b"$99999999999\r\n", b"*999999\r\n", b"$-x\r\n", b":\r\n"],
)
def test_what_is_no_reply_of_redis_is_another_service(
    client: Client, server: Callable[..., int], answer: bytes
) -> None:
    assert client.trouble(lambda: client.prepare(server(says(answer)))).reason is Reason.WRONG_SERVICE


def test_an_answer_that_stops_half_way_ends_with_the_time(client: Client, server: Callable[..., int]) -> None:
    def half(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"$1000\r\nhalf")
        connection.recv(1000)
        connection.recv(1000)

    engine = engine_for("redis")
    assert engine
    stream = socket.create_connection(("127.0.0.1", server(half)), 5)
    client.opened.append(stream)
    database = Database("redis", NAME, 6379, tls=Tls("disable"))
    trouble = client.trouble(lambda: engine.prepare(stream, database, 0.3, encrypt=False))
    assert trouble.reason is Reason.NO_ANSWER
