"""The engine against a real PostgreSQL."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble, Withheld
from tunneldoctor.model import Database, Tls

PASSWORD = b"correct horse"


class Client:
    """What a test asks of the engine; closes what it opened."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.opened: list[socket.socket] = []
        self.asked: list[str] = []

    def database(self, user: str = "app", name: str | None = "app", mode: str = "require", **more: Any) -> Database:
        return Database("postgresql", "db.internal.example", self.port, user, name, tls=Tls(mode), **more)

    def prepare(self, database: Database) -> Prepared:
        engine = engine_for("postgresql")
        assert engine
        stream = socket.create_connection(("127.0.0.1", self.port), 5)
        self.opened.append(stream)
        return engine.prepare(stream, database, 5, encrypt=database.tls.mode not in ("disable", "allow"))

    def login(self, database: Database, password: bytes = PASSWORD) -> Session:
        prepared = self.prepare(database)

        def give(method: str) -> bytes:
            self.asked.append(method)
            return password

        return prepared.engine.login(prepared, give, 5)

    def trouble(self, database: Database, password: bytes = PASSWORD) -> Trouble:
        with pytest.raises(DatabaseTrouble) as caught:
            self.login(database, password)
        return caught.value.trouble


@pytest.fixture
def client(postgres: Any) -> Iterator[Client]:
    made = Client(postgres.port)
    yield made
    for stream in made.opened:
        stream.close()


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_good_password_logs_in_whatever_the_encryption(client: Client, mode: str) -> None:
    session = client.login(client.database(mode=mode))
    assert session.version.startswith("15.")
    assert session.seen_as == "127.0.0.1"
    assert session.encryption == (None if mode in ("disable", "allow") else "TLSv1.3")
    assert session.idle_timeout == 0
    assert session.read_only is None
    assert client.asked == ["scram-sha-256"]
    assert session.ping(5) > 0


def test_channel_binding_can_be_left_out(client: Client) -> None:
    assert client.login(client.database(options={"channel_binding": "disable"})).encryption == "TLSv1.3"


def test_md5_and_cleartext_passwords_work(client: Client) -> None:
    client.login(client.database("asks_md5"))
    client.login(client.database("asks_clear"))
    assert client.asked == ["md5", "cleartext"]


def test_nobody_is_asked_for_a_password_that_is_not_needed(client: Client) -> None:
    client.login(client.database("trusted"))
    assert client.asked == []


def test_a_withheld_password_ends_the_login(client: Client) -> None:
    prepared = client.prepare(client.database())

    def withhold(method: str) -> bytes:
        raise Withheld(f"no {method} here")

    with pytest.raises(Withheld, match="no scram-sha-256 here"):
        prepared.engine.login(prepared, withhold, 5)


@pytest.mark.parametrize("user", ["app", "stranger", "expired", "no_password", "md5_secret"])
def test_a_refused_password_leaves_four_causes_open(client: Client, user: str) -> None:
    trouble = client.trouble(client.database(user), b"wrong")
    assert trouble.reason is Reason.LOGIN_REFUSED
    assert trouble.params["sqlstate"] == "28P01"
    assert {each.code for each in trouble.rulings} == {
        "db.host-not-allowed", "db.tls-required", "db.tls-client-certificate-required", "db.account-locked",
        "db.auth-method-unsupported",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("user", "name", "mode", "reason"),
    [
        ("app", "nowhere", "require", Reason.UNKNOWN_DATABASE),
        ("app", "closed", "require", Reason.DATABASE_NOT_ACCEPTING),
        ("app", "forbidden", "require", Reason.PERMISSION_DENIED),
        ("app", "postgres", "require", Reason.HOST_NOT_ALLOWED),
        ("rejected", "app", "require", Reason.HOST_NOT_ALLOWED),
        ("tls_only", "app", "disable", Reason.HOST_NOT_ALLOWED),
        ("clear_only", "app", "require", Reason.HOST_NOT_ALLOWED),
        ("with_certificate", "app", "require", Reason.TLS_CLIENT_CERTIFICATE_REQUIRED),
        ("by_certificate", "app", "require", Reason.TLS_CLIENT_CERTIFICATE_REQUIRED),
        ("nobody_here", "app", "require", Reason.UNKNOWN_USER),
        ("trusted_nologin", "app", "require", Reason.ACCOUNT_LOCKED),
        ("no_login", "app", "require", Reason.ACCOUNT_LOCKED),
        ("one_only", "app", "require", Reason.TOO_MANY_CONNECTIONS),
        ("asks_ident", "app", "require", Reason.AUTH_METHOD_UNSUPPORTED),
    ],
)
def test_a_refusal_is_told_by_its_sqlstate(client: Client, user: str, name: str, mode: str, reason: Reason) -> None:
    assert client.trouble(client.database(user, name, mode)).reason is reason


