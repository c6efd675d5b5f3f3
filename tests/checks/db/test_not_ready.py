"""Real servers that are on their way up or down: told from all else, and worth waiting for."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from fixtures.lab.pki import Authority
from tests.checks.db.conftest import Examine, codes, database, the_finding, tunnel
from tests.database.conftest import PASSWORD
from tests.database.redis_server import running
from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.session import Session
from tunneldoctor.database.trouble import DatabaseTrouble, Reason
from tunneldoctor.model import Tls

#: A dump of 500 strings (rdb.h: a version, a database, type 0, lengths of 5 and 1000, the end and no checksum).
DUMP = b"REDIS0009\xfe\0" + b"".join(b"\0\x05k%04d\x43\xe8" % n + bytes(1000) for n in range(500)) + b"\xff" + bytes(8)


@contextmanager
def logged_in(port: int) -> Iterator[Session]:
    engine = engine_for("postgresql")
    assert engine
    with closing(socket.create_connection(("127.0.0.1", port), 5)) as stream:
        prepared = engine.prepare(stream, database(port, tls=Tls("disable")), 5, encrypt=False)
        yield engine.login(prepared, lambda _: PASSWORD.encode(), 5)


def said(report: Any) -> str:
    found = the_finding(report)
    assert found.code == "db.not-ready"
    return str(found.params["message"])


@pytest.mark.parametrize("mode", ["disable", "require"])
def test_a_postgresql_that_starts_up_is_not_ready(postgres: Any, examine: Examine, mode: str) -> None:
    with postgres.starting_up():
        report = examine(tunnel(database(postgres.port, tls=Tls(mode))))
    assert [code for code in codes(report) if code != "db.tls-off"] == ["db.not-ready"]
    assert report.diagnosis and "starting up" in report.diagnosis.summary


def test_a_postgresql_that_shuts_down_is_not_ready(postgres: Any, examine: Examine) -> None:
    with logged_in(postgres.port), postgres.shutting_down():
        assert said(examine(tunnel(database(postgres.port)))) == "the database system is shutting down"


def test_a_postgresql_that_recovers_from_a_crash_is_not_ready(postgres: Any, examine: Examine) -> None:
    with logged_in(postgres.port), logged_in(postgres.port), postgres.in_recovery():
        assert said(examine(tunnel(database(postgres.port)))) == "the database system is in recovery mode"


def test_a_session_that_a_shutdown_ends_says_so(postgres: Any) -> None:
    with logged_in(postgres.port) as session:
        postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
        with pytest.raises(DatabaseTrouble) as caught:
            session.listen(5)
    assert caught.value.trouble.reason is Reason.NOT_READY


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_a_redis_that_loads_its_data_is_not_ready(examine: Examine) -> None:
    slowly = ("key-load-delay 50000", "loading-process-events-interval-bytes 1024")
    with running(Authority(), *slowly, dump=DUMP) as port:
        asked = replace(database(port, user="", name="", password=None, tls=Tls("disable")), engine="redis")
        report = examine(tunnel(asked))
    assert codes(report) == ["db.tls-off", "db.not-ready"]
