"""Redis, MongoDB, Oracle and SQL Server: what a reader of the report sees. Redis is real, the others by hand."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from fixtures.lab.pki import Authority
from tests.checks.db.conftest import Examine, codes, database, reason, status, the_finding, tunnel
from tests.database import tds_server as tds
from tests.database.redis_server import running
from tests.database.tds_server import Tds
from tests.database.test_mongodb import MEMBER
from tests.database.test_oracle import refuse
from tunneldoctor.model import Database, Tls

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")


@pytest.fixture(scope="module")
def redis() -> Iterator[int]:
    with running(Authority(), "requirepass battery-staple") as port:
        yield port


@pytest.fixture(scope="module")
def redis_over_tls() -> Iterator[int]:
    with running(Authority(), tls=True) as port:
        yield port


def asked(engine: str, port: int, mode: str = "disable", **more: Any) -> Database:
    more = {"user": "", "password": None, "name": ""} | more
    return replace(database(port, tls=Tls(mode), **more), engine=engine)


@needs_redis
def test_a_wrong_password_for_redis_leaves_two_causes_where_no_user_is_named(redis: int, examine: Examine) -> None:
    report = examine(tunnel(asked("redis", redis, password="good")))
    assert report.diagnosis
    assert report.diagnosis.code == "db.login-refused"
    assert set(report.diagnosis.causes) == {"db.password-wrong", "db.account-locked"}
    assert report.diagnosis.next_step
    assert "redis-cli" in (report.diagnosis.next_step.command or "")


@needs_redis
def test_a_password_that_redis_wants_and_nobody_gave(redis: int, examine: Examine) -> None:
    report = examine(tunnel(asked("redis", redis)))
    assert (codes(report)[-1], report.exit_code) == ("db.password-missing", 3)


@needs_redis
def test_plain_words_to_a_port_with_tls_are_told(redis_over_tls: int, examine: Examine) -> None:
    assert the_finding(examine(tunnel(asked("redis", redis_over_tls)))).code == "db.tls-required"


@needs_redis
def test_tls_to_a_plain_port_is_told(redis: int, examine: Examine) -> None:
    report = examine(replace(tunnel(asked("redis", redis, "require")), connect_timeout=2.0))
    assert the_finding(report).code == "db.tls-not-supported"


def says(answer: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)
        while connection.recv(4096):
            pass

    return behave


def test_a_replica_set_leads_out_of_the_tunnel(server: Callable[..., int], examine: Examine) -> None:
    report = examine(tunnel(asked("mongodb", server(says(MEMBER)))))
    assert report.diagnosis
    assert (report.diagnosis.code, report.diagnosis.certain) == ("db.redirected", True)
    assert "mongo1.internal.example:27017" in report.diagnosis.title
    assert any("directConnection=true" in step.text for step in report.diagnosis.remedy)


def test_the_login_that_is_not_made_is_unknown(server: Callable[..., int], examine: Examine) -> None:
    stays = asked("mongodb", server(says(MEMBER)), user="app", options={"directConnection": "true"})
    report = examine(tunnel(stays))
    assert (status(report, "db.service"), status(report, "db.login")) == ("warn", "unknown")
    assert "not looked at" in reason(report, "db.login")


def test_a_service_that_the_listener_does_not_know(server: Callable[..., int], examine: Examine) -> None:
    report = examine(tunnel(asked("oracle", server(says(refuse(12514))), user="app", name="ORDERS")))
    assert report.diagnosis
    assert report.diagnosis.code == "db.unknown-database"


def test_a_sql_server_login_that_fails(server: Callable[..., int], authority: Any, examine: Examine) -> None:
    pair = authority.issue()
    script = Tds(certificate=(pair.file, pair.key_file), login=tds.error(18456, "Login failed.") + tds.DONE)
    report = examine(tunnel(asked("sqlserver", server(script), "require", user="app", password="good")))
    assert report.diagnosis
    assert report.diagnosis.code == "db.login-refused"
    assert set(report.diagnosis.causes) == {
        "db.password-wrong", "db.unknown-user", "db.auth-method-unsupported",
    }  # fmt: skip


def test_the_password_stays_here_where_the_certificate_is_rejected(
    server: Callable[..., int], authority: Any, examine: Examine
) -> None:
    pair = authority.issue("somebody.else.example")
    script = Tds(certificate=(pair.file, pair.key_file))
    tls = Tls("verify-full", root_certificate=str(authority.root.file))
    wanted = replace(asked("sqlserver", server(script), user="app", password="good"), tls=tls)
    report = examine(tunnel(wanted))
    assert "db.tls-name-mismatch" in codes(report)
    assert "login" not in script.seen
