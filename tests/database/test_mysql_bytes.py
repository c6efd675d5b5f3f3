"""The engine against exchanges written by hand: MySQL 8, which can't be had here, and servers that misbehave.

The packets are those of "MySQL Internals: The Client/Server Protocol" (Protocol::HandshakeV10, AuthSwitchRequest,
AuthMoreData, ERR_Packet; "Caching_sha2_password information"), the numbers and words those of the "MySQL Server Error
Message Reference".
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.database.lab_mariadb import Client
from tunneldoctor.database import mysql_methods as methods
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Withheld

SALT = b"abcdefghijklmnopqrst"
CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000
TLS_TOO = 0x800
OK = b"\x00\x00\x00\x02\x00\x00\x00"
END = b"\xfe\x00\x00\x02\x00"
SHA2, NATIVE = b"caching_sha2_password", b"mysql_native_password"


def greeting(flags: int = CAPABILITIES, method: bytes = SHA2, version: bytes = b"8.0.36") -> bytes:
    low, high = (flags & 0xFFFF).to_bytes(2, "little"), (flags >> 16).to_bytes(2, "little")
    body = b"\x0a" + version + b"\0" + b"\x07\0\0\0" + SALT[:8] + b"\0" + low + b"\xff\x02\x00" + high
    return body + bytes([len(SALT) + 1]) + bytes(10) + SALT[8:] + b"\0" + method + b"\0"


def refused(number: int, message: str, state: str = "HY000") -> bytes:
    return b"\xff" + number.to_bytes(2, "little") + b"#" + state.encode() + message.encode()


def switch(method: bytes, data: bytes = SALT + b"\0") -> bytes:
    return b"\xfe" + method + b"\0" + data


def result(*values: bytes | None) -> list[bytes]:
    """A text result set of one row."""
    columns = [b"\x03def" + bytes(20)] * len(values)
    row = b"".join(b"\xfb" if value is None else bytes([len(value)]) + value for value in values)
    return [bytes([len(values)]), *columns, END, row, END]


WHO = result(b"8.0.36", b"app@10.0.0.9", b"28800", b"0", b"0")


class Conversation:
    """One connection as the server has it; ``heard`` are the packets that came."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.number = 0

    def say(self, stream: Any, *bodies: bytes) -> None:
        for body in bodies:
            stream.sendall(len(body).to_bytes(3, "little") + bytes([self.number]) + body)
            self.number += 1

    def hear(self, stream: Any) -> bytes:
        head = self._exactly(stream, 4)
        self.number = head[3] + 1
        self.heard.append(self._exactly(stream, int.from_bytes(head[:3], "little")))
        return self.heard[-1]

    def _exactly(self, stream: Any, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = stream.recv(count - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def behaviour(self, *answers: bytes | list[bytes], first: bytes | None = None) -> Callable[[socket.socket], None]:
        """Greet, then give one of *answers* to each packet that comes."""

        def behave(stream: socket.socket) -> None:
            self.say(stream, greeting() if first is None else first)
            for answer in answers:
                self.hear(stream)
                self.say(stream, *([answer] if isinstance(answer, bytes) else answer))
            self.hear(stream)

        return behave

    def over_tls(self, context: ssl.SSLContext, *answers: bytes | list[bytes]) -> Callable[[socket.socket], None]:
        """The same within TLS; the first packet to come is the request for it."""

        def behave(stream: socket.socket) -> None:
            self.say(stream, greeting(CAPABILITIES | TLS_TOO))
            self.hear(stream)
            with context.wrap_socket(stream, server_side=True) as inner:
                for answer in answers:
                    self.hear(inner)
                    self.say(inner, *([answer] if isinstance(answer, bytes) else answer))
                self.hear(inner)

        return behave


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


@pytest.fixture
def visit(server: Callable[..., int]) -> Iterator[Callable[..., Client]]:
    """A client of a server that behaves so."""
    made: list[Client] = []

    def start(behaviour: Callable[[socket.socket], object]) -> Client:
        made.append(Client(server(behaviour)))
        return made[-1]

    yield start
    for each in made:
        each.close()


Visit = Callable[..., Client]


def sha2_proof(password: bytes) -> bytes:
    """XOR(SHA256(password), SHA256(SHA256(SHA256(password)), salt)), as the documentation has it."""
    once = hashlib.sha256(password).digest()
    mask = hashlib.sha256(hashlib.sha256(once).digest() + SALT).digest()
    return bytes(one ^ other for one, other in zip(once, mask, strict=True))


def test_what_the_server_has_cached_needs_no_more_than_a_proof(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour([b"\x01\x03", OK], WHO))
    session = client.login(client.database(mode="disable"), "horse")
    assert (session.version, session.seen_as, session.idle_timeout) == ("8.0.36", "10.0.0.9", 28800)
    assert client.asked == ["caching_sha2_password"]
    login = talk.heard[0]
    assert login[32:] == b"app\0" + b"\x20" + sha2_proof(b"horse") + b"orders\0caching_sha2_password\0"


def test_an_uncached_password_goes_within_tls_and_is_asked_for_in_clear(
    visit: Visit, talk: Conversation, authority: Any
) -> None:
    pair = authority.issue("db.internal")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.file, pair.key_file)
    client = visit(talk.over_tls(context, b"\x01\x04", OK, WHO))
    assert client.login(client.database(), "horse").encryption == "TLSv1.3"
    assert talk.heard[2] == b"horse\0"
    assert client.asked == ["caching_sha2_password", "cleartext"]


@pytest.mark.parametrize(("method", "first"), [(SHA2, b"\x01\x04"), (b"sha256_password", switch(b"sha256_password"))])
def test_without_tls_the_password_itself_is_not_sent_and_the_login_ends(
    visit: Visit, talk: Conversation, method: bytes, first: bytes
) -> None:
    client = visit(talk.behaviour(first, refused(1045, "Access denied", "28000")))
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert trouble.reason is Reason.AUTH_METHOD_UNSUPPORTED
    assert trouble.params["method"].startswith(method.decode())
    assert "no TLS" in trouble.params["method"]
    assert talk.heard[1] == b"\0"


@pytest.mark.parametrize("option", ["allowPublicKeyRetrieval", "get-server-public-key"])
@pytest.mark.parametrize(
    ("first", "please"), [(b"\x01\x04", b"\x02"), (switch(b"sha256_password"), b"\x01")], ids=["caching", "sha256"]
)
def test_the_servers_key_is_taken_where_the_client_would(
    visit: Visit, talk: Conversation, option: str, first: bytes, please: bytes
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    client = visit(talk.behaviour(first, b"\x01" + pem, OK, WHO))
    client.login(client.database(mode="disable", options={option: "true"}), "a horse of more than twenty letters")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    masked = key.decrypt(talk.heard[2], oaep)
    password = bytes(each ^ SALT[at % 20] for at, each in enumerate(masked))
    assert (talk.heard[1], password) == (please, b"a horse of more than twenty letters\0")


def test_a_key_that_is_none_gets_nothing(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour(b"\x01\x04", b"\x01not a key", refused(1045, "Access denied", "28000")))
    options = {"allowPublicKeyRetrieval": "true"}
    trouble = client.trouble(client.database(mode="disable", options=options), "horse")
    assert trouble.reason is Reason.AUTH_METHOD_UNSUPPORTED
    assert talk.heard[2] == b"\0"


def test_a_password_in_clear_is_asked_for_by_that_name_and_may_be_withheld(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour(switch(b"mysql_clear_password", b""), refused(1045, "Access denied", "28000")))
    prepared = client.prepare(client.database(mode="disable"))

    def give(method: str) -> bytes:
        if method == "mysql_clear_password":
            raise Withheld("not without TLS")
        return b"horse"

    with pytest.raises(Withheld, match="not without TLS"):
        prepared.engine.login(prepared, give, 5)
    assert talk.heard[1] == b"\0"


@pytest.mark.parametrize("method", ["authentication_kerberos_client", "auth_gssapi_client", "authentication_webauthn"])
def test_a_method_that_is_not_known_here_is_named(visit: Visit, talk: Conversation, method: str) -> None:
    client = visit(talk.behaviour(switch(method.encode()), refused(1045, "Access denied", "28000")))
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert (trouble.reason, trouble.params["method"]) == (Reason.AUTH_METHOD_UNSUPPORTED, method)


def test_the_method_of_before_4_1_is_named(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour(b"\xfe", refused(1045, "Access denied", "28000")))
    assert client.trouble(client.database(mode="disable"), "horse").params["method"] == "mysql_old_password"


def test_a_method_may_be_a_strangers_decoy_where_it_is_mariadb(visit: Visit, talk: Conversation) -> None:
    first = greeting(method=NATIVE, version=b"5.5.5-10.11.6-MariaDB")
    said = refused(1045, "Access denied for user 'app'@'10.0.0.9' (using password: NO)", "28000")
    client = visit(talk.behaviour(switch(b"auth_gssapi_client"), said, first=first))
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert trouble.reason is Reason.LOGIN_REFUSED
    assert "db.auth-method-unsupported" not in {each.code for each in trouble.rulings}
    assert trouble.params["method"] == "auth_gssapi_client"


REFUSALS = [
    (1040, "Too many connections", Reason.TOO_MANY_CONNECTIONS),
    (1044, "Access denied for user 'app'@'%' to database 'orders'", Reason.PERMISSION_DENIED),
    (1045, "Access denied for user 'app'@'10.0.0.9' (using password: YES)", Reason.LOGIN_REFUSED),
    (1049, "Unknown database 'orders'", Reason.UNKNOWN_DATABASE),
    (1053, "Server shutdown in progress", Reason.NOT_READY),
    (1203, "User app already has more than 'max_user_connections' active connections", Reason.TOO_MANY_CONNECTIONS),
    (1226, "User 'app' has exceeded the 'max_user_connections' resource", Reason.TOO_MANY_CONNECTIONS),
    (1251, "Client does not support authentication protocol requested", Reason.AUTH_METHOD_UNSUPPORTED),
    (1524, "Plugin 'mysql_native_password' is not loaded", Reason.AUTH_METHOD_UNSUPPORTED),
    (1698, "Access denied for user 'root'@'localhost'", Reason.AUTH_METHOD_UNSUPPORTED),
    (1862, "Your password has expired. To log in you must change it", Reason.PASSWORD_EXPIRED),
    (2001, "SSL connection is required", Reason.TLS_REQUIRED),
    (3032, "The server is currently in offline mode", Reason.NOT_READY),
    (3118, "Access denied for user 'app'@'10.0.0.9'. Account is locked.", Reason.ACCOUNT_LOCKED),
    (3159, "Connections using insecure transport are prohibited", Reason.TLS_REQUIRED),
    (3159, "This RDS Proxy requires TLS connections.", Reason.TLS_REQUIRED),
    (3955, "Access denied for user 'app'@'%'. Account is blocked for 2 day(s)", Reason.ACCOUNT_LOCKED),
    (
        9000,
        "Client with IP address '10.0.0.9' is not allowed to connect to this MySQL server.",
        Reason.HOST_NOT_ALLOWED,
    ),
    (9001, "Max connect timeout reached while reaching hostgroup 0 after 10001ms", Reason.POOLER_UPSTREAM_DOWN),
    (9002, "SSL connection is required. Please specify SSL options and retry.", Reason.TLS_REQUIRED),
    (1045, "Max connect timeout reached while reaching hostgroup 1 after 503ms", Reason.POOLER_UPSTREAM_DOWN),
    (1045, "This RDS proxy has no credentials for the role app.", Reason.UNKNOWN_USER),
    (1047, "WSREP has not yet prepared node for application use", Reason.NOT_READY),
    (4242, "Nobody has ever heard of this one", Reason.UNCLASSIFIED),
]


@pytest.mark.parametrize(("number", "words", "reason"), REFUSALS)
def test_each_number_has_its_reason(
    visit: Visit, talk: Conversation, number: int, words: str, reason: Reason
) -> None:  # fmt: skip
    client = visit(talk.behaviour(refused(number, words)))
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert (trouble.reason, trouble.params["errno"]) == (reason, number)
    assert words in trouble.evidence[-1].text


def test_the_words_may_be_of_any_language(visit: Visit, talk: Conversation) -> None:
    said = "Benutzer 'app'@'10.0.0.9' hat keine Zugriffsberechtigung (verwendetes Passwort: JA)"
    client = visit(talk.behaviour(refused(1045, said, "28000")))
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert (trouble.reason, trouble.params["address"]) == (Reason.LOGIN_REFUSED, "10.0.0.9")


@pytest.mark.parametrize(
    ("number", "words", "reason", "address"),
    [
        (1130, "Host 'bastion.corp' is not allowed to connect", Reason.HOST_NOT_ALLOWED, "bastion.corp"),
        (1130, "Host '10.0.0.9' hat keine Berechtigung", Reason.HOST_NOT_ALLOWED, "10.0.0.9"),
        (1129, "Host '10.0.0.9' is blocked because of many connection errors", Reason.HOST_BLOCKED, "10.0.0.9"),
        (1130, "Host 'x'; rm -rf ~' is not allowed", Reason.HOST_NOT_ALLOWED, "x"),
        (1130, "Host '$(reboot)' is not allowed", Reason.HOST_NOT_ALLOWED, "an address that it does not name"),
    ],
)  # fmt: skip
def test_a_refusal_in_place_of_the_greeting_names_the_address(
    visit: Visit, talk: Conversation, number: int, words: str, reason: Reason, address: str
) -> None:
    body = b"\xff" + number.to_bytes(2, "little") + words.encode()  # without a SQLSTATE there
    client = visit(lambda stream: talk.say(stream, body))
    trouble = client.trouble(client.database())
    assert (trouble.reason, trouble.params["address"]) == (reason, address)


def test_a_password_that_expired_shows_at_the_first_query(visit: Visit, talk: Conversation) -> None:
    said = refused(1820, "You must reset your password using ALTER USER statement before executing this statement.")
    client = visit(talk.behaviour(OK, said))
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert (trouble.reason, trouble.refusal and trouble.refusal.authenticated) == (Reason.PASSWORD_EXPIRED, True)


def test_a_server_that_does_not_know_a_variable_is_healthy(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour(OK, refused(1193, "Unknown system variable 'innodb_read_only'")))
    session = client.login(client.database(mode="disable"), "horse")
    assert (session.version, session.seen_as, session.idle_timeout) == ("8.0.36", None, None)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((b"8.0.36", b"app@h", b"100", b"1", b"0"), "read_only is on"),
        ((b"8.0.36", b"app@h", b"100", b"0", b"1"), "innodb_read_only is on"),
        ((b"8.0.36", b"app@h", b"100", b"OFF", None), None),
    ],
)
def test_who_may_not_be_written_to_is_told(
    visit: Visit, talk: Conversation, row: tuple[bytes | None, ...], why: str | None
) -> None:
    client = visit(talk.behaviour(OK, result(*row)))
    said = client.login(client.database(mode="disable"), "horse").read_only
    assert said.startswith(why) if why and said else said is why


