"""The probe of TLS and the login, beside a driver's own connect through the same forward; connections that it costs.

libpq is called in this process (ctypes) and PyMySQL is Python, so that neither side pays for the start of a program.
PyMySQL, which is done before the first query, asks one as we do.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import shutil
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pymysql

from benchmarks.figures import Figure, median, spread
from benchmarks.scene import HEALTHY, far, near
from fixtures.lab import client, postgres
from fixtures.lab.mariadb import find_server
from fixtures.lab.ports import free_port
from fixtures.lab.process import Server
from fixtures.scenario import DatabaseSide
from tunneldoctor.config import load
from tunneldoctor.database.engine import engine_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.scene import Scene
    from fixtures.lab.session import Lab
    from tunneldoctor.model import Database

    #: Makes what connects once through a local port, as a driver does.
    Driver = Callable[[Scene, int], Callable[[], None]]

#: The stock MariaDB, its certificate verified in full.
MARIADB = replace(
    HEALTHY,
    database=DatabaseSide(server="mariadb"),
    tunnel={**HEALTHY.tunnel, "database": f"mariadb://{postgres.USER}@db.internal:{{db_port}}/{postgres.DATABASE}"
            "?ssl-mode=VERIFY_IDENTITY&ssl-ca={folder}/ca.pem"},
)  # fmt: skip
_SECONDS = 10.0
_OK = 0  # libpq-fe.h, CONNECTION_OK


def measure(lab: Lab, pairs: int) -> list[Figure]:
    """Both ways in turn, *pairs* times, near and 40 ms away. Without ssh or a driver: only the connections."""
    with near(lab) as scene:
        figures = [_connections(scene)]
        if shutil.which("ssh") and ctypes.util.find_library("pq"):
            figures += _ratio(scene, pairs, "libpq", _libpq, "on loopback")
    if len(figures) > 1:
        with far(lab) as scene:
            figures += _ratio(scene, pairs, "libpq", _libpq, "40 ms away")
    return figures + (_mariadb(lab, pairs) if shutil.which("ssh") and find_server() else [])


def _mariadb(lab: Lab, pairs: int) -> list[Figure]:
    with near(lab, MARIADB) as scene:
        figures = _ratio(scene, pairs, "PyMySQL", _pymysql, "on loopback")
    with far(lab, MARIADB) as scene:
        return figures + _ratio(scene, pairs, "PyMySQL", _pymysql, "40 ms away")


def _connections(scene: Scene) -> Figure:
    """What PostgreSQL logs of one ``check`` (log_connections)."""
    log = scene.stage.lab.stock_database.server.lines
    before = sum("connection received" in line for line in log)
    scene.stage.check()
    count = sum("connection received" in line for line in log) - before
    return Figure("connections to a healthy database", count, "connections", 2, "log_connections")


def _ratio(scene: Scene, pairs: int, name: str, connect: Driver, where: str) -> list[Figure]:
    with _forward(scene) as port:
        own, driver = _our_login(scene, port), connect(scene, port)
        mine: list[float] = []
        theirs: list[float] = []
        for arm in (own, driver):  # once for the imports and the caches
            _timed(arm)
        for number in range(pairs):
            for taken, arm in ((mine, own), (theirs, driver)) if number % 2 else ((theirs, driver), (mine, own)):
                taken.append(_timed(arm))
    ratios = [ours / others for ours, others in zip(mine, theirs, strict=True)]
    detail = f"median of {pairs} pairs; ours {spread(mine)}, {name} {spread(theirs)}"
    return [Figure(f"TLS and login beside {name}'s connect, {where}", median(ratios), "x", 1.3, detail)]


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


@contextlib.contextmanager
def _forward(scene: Scene) -> Iterator[int]:
    """A local port that OpenSSH forwards to the database."""
    words, port = scene.stage.words, free_port()
    options = ["-N", "-v", "-F", "none", "-i", str(words["private_key"]), "-o", "IdentitiesOnly=yes"]
    options += ["-o", f"UserKnownHostsFile={scene.stage.folder / 'known_hosts'}", "-p", str(scene.port)]
    target = f"127.0.0.1:{port}:db.internal:{words['db_port']}"
    ssh = Server(["ssh", *options, "-L", target, f"{words['user']}@{words['bastion_host']}"], scene.stage.client)
    try:
        ssh.wait_for("Entering interactive session|pledge: ")
        yield port
    finally:
        ssh.stop()


def _database(scene: Scene) -> Database:
    found = load(scene.stage.config, scene.stage.env, scene.stage.folder).tunnel(client.TUNNEL, {}).database
    assert found
    return found


def _stream(port: int) -> socket.socket:
    """A connection to the forward, as every driver makes one."""
    stream = socket.create_connection(("127.0.0.1", port), _SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def _our_login(scene: Scene, port: int) -> Callable[[], None]:
    database = _database(scene)
    engine = engine_for(database.engine)
    assert engine

    def log_in() -> None:
        prepared = engine.prepare(_stream(port), database, _SECONDS, encrypt=True)
        engine.login(prepared, lambda _: postgres.PASSWORD.encode(), _SECONDS).close()

    return log_in


def _pymysql(scene: Scene, port: int) -> Callable[[], None]:
    def connect() -> None:
        connection = pymysql.Connection(
            host="db.internal", user=postgres.USER, password=postgres.PASSWORD, database=postgres.DATABASE,
            ssl_ca=str(scene.stage.folder / "ca.pem"), ssl_verify_cert=True, ssl_verify_identity=True,
            defer_connect=True,
        )  # fmt: skip
        connection.connect(_stream(port))
        connection.query("SELECT 1")
        connection.close()

    return connect


def _libpq(scene: Scene, port: int) -> Callable[[], None]:
    library = ctypes.CDLL(ctypes.util.find_library("pq"))
    library.PQconnectdb.restype = ctypes.c_void_p
    library.PQstatus.argtypes = library.PQfinish.argtypes = [ctypes.c_void_p]
    words = (
        f"host=db.internal hostaddr=127.0.0.1 port={port} user={postgres.USER} dbname={postgres.DATABASE} "
        f"password={postgres.PASSWORD} sslmode=verify-full sslrootcert={scene.stage.folder / 'ca.pem'} "
        "gssencmode=disable"
    )

    def connect() -> None:
        connection = library.PQconnectdb(words.encode())
        status = library.PQstatus(connection)
        library.PQfinish(connection)
        if status != _OK:
            raise OSError("libpq could not connect")

    return connect
