"""A client of one protocol on another's port: whoever answers is named.

PostgreSQL, MariaDB and Redis are real. SQL Server, MongoDB and Oracle can't run here: they are listeners that do to
strangers what the real ones do, by the sources that their functions cite.
"""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from fixtures.lab.fakes import http
from fixtures.lab.pki import Authority
from tests.checks.db.conftest import Examine, database, tunnel
from tests.database import tds_server as tds
from tests.database.redis_server import running
from tests.database.test_mongodb import ALONE
from tests.database.test_oracle import refuse
from tunneldoctor.model import Database, FindingReport, Report, Tls

#: More connections than one examination opens.
_MANY = 8
_PING = b"(COMMAND=ping)"


def drain(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def exactly(connection: socket.socket, count: int) -> bytes:
    held = b""
    while len(held) < count and (data := connection.recv(count - len(held))):
        held += data
    return held


def ssh(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n")
    connection.recv(65536)
    connection.sendall(b"Invalid SSH identification string.\r\n")


def sql_server(connection: socket.socket) -> None:
    """It hangs up on what begins no packet of a login (MS-TDS §2.2.3.1.1, §3.3.5.1)."""
    head = exactly(connection, 8)
    if head[:1] == b"\x12" and head[2:3] == b"\0":
        exactly(connection, int.from_bytes(head[2:4], "big") - 8)
        connection.sendall(tds.packet(tds.prelogin(tds.ON)))
        drain(connection)


def mongodb(connection: socket.socket) -> None:
    """It waits for a header, has a page for browsers, and hangs up on lengths that can't be (asio_session_impl.cpp)."""
    head = exactly(connection, 16)
    if head[:4] == b"GET ":
        words = b"It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n"
        connection.sendall(b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n" + words)
    elif 16 < int.from_bytes(head[:4], "little") < 48_000_000:
        connection.sendall(ALONE)
        drain(connection)


def oracle(connection: socket.socket) -> None:
    """Its listener hangs up on what is no CONNECT (packet-tns.c), and answers tnsping with a REFUSE of error 0."""
    head = exactly(connection, 8)
    if head[4:5] == b"\x01":
        words = exactly(connection, int.from_bytes(head[:2], "big") - 8)
        connection.sendall(refuse(0 if _PING in words else 12514))
        drain(connection)


@pytest.fixture(scope="module")
def redis() -> Iterator[int]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with running(Authority()) as port:
        yield port


@pytest.fixture
def tls_only(authority: Any) -> Callable[[socket.socket], None]:
    pair = authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.file, pair.key_file)

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            drain(inside)  # type: ignore[arg-type]

    return behave


def ended(behave: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """What *behave* does, and then the end of the stream."""

    def whole(connection: socket.socket) -> None:
        try:
            behave(connection)
        finally:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    return whole


STAGED = {"HTTP": http, "SSH": ssh, "SQL Server": sql_server, "MongoDB": mongodb, "Oracle": oracle}
CLIENTS = {
    "postgresql": ("prefer",),
    "mysql": ("prefer",),
    "sqlserver": ("prefer",),
    "redis": ("disable", "verify-full"),
    "mongodb": ("disable",),
    "oracle": ("disable",),
}
EVERYBODY = [(engine, mode) for engine, modes in CLIENTS.items() for mode in modes]
OWN = {"mysql": "MariaDB", "postgresql": "PostgreSQL", "redis": "Redis", "sqlserver": "SQL Server"}
OWN |= {"mongodb": "MongoDB", "oracle": "Oracle"}
SERVICES = ("PostgreSQL", "MariaDB", "Redis", *STAGED)
STRANGERS = [(engine, mode, service) for engine, mode in EVERYBODY for service in SERVICES if OWN[engine] != service]


@pytest.fixture
def port_of(request: pytest.FixtureRequest, server: Callable[..., int]) -> Callable[[str], int]:
    """Where a service of that name is to be found."""

    def find(service: str) -> int:
        if service in STAGED or service == "TLS":
            behave = STAGED.get(service) or request.getfixturevalue("tls_only")
            return server(*(ended(behave),) * _MANY)
        found = request.getfixturevalue({"PostgreSQL": "postgres", "MariaDB": "mariadb", "Redis": "redis"}[service])
        return int(getattr(found, "port", found))

    return find


def asked(engine: str, mode: str, port: int) -> Database:
    return replace(database(port, tls=Tls(mode)), engine=engine)


def worst(report: Report) -> FindingReport:
    (found,) = [each for check in report.checks for each in check.findings if each.code != "db.tls-off"]
    return found


@pytest.mark.parametrize(("engine", "mode", "service"), STRANGERS)
def test_whoever_answers_is_named(
    examine: Examine, port_of: Callable[[str], int], engine: str, mode: str, service: str
) -> None:
    found = worst(examine(tunnel(asked(engine, mode, port_of(service)), connect_timeout=1.2)))
    assert (found.code, found.params["service"]) == ("db.wrong-service", service)


@pytest.mark.parametrize(("engine", "mode"), EVERYBODY)
def test_a_port_of_tls_alone_is_named_as_far_as_it_is_not_the_engines_own(
    examine: Examine, port_of: Callable[[str], int], engine: str, mode: str
) -> None:
    found = worst(examine(tunnel(asked(engine, mode, port_of("TLS")), connect_timeout=1.2)))
    if engine in ("postgresql", "mysql"):
        assert (found.code, found.params["service"]) == ("db.wrong-service", "TLS from the first byte")
    elif mode == "verify-full":
        assert found.code == "db.no-answer"
    else:
        assert found.code == "db.tls-required"


def test_a_handshake_that_stalls_is_no_port_that_wants_tls(examine: Examine, server: Callable[..., int]) -> None:
    """It is asked a line of text too, and answers that with the alert that TLS has for it."""

    def alert(connection: socket.socket) -> None:
        if connection.recv(65536)[:1] != b"\x16":
            connection.sendall(b"\x15\x03\x03\0\x02\x02\x46")
        drain(connection)

    asked_for = asked("redis", "verify-full", server(*(alert,) * _MANY))
    assert worst(examine(tunnel(asked_for, connect_timeout=1.2))).code == "db.tls-stalled"