def test_the_end_of_an_idle_session_is_read(visit: Visit, talk: Conversation) -> None:
    """MySQL 8.0.24 and later: ER_CLIENT_INTERACTION_TIMEOUT, counted from 0."""

    said = refused(4031, "The client was disconnected by the server because of inactivity.")

    def then(stream: socket.socket) -> None:
        talk.say(stream, greeting())
        talk.hear(stream)
        talk.say(stream, OK)
        talk.hear(stream)
        talk.say(stream, *WHO)
        talk.number = 0
        talk.say(stream, said)

    client = visit(then)
    session = client.login(client.database(mode="disable"), "horse")
    with pytest.raises(DatabaseTrouble) as caught:
        session.listen(5)
    assert caught.value.trouble.refusal
    assert caught.value.trouble.refusal.number == "4031"


def saying(words: bytes) -> Callable[[socket.socket], object]:
    """Say *words*, then read until the other side goes."""

    def behave(stream: socket.socket) -> None:
        stream.sendall(words)
        while stream.recv(4096):
            pass

    return behave


@pytest.mark.parametrize(
    ("words", "service"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "SSH"),
        (b"220 mail.example ESMTP Postfix\r\n", "SMTP"),
        (b"\x05\0\0\0\x0b\x08\x05\x1a\0", "MySQL X Protocol (its port is 33060)"),
        (b"\x09\0\0\0\x0b8.0.36\0\0", "a binary protocol"),
        (b"\xff" * 64, "a protocol that is not known here"),
    ],
)
def test_another_protocols_first_words_are_named(visit: Visit, words: bytes, service: str) -> None:
    client = visit(saying(words))
    trouble = client.trouble(client.database())
    assert (trouble.reason, trouble.params["service"]) == (Reason.WRONG_SERVICE, service)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (b"\xff\xff\xff\x00\x0a8.0.36\0" + bytes(500), "a packet of 16777215 bytes"),
        (b"\x20\0\0\0\x0a8.0.36\0" + bytes(24), "a greeting that is cut short"),
        (b"\x4a\0\0\0\x0a4.0.30\0" + bytes(66), "a greeting of before MySQL 4.1"),
        (b"\x07\0\0\0\x0a8.0.36", "not a greeting of protocol 10"),
    ],
    ids=["16 MB", "cut short", "too old", "endless version"],
)
def test_a_greeting_that_is_none_is_said_to_be(visit: Visit, words: bytes, why: str) -> None:
    client = visit(saying(words))
    trouble = client.trouble(client.database(), seconds=1)
    assert (trouble.reason, trouble.params["detail"]) == (Reason.UNCLASSIFIED, why)