def test_the_refused_address_is_the_one_that_the_server_quotes(client: Client) -> None:
    params = client.trouble(client.database("rejected")).params
    assert (params["address"], params["network"], params["record"]) == ("127.0.0.1", "127.0.0.1/32", "hostssl")


def test_a_full_server_says_what_is_full(client: Client) -> None:
    assert client.trouble(client.database("one_only")).params["full"] == "this user"


def test_an_option_the_server_does_not_know_is_named(client: Client) -> None:
    database = client.database(options={"options": "-c nosuch=1"})
    assert client.trouble(database).reason is Reason.STARTUP_OPTION_REFUSED


def test_a_read_only_session_says_why(client: Client) -> None:
    session = client.login(client.database("reader"))
    assert session.read_only == "default_transaction_read_only is on for this session"


def test_the_servers_own_idle_limit_is_read_and_seen(client: Client) -> None:
    session = client.login(client.database("sleepy"))
    assert session.idle_timeout == 0.3
    with pytest.raises(DatabaseTrouble) as caught:
        session.listen(5)
    assert caught.value.trouble.refusal
    assert caught.value.trouble.refusal.number == "57P05"


def test_silence_on_an_idle_session_is_no_trouble(client: Client) -> None:
    session = client.login(client.database())
    session.listen(0.05)
    assert session.ping(5) > 0


def test_a_session_says_goodbye_once(client: Client) -> None:
    session = client.login(client.database())
    session.close()
    session.close()


def test_a_server_without_tls_is_told_apart(postgres: Any, client: Client) -> None:
    with postgres.restarted(ssl="off"):
        assert client.trouble(client.database()).reason is Reason.TLS_NOT_SUPPORTED
        prepared = client.prepare(client.database(mode="prefer"))
        assert prepared.offers_tls is False
        assert not prepared.encrypted


def test_too_old_a_protocol_is_told_apart(postgres: Any, client: Client) -> None:
    with postgres.restarted(ssl_max_protocol_version="TLSv1.1", ssl_min_protocol_version="TLSv1"):
        assert client.trouble(client.database()).reason is Reason.TLS_PROTOCOL_MISMATCH


def test_a_server_that_is_full_refuses_before_the_password(postgres: Any, client: Client) -> None:
    with postgres.restarted(max_connections="4", superuser_reserved_connections="3", max_wal_senders="0"):
        first = client.login(client.database())
        trouble = client.trouble(client.database())
        assert trouble.reason is Reason.TOO_MANY_CONNECTIONS
        assert trouble.params["full"] == "the whole server, but for slots kept for superusers"
        first.close()


def test_a_refusal_in_another_language_is_read_the_same(server: Callable[..., int]) -> None:
    """PostgreSQL's German words, which the server here is built without (no locale is installed)."""
    said = "kein pg_hba.conf-Eintrag für Host »10.1.2.3«, Benutzer »app«, Datenbank »app«, keine Verschlüsselung"
    body = f"SFATAL\0VFATAL\0C28000\0M{said}\0Fauth.c\0L500\0RClientAuthentication\0\0".encode()

    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"E" + (len(body) + 4).to_bytes(4, "big") + body)

    client = Client(server(refuse))
    trouble = client.trouble(client.database(mode="disable"))
    for stream in client.opened:
        stream.close()
    assert trouble.reason is Reason.HOST_NOT_ALLOWED
    assert trouble.params["address"] == "10.1.2.3"
