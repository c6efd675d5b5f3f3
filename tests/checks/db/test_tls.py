"""What the certificate of a real PostgreSQL comes to under the client's own settings."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.checks.db.conftest import NAME, Examine, codes, database, status, the_finding, tunnel
from tunneldoctor.model import Tls


@pytest.fixture
def full(authority: Any) -> Tls:
    return Tls("verify-full", root_certificate=str(authority.root.file))


def test_a_good_certificate_passes_full_verification(postgres: Any, examine: Examine, full: Tls) -> None:
    report = examine(tunnel(database(postgres.port, tls=full)))
    assert codes(report) == []
    assert status(report, "db.tls") == "pass"


def test_an_expired_certificate_is_an_error_where_it_is_verified(
    postgres: Any, authority: Any, examine: Examine, full: Tls
) -> None:
    with postgres.presenting(authority.issue(days=(-30, -1))):
        assert status(examine(tunnel(database(postgres.port, tls=full))), "db.tls") == "fail"
        lenient = examine(tunnel(database(postgres.port)))
    assert codes(lenient) == ["db.tls-expired"]
    assert status(lenient, "db.tls") == "warn"
    assert status(lenient, "db.login") == "pass"


def test_all_faults_of_one_certificate_are_shown_at_once(
    postgres: Any, authority: Any, examine: Examine, full: Tls
) -> None:
    with postgres.presenting(authority.issue("wrong.example", days=(-30, -1), self_signed=True)):
        report = examine(tunnel(database(postgres.port, tls=full)))
    assert set(codes(report)) == {"db.tls-untrusted-issuer", "db.tls-expired", "db.tls-name-mismatch"}


def test_a_certificate_from_the_future_is_told_from_an_expired_one(
    postgres: Any, authority: Any, examine: Examine, full: Tls
) -> None:
    with postgres.presenting(authority.issue(days=(2, 30))):
        assert codes(examine(tunnel(database(postgres.port, tls=full)))) == ["db.tls-not-yet-valid"]


def test_a_certificate_near_its_end_is_a_warning(postgres: Any, authority: Any, examine: Examine, full: Tls) -> None:
    with postgres.presenting(authority.issue(days=(-100, 5.5))):
        report = examine(tunnel(database(postgres.port, tls=full)))
    assert codes(report) == ["db.tls-expires-soon"]
    assert report.verdict == "degraded"
    assert the_finding(report).params["days"] == 5


def test_a_missing_intermediate_certificate_shows_as_an_untrusted_issuer(
    postgres: Any, authority: Any, examine: Examine, full: Tls
) -> None:
    between = authority.issue("Intermediate", authority=True, issuer=authority.root)
    leaf = authority.issue(issuer=between)
    with postgres.presenting(leaf):
        alone = examine(tunnel(database(postgres.port, tls=full)))
    with postgres.presenting(leaf, between):
        complete = examine(tunnel(database(postgres.port, tls=full)))
    assert codes(alone) == ["db.tls-untrusted-issuer"]
    assert the_finding(alone).params["certificates"] == 1
    assert codes(complete) == []


def test_a_stock_placeholder_certificate_is_healthy_where_nobody_verifies(
    postgres: Any, authority: Any, examine: Examine
) -> None:
    with postgres.presenting(authority.issue("debian", self_signed=True)):
        assert codes(examine(tunnel(database(postgres.port)))) == []


def test_a_tunnel_end_as_host_is_the_reason_not_the_certificate(postgres: Any, examine: Examine, full: Tls) -> None:
    report = examine(tunnel(database(postgres.port, host="127.0.0.1", tls=full)))
    assert codes(report) == ["db.tls-name-mismatch-through-tunnel"]
    finding = the_finding(report)
    assert finding.params["certificate_name"] == NAME
    assert f"PGHOSTADDR=127.0.0.1 PGSSLMODE=verify-full psql -h {NAME}" in (finding.remedy[0].command or "")


def test_a_tunnel_end_as_host_is_healthy_where_no_name_is_verified(
    postgres: Any, authority: Any, examine: Examine
) -> None:
    settings = Tls("verify-ca", root_certificate=str(authority.root.file))
    assert codes(examine(tunnel(database(postgres.port, host="localhost", tls=settings)))) == []


def test_verification_without_roots_says_which_file_is_missing(postgres: Any, examine: Examine, home: Any) -> None:
    report = examine(tunnel(database(postgres.port, tls=Tls("verify-full"))))
    assert codes(report) == ["db.tls-root-missing"]
    assert the_finding(report).params["problem"] == f"{home}/.postgresql/root.crt does not exist"


def test_a_root_in_the_home_folder_makes_require_verify_for_libpq_and_not_for_jdbc(
    postgres: Any, examine: Examine, home: Any, tmp_path_factory: Any
) -> None:
    from tests.database.conftest import Authority

    (home / ".postgresql").mkdir()
    other = Authority(tmp_path_factory.mktemp("other")).root.file
    (home / ".postgresql" / "root.crt").write_bytes(other.read_bytes())
    libpq = examine(tunnel(database(postgres.port, dialect="libpq")))
    jdbc = examine(tunnel(database(postgres.port, dialect="jdbc")))
    assert status(libpq, "db.tls") == "fail"
    assert status(jdbc, "db.tls") == "warn"
    assert codes(libpq) == codes(jdbc) == ["db.tls-untrusted-issuer"]


def test_no_tls_at_all_is_a_warning_unless_the_database_is_on_the_bastion(postgres: Any, examine: Examine) -> None:
    from tunneldoctor.model import Address

    asked = database(postgres.port, tls=Tls("disable"))
    apart = examine(tunnel(asked))
    beside = examine(tunnel(asked, remote=Address("localhost", postgres.port)))
    assert codes(apart) == ["db.tls-off"]
    assert codes(beside) == []
    assert apart.facts["database.tls"] == "off"


def test_tls_from_the_first_byte_is_told_apart_where_the_server_has_none(postgres: Any, examine: Examine) -> None:
    """PostgreSQL before 17 hangs up on it."""
    report = examine(tunnel(database(postgres.port, options={"sslnegotiation": "direct"})))
    assert codes(report) == ["db.tls-direct-unsupported"]


@pytest.mark.parametrize(("offered", "code"), [(["postgresql"], None), ([], "db.tls-handshake-failed")])
def test_direct_tls_is_for_servers_that_agree_on_the_protocols_name(
    server: Callable[..., int], authority: Any, examine: Examine, full: Tls, offered: list[str], code: str | None
) -> None:
    """PostgreSQL 17 is not at hand: a server that does by TLS what it does, and lets everybody in."""
    pair = authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.file, pair.key_file)
    if offered:
        context.set_alpn_protocols(offered)

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(1000)
            inside.sendall(b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I")
            inside.recv(1000)
            inside.sendall(b"Z\0\0\0\x05I")
            inside.recv(1000)

    report = examine(tunnel(database(server(behave), tls=full, options={"sslNegotiation": "direct"})))
    assert codes(report) == ([code] if code else [])
    assert status(report, "db.login") == ("blocked" if code else "pass")