@pytest.mark.parametrize("words", [b"", b"\x4a\0\0\0\x0a8.0"], ids=["nothing", "half a greeting"])
def test_silence_is_bounded_and_says_how_much_came(visit: Visit, words: bytes) -> None:
    client = visit(saying(words))
    trouble = client.trouble(client.database(), seconds=0.2)
    assert (trouble.reason, trouble.params["received"]) == (Reason.NO_ANSWER, len(words))


def test_a_connection_that_is_closed_before_the_greeting_is_told(visit: Visit) -> None:
    client = visit(lambda stream: stream.shutdown(socket.SHUT_RDWR))
    trouble = client.trouble(client.database())
    assert (trouble.reason, trouble.params["received"]) == (Reason.CLOSED, 0)


def test_controls_in_the_servers_words_are_made_visible(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour(refused(1045, "Access \0denied\x1b[31m", "28000")))
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert "\x1b" not in trouble.evidence[0].text
    assert "\0" not in trouble.evidence[0].text


@pytest.mark.parametrize(
    "answer",
    [
        [b"\xfb/etc/passwd"],  # LOCAL INFILE
        [b"\x05", *[b"\x03def" + bytes(20)] * 5, END, *[b"\x011"] * 200],  # rows without an end
        [b"\xfe" + b"\xff" * 8],  # more columns than there can be
        [OK],
    ],
    ids=["wants a file", "endless rows", "endless columns", "no rows"],
)
def test_an_answer_that_is_no_result_is_bounded(visit: Visit, talk: Conversation, answer: list[bytes]) -> None:
    client = visit(talk.behaviour(OK, answer))
    assert client.trouble(client.database(mode="disable"), "horse").reason is Reason.UNCLASSIFIED


