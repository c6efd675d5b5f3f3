"""What answers where the database should: servers that misbehave as no real database can be brought to."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.checks.db.conftest import Bastion, Examine, codes, database, status, the_finding, tunnel
from tunneldoctor.model import Report, Tls

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def say(*words: bytes) -> Callable[[socket.socket], object]:
    """Answer each thing that is said with the next of *words*, then wait for the end."""

    def behave(connection: socket.socket) -> None:
        for word in words:
            connection.recv(65536)
            connection.sendall(word)
        drain(connection)

    return behave


def greet(words: bytes) -> Callable[[socket.socket], object]:
    """Speak first."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(words)
        drain(connection)

    return behave


def drain(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def hang_up(connection: socket.socket) -> None:
    connection.close()


def read_and_hang_up(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.close()


def problems(report: Report) -> list[str]:
    """The codes but for the warning that every connection without TLS brings."""
    return [code for code in codes(report) if code != "db.tls-off"]


def error(**fields: str) -> bytes:
    body = b"".join(f"{name}{value}\0".encode() for name, value in fields.items()) + b"\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


Look = Callable[..., Report]


@pytest.fixture
def look(examine: Examine, server: Callable[..., int]) -> Look:
    """Examine servers that behave so, one connection after the other."""

    def run(*behaviours: Callable[[socket.socket], object], engine: str = "postgresql", **more: Any) -> Report:
        timeout = more.pop("timeout", 2.0)
        with_session = more.pop("with_session", True)
        port = server(*behaviours)
        asked = tunnel(replace(database(port, **more), engine=engine))
        return examine(replace(asked, connect_timeout=timeout), with_session=with_session)

    return run


@pytest.mark.parametrize(
    ("greeting", "service"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "SSH"),
        (b"220 mail.example ESMTP Postfix\r\n", "SMTP"),
        (b"\x4a\0\0\0\x0a8.0.36\0" + b"x" * 70, "MySQL"),
        (b"\x05\0\0\0\x0b\x08\x05\x1a\0", "MySQL X Protocol (its port is 33060)"),
        (b"\x00\x01\x02garbage\x1b[2J", "a binary protocol"),
        (b"hello, sailor", "a protocol that is not known here"),
    ],
)
@pytest.mark.parametrize("mode", ["disable", "require"])
def test_another_service_is_named(look: Look, greeting: bytes, service: str, mode: str) -> None:
    found = the_finding(look(greet(greeting), tls=Tls(mode)))
    assert (found.code, found.params["service"]) == ("db.wrong-service", service)
    assert "\x1b" not in str(found.evidence)


def test_an_ssh_server_that_answers_late_is_not_taken_for_tls(look: Look) -> None:
    """Its banner begins with the S that stands for TLS."""
    found = the_finding(look(say(b"S", b"SH-2.0-OpenSSH_9.2p1\r\n")))
    assert found.code in ("db.wrong-service", "db.tls-handshake-failed")


def test_http_is_found_by_knocking_on_a_second_channel(look: Look) -> None:
    found = the_finding(look(say(), say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), timeout=1.0))
    assert (found.code, found.params["service"]) == ("db.wrong-service", "HTTP")


def test_redis_is_found_by_knocking_on_a_second_channel(look: Look) -> None:
    found = the_finding(look(say(), say(b"-NOAUTH Authentication required.\r\n"), timeout=1.0))
    assert found.params["service"] == "Redis"


def test_silence_is_no_answer(look: Look) -> None:
    report = look(drain, drain, timeout=1.0)
    assert codes(report) == ["db.no-answer"]
    assert status(report, "db.login") == "blocked"


def test_closed_before_a_word_is_the_forwards_matter(look: Look) -> None:
    assert codes(look(hang_up, hang_up)) == ["forward.closed-at-once"]


