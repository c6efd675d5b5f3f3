"""A logged-in connection left alone: a real PostgreSQL, and servers that end connections as boxes on the way do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.checks.db.conftest import Bastion, Examine, codes, database, status, the_finding, tunnel
from tunneldoctor.model import FindingReport, Policy, Report, Tls

LOGGED_IN = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"
ANSWER = b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"


def hold(examine: Examine, asked: Any, seconds: float = 0.6, **more: Any) -> Report:
    return examine(asked, policy=Policy(idle=seconds), **more)


def idle(report: Report) -> FindingReport:
    (found,) = [each for check in report.checks if check.layer == "idle" for each in check.findings]
    return found


def serving(after: Callable[[socket.socket], object]) -> Callable[[socket.socket], object]:
    """Log anybody in, answer one query, then do *after*."""

    def behave(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(LOGGED_IN)
        connection.recv(1000)
        connection.sendall(ANSWER)
        after(connection)

    return behave


def test_nothing_is_held_unless_asked_for(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port)))
    assert status(report, "idle.hold") == "skipped"


def test_a_pause_that_is_survived_without_keepalive_is_worth_a_word_only(postgres: Any, examine: Examine) -> None:
    report = hold(examine, tunnel(database(postgres.port)))
    assert the_finding(report).code == "idle.keepalive-missing"
    assert report.verdict == "healthy"


def test_a_pause_that_is_survived_with_keepalive_is_worth_none(postgres: Any, examine: Examine) -> None:
    report = hold(examine, tunnel(database(postgres.port), keepalive=0.2))
    assert codes(report) == []


def test_the_databases_own_limit_names_itself(postgres: Any, examine: Examine) -> None:
    found = the_finding(hold(examine, tunnel(database(postgres.port, "sleepy")), 2.0))
    assert (found.code, found.symptom) == ("idle.database-timeout", "idle.closed")


def test_an_administrator_is_no_idle_limit(postgres: Any, examine: Examine) -> None:
    import threading

    ended = threading.Timer(
        0.5, postgres.sql, ["select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'"]
    )
    ended.start()
    found = the_finding(hold(examine, tunnel(database(postgres.port)), 3.0))
    ended.join()
    assert found.code == "idle.not-idle"


def test_a_close_without_a_word_leaves_the_channel_the_database_and_a_box(
    server: Callable[..., int], examine: Examine
) -> None:
    port = server(serving(lambda connection: connection.close()))
    found = idle(hold(examine, tunnel(database(port, tls=Tls("disable")))))
    assert found.code == "idle.closed"
    assert set(found.causes) == {"idle.middlebox", "idle.channel-timeout", "idle.database-timeout"}


def test_silence_after_the_pause_on_a_living_ssh_connection_is_a_box_behind_the_bastion(
    server: Callable[..., int], examine: Examine
) -> None:
    port = server(serving(lambda connection: [connection.recv(1000) for _ in range(2)]))
    asked = replace(tunnel(database(port, tls=Tls("disable"))), connect_timeout=1.0)
    found = idle(hold(examine, asked))
    assert (found.code, found.symptom) == ("idle.middlebox", "idle.dropped-silently")
    assert found.params["leg"] == "between the bastion and the database"


def test_a_reset_at_the_first_use_is_told_from_a_close(server: Callable[..., int], examine: Examine) -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.close()

    found = idle(hold(examine, tunnel(database(server(serving(reset)), tls=Tls("disable")))))
    assert (found.code, found.symptom) == ("idle.middlebox", "idle.dropped-with-reset")


def test_without_a_database_the_ssh_connection_is_held(examine: Examine) -> None:
    report = hold(examine, tunnel(None), bastion=Bastion(1))
    assert status(report, "idle.hold") == "skipped"
    assert the_finding(report).code == "idle.keepalive-missing"


def test_an_ssh_connection_that_ends_by_itself_leaves_the_server_and_a_box(examine: Examine) -> None:
    bastion = Bastion(1)
    bastion.is_active = False
    found = the_finding(hold(examine, tunnel(None), bastion=bastion))
    assert found.code == "idle.closed"
    assert found.causes == ("idle.middlebox", "idle.ssh-server-timeout")