def test_a_packet_that_is_not_due_is_told(visit: Visit, talk: Conversation) -> None:
    def behave(stream: socket.socket) -> None:
        talk.say(stream, greeting())
        talk.hear(stream)
        talk.number += 1
        talk.say(stream, OK)

    client = visit(behave)
    trouble = client.trouble(client.database(mode="disable"), "horse")
    assert (trouble.reason, trouble.params["detail"]) == (Reason.UNCLASSIFIED, "packet 3 where 2 is due")


def test_a_login_without_an_end_is_bounded(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour([b"\x01\x03"] * 100))
    assert client.trouble(client.database(mode="disable"), "horse").reason is Reason.UNCLASSIFIED


def test_something_else_than_tls_after_the_request_fails_the_handshake(visit: Visit, talk: Conversation) -> None:
    client = visit(talk.behaviour(refused(1043, "Bad handshake", "08S01"), first=greeting(CAPABILITIES | TLS_TOO)))
    assert client.trouble(client.database()).reason is Reason.TLS_HANDSHAKE_FAILED


@pytest.mark.parametrize("password", [b"foobar", b"", b"x" * 200])
def test_an_ed25519_proof_is_a_signature(password: bytes) -> None:
    """Of the salt, by a key whose secret is the password: for 32 bytes it is the Ed25519 of RFC 8032."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    seed = bytes(range(32))
    assert methods.ed25519(seed, SALT) == Ed25519PrivateKey.from_private_bytes(seed).sign(SALT)
    secret = hashlib.sha512(password).digest()
    from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp

    scalar = bytes([secret[0] & 248]) + secret[1:31] + bytes([secret[31] & 63 | 64])
    public = Ed25519PublicKey.from_public_bytes(crypto_scalarmult_ed25519_base_noclamp(scalar))
    public.verify(methods.ed25519(password, SALT), SALT)