def test_closed_on_our_first_message_only_is_the_databases_matter(look: Look) -> None:
    report = look(*(read_and_hang_up,) * 8)
    assert codes(report) == ["db.closed-without-answer"]


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_who_hangs_up_on_everybody_is_asked_no_more_often_than_a_run_may(
    examine: Examine, server: Callable[..., int], monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    """And what was seen so far is said all the same."""
    monkeypatch.setattr("tunneldoctor.engine.budget.BARE_CONNECTIONS", allowed)
    port = server(*(read_and_hang_up,) * 12)
    bastion = Bastion(port)
    report = examine(tunnel(database(port)), bastion=bastion)
    assert codes(report) == ["db.closed-without-answer"]
    assert len(bastion.opened) == 1 + allowed


def test_without_a_second_channel_it_stays_with_what_was_seen(look: Look) -> None:
    assert codes(look(read_and_hang_up, with_session=False)) == ["db.closed-without-answer"]


def test_a_port_that_wants_tls_first_is_told_apart(look: Look, authority: Any) -> None:
    pair = authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.file, pair.key_file)

    def tls_only(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            drain(inside)  # type: ignore[arg-type]

    found = the_finding(look(tls_only, tls_only, tls_only))
    assert (found.code, found.params["service"]) == ("db.wrong-service", "TLS from the first byte")


def test_a_greeting_of_sixteen_megabytes_is_not_read_to_its_end(look: Look) -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        connection.recv(100)
        for _ in range(256):
            connection.sendall(b"A" * 65536)
            sent.append(65536)

    found = the_finding(look(flood))
    assert found.code == "db.wrong-service"
    assert sum(sent) < 16 * 1024 * 1024
    assert max(len(each.text) for each in found.evidence) < 1000


def test_an_error_that_claims_to_be_endless_is_cut(look: Look) -> None:
    found = the_finding(look(say(b"E\x7f\xff\xff\xff" + b"A" * 60000), tls=Tls("disable")))
    assert found.code == "db.wrong-service"
    assert len(str(found)) < 10000


def test_a_postmaster_that_cannot_fork_is_quoted(look: Look) -> None:
    """It then sends its words without the protocol around them."""
    words = b"Ecould not fork new process for connection: Resource temporarily unavailable\n\0"
    found = the_finding(look(say(words)))
    assert found.code == "db.unclassified"
    assert "Resource temporarily unavailable" in found.evidence[0].text


def test_an_error_of_many_fields_and_control_characters_is_made_harmless(look: Look) -> None:
    nasty = error(S="FATAL", V="FATAL", C="57P03", M="\x1b]0;owned\x07\u202egnp" + "x" * 50000)
    found = the_finding(look(say(nasty)))
    assert found.code == "db.not-ready"
    assert not {"\x1b", "\x07", "\u202e"} & set(str(found))
    assert len(found.summary) < 5000


@pytest.mark.parametrize(
    ("state", "code"), [("57P03", "db.not-ready"), ("53300", "db.too-many-connections"), ("XX000", "db.unclassified")]
)
def test_an_error_before_the_login_is_read_by_its_sqlstate(look: Look, state: str, code: str) -> None:
    said = error(S="FATAL", V="FATAL", C=state, M="кириллица", F="x.c", L="1", R="somewhere")
    assert problems(look(say(said), tls=Tls("disable"))) == [code]
    assert codes(look(say(said))) == [code]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("no more connections allowed (max_client_conn)", "db.too-many-connections"),
        ("query_wait_timeout", "db.pooler-upstream-down"),
        ("client_login_timeout (server down)", "db.pooler-upstream-down"),
        ("server login has been failing, try again later (server_login_retry)", "db.pooler-upstream-down"),
        ('password authentication failed for user "app"', "db.pooler-upstream-down"),
        (
            'no pg_hba.conf entry for host "10.9.8.7", user "app", database "app", no encryption',
            "db.pooler-upstream-down",
        ),
        ("SASL authentication failed", "db.login-refused"),
        ("no such database: app", "db.unknown-database"),
        ("SSL required", "db.tls-required"),
        ("login rejected", "db.host-not-allowed"),
        ("unsupported startup parameter: options", "db.startup-option-refused"),
        ("certificate authentication failed", "db.client-certificate-rejected"),
        ('database "app" is disabled', "db.database-not-accepting"),
        ("bouncer config error", "db.unclassified"),
    ],
)
def test_pgbouncer_is_read_by_its_words_and_says_so(look: Look, words: str, code: str) -> None:
    """pgbouncer 1.18 sends the fields S, C and M alone, and 08P01 for everything."""
    report = look(say(error(S="FATAL", C="08P01", M=words)), tls=Tls("disable"))
    assert problems(report) == [code]
    found = [finding for check in report.checks for finding in check.findings if finding.code == code]
    if code != "db.unclassified":
        assert any("words alone" in each.text for each in found[0].evidence)


