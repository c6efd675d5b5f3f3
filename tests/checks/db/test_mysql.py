"""MySQL and MariaDB: what a reader of the report sees, and that one connection is all it takes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.lab.mariadb import MariaDb
from tests.checks.db.conftest import NAME, SECRETS, Bastion, Examine, codes, reason, status, the_finding, tunnel
from tests.database.lab_mariadb import Servers
from tunneldoctor.model import Database, Policy, Reference, Report, Tls, Tunnel

LAB_SECRET = "lab-secret-42"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password of the lab's accounts beside those that the tests have."""
    monkeypatch.setitem(SECRETS, "lab", LAB_SECRET)


def asked(
    port: int, user: str | None = "app", *, mode: str = "require", password: str | None = "lab", **more: Any
) -> Tunnel:
    tls = more.pop("tls", Tls(mode))
    reference = Reference("env", password) if password else None
    name, engine = more.pop("name", "orders"), more.pop("engine", "mariadb")
    return tunnel(Database(engine, more.pop("host", "db.internal"), port, user, name, reference, tls), **more)


def commands(report: Report) -> str:
    assert report.diagnosis
    steps = [*report.diagnosis.remedy, *([report.diagnosis.next_step] if report.diagnosis.next_step else [])]
    return "\n".join(step.command or step.text for step in steps)


class Counting(Bastion):
    """Says how many connections were made."""

    @property
    def connections(self) -> int:
        return len(self.opened)


@pytest.fixture
def counted(examine: Examine) -> Callable[..., tuple[Report, int]]:
    def run(wanted: Tunnel, **more: Any) -> tuple[Report, int]:
        assert wanted.database
        bastion = Counting(wanted.database.port)
        report = examine(wanted, bastion=bastion, **more)
        return report, bastion.connections

    return run


Counted = Callable[..., tuple[Report, int]]


def test_a_healthy_login_tells_what_was_measured_over_one_connection(mariadb: MariaDb, counted: Counted) -> None:
    report, connections = counted(asked(mariadb.port))
    assert (codes(report), report.verdict, connections) == ([], "healthy", 1)
    assert report.facts["database.version"].startswith("10.")
    assert report.facts["database.tls"] == "TLSv1.3"
    assert report.facts["database.seen_as"] == "localhost"
    assert report.facts["database.latency_ms"] > 0
    assert report.facts["database.setting.wait_timeout"] == "28800"
    assert report.facts["database.setting.interactive_timeout"] == "28800"


@pytest.mark.parametrize(
    ("mode", "causes"),
    [
        ("require", ("db.tls-client-certificate-required",)),
        ("disable", ("db.tls-required", "db.tls-client-certificate-required")),
    ],
)
def test_a_wrong_password_leaves_what_1045_leaves(
    mariadb: MariaDb, counted: Counted, mode: str, causes: tuple[str, ...]
) -> None:
    report, connections = counted(asked(mariadb.port, mode=mode, password="wrong"))
    assert connections == 1
    assert report.diagnosis
    assert report.diagnosis.code == "db.login-refused"
    assert report.diagnosis.causes == ("db.password-wrong", "db.unknown-user", "db.host-not-allowed", *causes)
    said = [seen.text for check in report.checks for each in check.findings for seen in each.evidence]
    assert "1045 (28000): Access denied for user 'app'@'localhost' (using password: YES)" in said


def test_the_advice_is_of_mysql_alone(mariadb: MariaDb, examine: Examine) -> None:
    said = commands(examine(asked(mariadb.port, password="wrong")))
    assert "CREATE USER" in said
    assert "mysql.user" in said
    assert "psql" not in said
    assert "pg_hba" not in said


def test_the_account_to_create_is_for_the_address_that_the_server_quotes(servers: Servers, examine: Examine) -> None:
    with servers.started("skip-name-resolve") as server:
        server.sql("delete from mysql.global_priv where host = '%'; flush privileges")
        report = examine(asked(server.port, "o'brien"))
    assert report.diagnosis
    assert (report.diagnosis.code, report.diagnosis.certain) == ("db.host-not-allowed", True)
    assert "127.0.0.1" in report.diagnosis.summary
    assert "CREATE USER 'o'brien'@'127.0.0.1'" in report.diagnosis.remedy[0].text


@pytest.mark.parametrize(
    ("user", "name", "code"),
    [
        ("app", "nowhere", "db.unknown-database"),
        ("app", "closed", "db.permission-denied"),
        ("locked", "orders", "db.account-locked"),
        ("elapsed", "orders", "db.password-expired"),
    ],
)
def test_each_refusal_has_its_code(mariadb: MariaDb, counted: Counted, user: str, name: str, code: str) -> None:
    report, connections = counted(asked(mariadb.port, user, name=name))
    assert report.diagnosis
    assert (report.diagnosis.code, report.diagnosis.certain, connections) == (code, True, 1)


def test_a_password_that_is_missing_is_unknown_and_says_what_to_give(mariadb: MariaDb, counted: Counted) -> None:
    report, connections = counted(asked(mariadb.port, password=None))
    assert (codes(report), report.exit_code, connections) == (["db.password-missing"], 3, 1)
    assert "database_password" in reason(report, "db.login")


