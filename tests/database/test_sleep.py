"""A server that is asked to speak first, later: real ones, and for SQL Server the one written after MS-TDS."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from fixtures.lab.pki import Authority
from tests.database import tds_server as tds
from tests.database.lab_mariadb import Client as MySqlClient
from tests.database.redis_server import NAME, running
from tests.database.tds_server import Tds
from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.session import Session
from tunneldoctor.database.trouble import DatabaseTrouble, Reason
from tunneldoctor.model import Database, Tls

SLEEPING = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"


def logged_in(engine: str, port: int, password: bytes = b"correct horse", **more: Any) -> Session:
    module = engine_for(engine)
    assert module
    asked = Database(engine, NAME, port, tls=Tls("disable"), **more)
    stream = socket.create_connection(("127.0.0.1", port), 5)
    return module.login(module.prepare(stream, asked, 5, encrypt=False), lambda method: password, 5)


@pytest.fixture
def in_postgres(postgres: Any) -> Iterator[Session]:
    with closing(logged_in("postgresql", postgres.port, user="clear_only", name="app")) as session:
        yield session


@pytest.fixture
def in_mariadb(mysql: MySqlClient) -> Session:
    return mysql.login(mysql.database())


@pytest.fixture
def in_redis() -> Iterator[Session]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with running(Authority()) as port, closing(logged_in("redis", port)) as session:
        yield session


@pytest.mark.parametrize("engine", ["postgres", "mariadb", "redis"])
def test_the_answer_comes_later_and_the_session_goes_on(engine: str, request: pytest.FixtureRequest) -> None:
    session = request.getfixturevalue(f"in_{engine}")
    assert session.can_sleep
    session.sleep(0.3)
    with pytest.raises(DatabaseTrouble) as too_early:
        session.woken(0.05)
    assert too_early.value.trouble.reason is Reason.NO_ANSWER
    session.woken(5)
    assert session.ping(5) > 0


def test_a_sleep_that_the_server_cuts_short_is_told_from_a_lost_answer(postgres: Any) -> None:
    asked = {"user": "clear_only", "name": "app", "options": {"options": "-c statement_timeout=50"}}
    with closing(logged_in("postgresql", postgres.port, **asked)) as session:
        session.sleep(30)
        with pytest.raises(DatabaseTrouble) as cut:
            session.woken(5)
        assert cut.value.trouble.refusal
        assert cut.value.trouble.refusal.number == "57014"


def test_a_redis_user_who_may_not_read_is_told_so() -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with (
        running(Authority(), "user default on nopass +ping +info +client ~*") as port,
        closing(logged_in("redis", port)) as session,
    ):
        session.sleep(30)
        with pytest.raises(DatabaseTrouble) as cut:
            session.woken(5)
        assert cut.value.trouble.refusal


def test_sql_server_is_asked_to_wait(server: Callable[..., int]) -> None:
    there = Tds(tds.NOT_SUPPORTED)
    with closing(logged_in("sqlserver", server(there), user="app")) as session:
        session.sleep(3725.5)
        session.woken(5)
        assert "waitfor delay '01:02:05.500'" in there.seen["batch"].decode("utf-16-le")


def test_a_postgresql_whose_client_goes_does_not_sleep_on(postgres: Any) -> None:
    session = logged_in("postgresql", postgres.port, user="clear_only", name="app")
    assert session.tcp_keepalive == 7200
    session.sleep(60)
    _wait_for(lambda: postgres.sql(SLEEPING).strip() == "1")
    session.close()
    _wait_for(lambda: postgres.sql(SLEEPING).strip() == "0")


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