@pytest.mark.parametrize("answer", [error(S="FATAL", C="08P01", M="query_wait_timeout"), b""])
def test_a_pooler_that_lets_us_in_and_has_no_server_for_us_leaves_two_causes(look: Look, answer: bytes) -> None:
    """pgbouncer logs clients in by itself once a pool has had a server; only the first query waits for one."""
    report = look(say(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", answer), tls=Tls("disable"), timeout=1.0)
    (found,) = [each for check in report.checks for each in check.findings if each.code != "db.tls-off"]
    assert found.code == "db.pooler-waits"
    assert set(found.causes) == {"db.too-many-connections", "db.pooler-upstream-down"}


@pytest.mark.parametrize(
    ("state", "words", "code"),
    [
        ("28P01", 'password authentication failed for user "app"', "db.login-refused"),
        ("28P01", "The password that was provided for the role app is wrong.", "db.password-wrong"),
        ("28000", 'role "app" is not permitted to log in', "db.account-locked"),
        ("28000", "IAM is allowed only with SSL connections.", "db.tls-required"),
        ("53300", 'too many connections for role "app"', "db.too-many-connections"),
        ("08P01", "Endpoint ID is not specified. Either please upgrade the postgres client", "db.server-name-needed"),
        ("XX000", "Either external_id or sni_hostname must be provided.", "db.server-name-needed"),
        ("57P03", "the database system is starting up", "db.not-ready"),
    ],
)
def test_proxies_that_give_a_sqlstate_and_no_routine_are_read_by_their_words(
    look: Look, state: str, words: str, code: str
) -> None:
    assert problems(look(say(error(S="FATAL", C=state, M=words)), tls=Tls("disable"))) == [code]


def test_the_end_of_the_stream_in_the_middle_of_a_message_is_an_end(look: Look) -> None:
    def half(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"R\0\0\0\x08\0")
        connection.close()

    assert problems(look(half, tls=Tls("disable"))) == ["db.closed-without-answer"]


def test_the_end_of_the_stream_after_the_password_is_an_end(look: Look) -> None:
    clear_md5 = b"R\0\0\0\x0c\0\0\0\x05salt"

    def ask_and_leave(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(clear_md5)
        connection.recv(1000)
        connection.close()

    report = look(ask_and_leave, tls=Tls("disable"))
    assert problems(report) == ["db.closed-without-answer"]


def test_more_notices_than_anybody_sends_end_the_login(look: Look) -> None:
    notice = b"N\0\0\0\x05\0"
    report = look(say(b"R\0\0\0\x08\0\0\0\0" + notice * 5000), tls=Tls("disable"))
    assert problems(report) == ["db.wrong-service"]


def test_a_server_that_cannot_prove_to_know_the_password_is_not_trusted(look: Look) -> None:
    def impostor(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0")
        nonce = connection.recv(1000).rpartition(b"r=")[2]
        body = b"\0\0\0\x0br=" + nonce + b"xyz,s=c2FsdA==,i=4096"
        connection.sendall(b"R" + (len(body) + 4).to_bytes(4, "big") + body)
        connection.recv(1000)
        connection.sendall(b"R\0\0\0\x12\0\0\0\x0cv=AAAAAAAA" + b"R\0\0\0\x08\0\0\0\0")
        drain(connection)

    report = look(impostor, tls=Tls("disable"))
    assert problems(report) == ["db.unclassified"]
    assert "could not prove" in str(report.checks)


def test_a_hundred_million_scram_rounds_are_refused(look: Look) -> None:
    def greedy(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0")
        nonce = connection.recv(1000).rpartition(b"r=")[2]
        body = b"\0\0\0\x0br=" + nonce + b"xyz,s=c2FsdA==,i=100000000"
        connection.sendall(b"R" + (len(body) + 4).to_bytes(4, "big") + body)
        drain(connection)

    assert problems(look(greedy, tls=Tls("disable"))) == ["db.unclassified"]


def test_a_pooler_that_proves_itself_and_then_waits_for_its_server_is_known(look: Look) -> None:
    """pgbouncer sends the proof at once and the rest when its own server answers; PostgreSQL sends both together."""
    import base64
    import hashlib
    import hmac

    def sign(key: bytes, text: bytes) -> bytes:
        return hmac.digest(key, text, "sha256")

    def pooler(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0")
        bare = connection.recv(1000).partition(b",,")[2]
        first = b"r=" + bare.rpartition(b"r=")[2] + b"xyz,s=c2FsdA==,i=4096"
        body = b"\0\0\0\x0b" + first
        connection.sendall(b"R" + (len(body) + 4).to_bytes(4, "big") + body)
        final = connection.recv(1000)[5:].rpartition(b",p=")[0]
        salted = hashlib.pbkdf2_hmac("sha256", b"correct horse", b"salt", 4096)
        proof = base64.b64encode(sign(sign(salted, b"Server Key"), b",".join((bare, first, final))))
        body = b"\0\0\0\x0cv=" + proof
        connection.sendall(b"R" + (len(body) + 4).to_bytes(4, "big") + body)
        drain(connection)

    assert problems(look(pooler, tls=Tls("disable"), timeout=1.0)) == ["db.pooler-upstream-down"]


def test_a_handshake_that_stops_after_the_hello_is_a_stall(look: Look) -> None:
    found = the_finding(look(say(b"S"), timeout=1.0))
    assert found.code == "db.tls-stalled"
    assert int(found.params["sent"] or 0) > 200
    assert found.params["received"] == 0


def test_a_handshake_that_is_cut_off_is_a_failure(look: Look) -> None:
    def cut(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"S")
        connection.recv(65536)
        connection.close()

    assert codes(look(cut)) == ["db.tls-handshake-failed"]


def test_a_tls_alert_names_itself(look: Look) -> None:
    found = the_finding(look(say(b"S", b"\x15\x03\x03\x00\x02\x02\x28")))
    assert found.code == "db.tls-handshake-failed"
    assert "handshake failure" in str(found.params["detail"])


def test_words_injected_before_tls_are_not_taken_for_tls(look: Look) -> None:
    """CVE-2021-23222: what comes with the S is not protected by anything."""
    assert codes(look(say(b"S" + error(S="FATAL", C="28000", M="injected")))) == ["db.wrong-service"]


def test_tcp_asks_for_no_more_than_an_open_port(look: Look, examine: Examine) -> None:
    report = look(drain, engine="tcp")
    assert codes(report) == []
    assert (status(report, "db.service"), status(report, "db.login")) == ("pass", "skipped")
    assert codes(look(hang_up, engine="tcp")) == ["forward.closed-at-once"]


def test_another_service_is_told_from_sql_server(look: Look) -> None:
    assert codes(look(greet(b"SSH-2.0-x\r\n"), engine="sqlserver")) == ["db.wrong-service"]


def test_a_run_without_a_database_skips_all_of_it(examine: Examine) -> None:
    report = examine(tunnel(None), bastion=Bastion(1))
    assert {check.status for check in report.checks if check.layer == "db"} == {"skipped"}
