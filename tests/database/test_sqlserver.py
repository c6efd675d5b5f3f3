"""The engine against a SQL Server written by hand after MS-TDS (tds_server.py): no real one can be run here."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.database import tds_server as tds
from tests.database.tds_server import Tds
from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble, Withheld
from tunneldoctor.model import Database, Tls

NAME = "db.internal.example"
PASSWORD = "corréct horse"


class Client:
    """What a test asks of the engine; closes what it opened."""

    def __init__(self, server: Callable[..., int]) -> None:
        self.server = server
        self.opened: list[socket.socket] = []
        self.asked: list[str] = []

    def prepare(self, behaviour: Callable[[socket.socket], object], mode: str = "require", **more: Any) -> Prepared:
        engine = engine_for("sqlserver")
        assert engine
        seconds = more.pop("seconds", 3)
        port = self.server(behaviour)
        stream = socket.create_connection(("127.0.0.1", port), 5)
        self.opened.append(stream)
        database = Database("sqlserver", NAME, port, "app", "orders", tls=Tls(mode), **more)
        return engine.prepare(stream, database, seconds, encrypt=mode not in ("disable", "allow"))

    def login(self, behaviour: Callable[[socket.socket], object], mode: str = "require", **more: Any) -> Session:
        prepared = self.prepare(behaviour, mode, **more)

        def give(method: str) -> bytes:
            self.asked.append(method)
            if method == "cleartext" and not prepared.encrypted:
                raise Withheld("not in clear")
            return PASSWORD.encode()

        return prepared.engine.login(prepared, give, 3)

    def trouble(self, behaviour: Callable[[socket.socket], object], mode: str = "require", **more: Any) -> Trouble:
        with pytest.raises(DatabaseTrouble) as caught:
            self.login(behaviour, mode, **more)
        return caught.value.trouble


@pytest.fixture
def client(server: Callable[..., int]) -> Iterator[Client]:
    made = Client(server)
    yield made
    for stream in made.opened:
        stream.close()


@pytest.fixture
def stub(authority: Any) -> Callable[..., Tds]:
    pair = authority.issue()
    return lambda **script: Tds(certificate=(pair.file, pair.key_file), **script)


def undisguised(login: bytes) -> str:
    """The password of a LOGIN7 (MS-TDS §2.2.6.4)."""
    offset, length = int.from_bytes(login[44:46], "little"), int.from_bytes(login[46:48], "little")
    hidden = bytes(byte ^ 0xA5 for byte in login[offset : offset + 2 * length])
    return bytes((byte << 4 | byte >> 4) & 0xFF for byte in hidden).decode("utf-16-le")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("encryption", [tds.ON, tds.REQUIRED])
def test_a_login_inside_tls_inside_packets(
    client: Client, stub: Callable[..., Tds], encryption: int, version: ssl.TLSVersion
) -> None:
    behaviour = stub(encryption=encryption, tls_version=version)
    session = client.login(behaviour)
    assert (session.version, session.seen_as, session.read_only) == ("16.0.4085", "10.0.0.7", None)
    assert session.encryption == version.name.replace("_", ".")
    assert undisguised(behaviour.seen["login"]) == PASSWORD
    assert "app".encode("utf-16-le") in behaviour.seen["login"]
    assert int.from_bytes(behaviour.seen["login"][:4], "little") == len(behaviour.seen["login"])
    assert session.ping(3) > 0


def test_tls_for_the_login_alone_is_an_unencrypted_session(client: Client, stub: Callable[..., Tds]) -> None:
    behaviour = stub(encryption=tds.OFF)
    session = client.login(behaviour, "allow")
    assert session.encryption is None
    assert behaviour.seen["prelogin"][17] == tds.OFF
    assert undisguised(behaviour.seen["login"]) == PASSWORD


def test_strict_has_tls_before_everything(client: Client, stub: Callable[..., Tds]) -> None:
    behaviour = stub(strict=True, tls_version=ssl.TLSVersion.TLSv1_3)
    assert client.login(behaviour, options={"encrypt": "strict"}).encryption == "TLSv1.3"
    assert behaviour.seen["alpn"] == b"tds/8.0"


def test_no_tls_where_the_client_insists(client: Client, stub: Callable[..., Tds]) -> None:
    assert client.trouble(stub(encryption=tds.NOT_SUPPORTED)).reason is Reason.TLS_NOT_SUPPORTED


def test_tls_insisted_on_where_the_client_has_none(client: Client, stub: Callable[..., Tds]) -> None:
    assert client.trouble(stub(encryption=tds.REQUIRED), "disable").reason is Reason.TLS_REQUIRED


def test_the_password_does_not_go_out_in_clear_unless_the_profile_says_so(
    client: Client, stub: Callable[..., Tds]
) -> None:
    behaviour = stub(encryption=tds.NOT_SUPPORTED)
    with pytest.raises(Withheld):
        client.login(behaviour, "prefer")
    assert "login" not in behaviour.seen
    client.login(stub(encryption=tds.NOT_SUPPORTED), "disable")
    assert client.asked == ["cleartext", "LOGIN7"]


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (tds.error(18456, "Login failed for user 'app'."), Reason.LOGIN_REFUSED),
        (tds.error(18456, "Login failed.", 5), Reason.UNKNOWN_USER),
        (tds.error(4060, "Cannot open database.") + tds.error(18456, "Login failed."), Reason.UNKNOWN_DATABASE),
        (tds.error(18486, "locked"), Reason.ACCOUNT_LOCKED),
        (tds.error(18487, "expired"), Reason.PASSWORD_EXPIRED),
        (tds.error(18488, "must change"), Reason.PASSWORD_EXPIRED),
        (tds.error(40613, "not currently available"), Reason.NOT_READY),
        (tds.error(10928, "Resource ID: 1"), Reason.TOO_MANY_CONNECTIONS),
        (tds.error(18452, "untrusted domain"), Reason.AUTH_METHOD_UNSUPPORTED),
        (tds.error(40532, "Cannot open server 'localhost' requested by the login."), Reason.SERVER_NAME_NEEDED),
        (tds.error(40531, "Server name cannot be determined."), Reason.SERVER_NAME_NEEDED),
        (tds.error(987654, "new\x1b[2J"), Reason.UNCLASSIFIED),
    ],
)
def test_refusals_go_by_their_number(client: Client, stub: Callable[..., Tds], errors: bytes, reason: Reason) -> None:
    assert client.trouble(stub(login=errors + tds.DONE)).reason is reason


def test_a_wrong_password_leaves_what_18456_hides(client: Client, stub: Callable[..., Tds]) -> None:
    trouble = client.trouble(stub(login=tds.error(18456, "Login failed for user 'app'.") + tds.DONE))
    out = {ruling.code for ruling in trouble.rulings}
    assert not out & {"db.password-wrong", "db.unknown-user", "db.auth-method-unsupported"}
    assert {"db.password-expired", "db.host-not-allowed", "db.tls-required", "db.account-locked"} <= out


@pytest.mark.parametrize(
    ("state", "reason", "method"),
    [
        (1, "Azure Active Directory only authentication is enabled.", "Microsoft Entra authentication alone"),
        (58, "", "Windows authentication alone"),
        (6, "", "Windows authentication for this name, which is a Windows login's"),
    ],
)
def test_a_server_that_takes_no_sql_logins_says_what_it_takes(
    client: Client, stub: Callable[..., Tds], state: int, reason: str, method: str
) -> None:
    said = tds.error(18456, f"Login failed for user 'app'. Reason: {reason}", state)
    trouble = client.trouble(stub(login=said + tds.DONE))
    assert (trouble.reason, trouble.params["method"]) == (Reason.AUTH_METHOD_UNSUPPORTED, method)


def test_azures_firewall_names_the_address_that_it_sees(client: Client, stub: Callable[..., Tds]) -> None:
    words = "Cannot open server 'x'. Client with IP address '203.0.113.9' is not allowed to access the server."
    trouble = client.trouble(stub(login=tds.error(40615, words) + tds.DONE))
    assert (trouble.reason, trouble.params["address"]) == (Reason.HOST_NOT_ALLOWED, "203.0.113.9")


def test_a_login_that_is_sent_on_is_redirected(client: Client, stub: Callable[..., Tds]) -> None:
    login = tds.acknowledged() + tds.routing("node.tr7.database.windows.net", 11003) + tds.DONE
    trouble = client.trouble(stub(login=login))
    assert (trouble.reason, trouble.params["target"]) == (Reason.REDIRECTED, "node.tr7.database.windows.net:11003")


def test_a_read_only_database_and_no_address(client: Client, stub: Callable[..., Tds]) -> None:
    session = client.login(stub(answers=(tds.row(None, "READ_ONLY") + tds.DONE,)))
    assert (session.seen_as, bool(session.read_only)) == (None, True)


def test_a_query_that_is_refused_costs_no_more_than_its_answer(client: Client, stub: Callable[..., Tds]) -> None:
    session = client.login(stub(answers=(tds.error(300, "VIEW SERVER STATE permission was denied") + tds.DONE,)))
    assert (session.seen_as, session.version) == (None, "16.0.4085")


def test_windows_logins_and_tokens_are_left_alone(client: Client, stub: Callable[..., Tds]) -> None:
    for options in ({"integratedSecurity": "true"}, {"authentication": "ActiveDirectoryPassword"}):
        with pytest.raises(Withheld):
            client.login(stub(), options=options)
    assert client.asked == []


def says(*answers: bytes, close: bool = False) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        for answer in answers:
            connection.recv(4096)
            connection.sendall(answer)
        if close:
            connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    return behave


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.WRONG_SERVICE),
        (b"-ERR\r\n", Reason.WRONG_SERVICE),
        (tds.packet(b"\x00\xff\xff\xff\xff\xff"), Reason.WRONG_SERVICE),
        (tds.packet(b""), Reason.WRONG_SERVICE),
        (b"\x04\x01\x00\x02" + bytes(4), Reason.WRONG_SERVICE),
        (b"".join(tds.packet(bytes(32000), last=False) for _ in range(20)), Reason.WRONG_SERVICE),
        (tds.packet(tds.prelogin(tds.ON))[:20], Reason.NO_ANSWER),
        (tds.packet(tds.error(17809, "too many users") + tds.DONE), Reason.TOO_MANY_CONNECTIONS),
    ],
)
def test_greetings_that_are_none(client: Client, answer: bytes, reason: Reason) -> None:
    assert client.trouble(says(answer), seconds=0.5).reason is reason


def test_a_server_that_hangs_up(client: Client) -> None:
    assert client.trouble(says(b"", close=True)).reason is Reason.CLOSED


@pytest.mark.parametrize(
    "handshake",
    [tds.packet(b"", 0x12), tds.packet(b"\x15\x03\x03\x00\x02\x02\x46", 0x12), b"\x12\x01" + b"\xff" * 40],
)
def test_a_broken_handshake_is_named_or_bounded(client: Client, handshake: bytes) -> None:
    reason = client.trouble(says(tds.packet(tds.prelogin(tds.ON)), handshake), seconds=0.5).reason
    assert reason.value.startswith("tls-")


@pytest.mark.parametrize(
    "tokens", [b"\xaa\xff\xff", b"\x00" * 100, b"\xad\x02\x00\x01\x01", b"\xfd", b"\xae\x01\xff\xff\xff\xff"]
)
def test_tokens_that_are_cut_or_unknown_are_no_login(client: Client, stub: Callable[..., Tds], tokens: bytes) -> None:
    assert client.trouble(stub(login=tokens)).reason is Reason.WRONG_SERVICE