def test_an_account_without_a_password_is_healthy_without_one(mariadb: MariaDb, examine: Examine) -> None:
    assert examine(asked(mariadb.port, "passwordless", password=None)).verdict == "healthy"


def test_no_password_goes_to_a_certificate_that_the_client_rejects(
    servers: Servers, mariadb: MariaDb, counted: Counted
) -> None:
    tls = Tls("verify-full", root_certificate=str(servers.authority))
    report, connections = counted(asked(mariadb.port, tls=tls, host="another.example"))
    assert (codes(report), connections) == (["db.tls-name-mismatch"], 1)
    assert "reject the certificate" in reason(report, "db.login")


def test_pam_gets_no_password_without_tls(mariadb: MariaDb, counted: Counted) -> None:
    report, connections = counted(asked(mariadb.port, "pam", mode="disable"))
    assert (status(report, "db.login"), connections) == ("unknown", 1)
    assert "was not sent" in reason(report, "db.login")


def refused_logins(mariadb: MariaDb) -> int:
    return int(mariadb.sql("show global status like 'Access_denied_errors'").split()[1])


def test_a_url_without_a_user_costs_one_connection_that_is_left_politely(mariadb: MariaDb, counted: Counted) -> None:
    before = refused_logins(mariadb)
    report, connections = counted(asked(mariadb.port, None))
    assert (status(report, "db.login"), connections) == ("unknown", 1)
    assert "names no user" in reason(report, "db.login")
    assert refused_logins(mariadb) == before + 1


def test_a_login_that_is_skipped_is_left_politely_too(mariadb: MariaDb, counted: Counted) -> None:
    before = refused_logins(mariadb)
    counted(asked(mariadb.port), policy=Policy(skip=frozenset({"db.login"})))
    assert refused_logins(mariadb) == before + 1


def test_without_tls_the_login_goes_on_over_the_same_connection(servers: Servers, counted: Counted) -> None:
    with servers.started(tls=False) as server:
        report, connections = counted(asked(server.port, mode="prefer"))
        assert (codes(report), report.verdict, connections) == (["db.tls-off"], "degraded", 1)
        report, connections = counted(asked(server.port))
        assert (codes(report), connections) == (["db.tls-not-supported"], 1)


def test_the_servers_own_limit_on_unused_sessions_is_called_by_its_name(mariadb: MariaDb, examine: Examine) -> None:
    report = examine(asked(mariadb.port, idle_hold=30000.0))
    assert "idle.cutoff-expected" in codes(report)
    assert the_finding(report).params["what"] == "the database's wait_timeout"


def test_postgresql_in_its_place_is_found_by_a_second_connection(postgres: Any, counted: Counted) -> None:
    """It hung up on a line of text, which MySQL would not have done: there is no harm in another connection."""
    report, connections = counted(asked(postgres.port, host=NAME, connect_timeout=1.0))
    assert connections == 2
    assert (the_finding(report).code, the_finding(report).params["service"]) == ("db.wrong-service", "PostgreSQL")


def test_mariadb_in_the_place_of_a_redis_with_tls_is_known_by_its_greeting_alone(
    mariadb: MariaDb, counted: Counted
) -> None:
    report, connections = counted(asked(mariadb.port, engine="redis", user=None, tls=Tls("verify-full")))
    assert (the_finding(report).code, the_finding(report).params["service"]) == ("db.wrong-service", "MariaDB")
    assert connections == 1


def silent(stream: socket.socket) -> None:
    while stream.recv(4096):
        pass


def test_silence_is_not_knocked_at_a_second_time(server: Callable[..., int], counted: Counted) -> None:
    report, connections = counted(asked(server(silent, silent), connect_timeout=0.6))
    assert (codes(report), connections) == (["db.no-answer"], 1)


def test_a_connection_that_is_closed_before_the_greeting_is_closed_at_once(
    server: Callable[..., int], counted: Counted
) -> None:
    report, connections = counted(asked(server(lambda stream: stream.shutdown(socket.SHUT_RDWR))))
    assert (codes(report), connections) == (["forward.closed-at-once"], 1)


def test_a_greeting_that_comes_too_late_is_no_other_service(server: Callable[..., int], counted: Counted) -> None:
    """As with a server that looks its clients up by name and waits for that."""

    def late(stream: socket.socket) -> None:
        stream.recv(100)
        stream.sendall(b"\x4a\0\0\0\x0a8.0.36\0" + bytes(66))
        silent(stream)

    report, connections = counted(asked(server(late), connect_timeout=0.6))
    assert (codes(report), connections) == (["db.no-answer"], 1)
    assert "reverse lookups" in the_finding(report).evidence[1].text


def test_a_port_for_tls_alone_is_found_by_a_further_connection(
    server: Callable[..., int], authority: Any, counted: Counted
) -> None:
    pair = authority.issue(NAME)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.file, pair.key_file)

    def hang_up(stream: socket.socket) -> None:
        stream.recv(100)
        stream.shutdown(socket.SHUT_RDWR)

    def handshake(stream: socket.socket) -> None:
        with context.wrap_socket(stream, server_side=True):
            pass

    report, connections = counted(asked(server(hang_up, hang_up, handshake), connect_timeout=1.0))
    assert (the_finding(report).params["service"], connections) == ("TLS from the first byte", 3)
