"""A real MariaDB for the session of tests, with the lab's accounts (fixtures/lab/mariadb.py) and TLS."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab.mariadb import MariaDb, find_server, start_mariadb
from fixtures.lab.network import NAMES_FROM_FILES
from fixtures.lab.ports import free_port
from fixtures.lab.postgres import PASSWORD
from fixtures.lab.process import Place
from fixtures.lab.session import Lab
from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.session import Prepared, Session
from tunneldoctor.database.trouble import DatabaseTrouble, Trouble
from tunneldoctor.model import Database, Tls

#: Never 127.0.0.1: MariaDB does not count its errors.
BASTION = "127.0.0.5"


@dataclass
class Servers:
    """Starts servers; ``authority`` is the file of who signed their certificates, ``pki`` makes more."""

    lab: Lab
    authority: Path
    place: Place
    numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def started(self, *settings: str, tls: bool = True) -> Iterator[MariaDb]:
        """A server with further *settings*, for a while."""
        server = start_mariadb(
            self.lab.mariadb_tables,
            self.lab.folder / f"server-{next(self.numbers)}",
            address="127.0.0.1",
            port=free_port(),
            pair=self.lab.pki.server("good", ["db.internal"]) if tls else None,
            authority=self.lab.pki.authority.certificate,
            settings=settings,
            place=self.place,
        )
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """They ask no name server for our address."""
    if find_server() is None:
        pytest.skip("MariaDB is not installed")
    with Lab() as lab:
        files = {"hosts": "127.0.0.1 localhost\n", "nsswitch.conf": NAMES_FROM_FILES}
        for name, text in files.items():
            (lab.folder / name).write_text(text)
        (lab.folder / "ca.pem").write_bytes(lab.pki.authority.certificate)
        place = Place(cover={f"/etc/{name}": str(lab.folder / name) for name in files})
        yield Servers(lab, lab.folder / "ca.pem", place)


@pytest.fixture(scope="session")
def mariadb(servers: Servers) -> Iterator[MariaDb]:
    with servers.started("max-connect-errors = 10") as server:
        yield server


class Client:
    """What a test asks of the engine; closes what it opened."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.port = port
        self.source = source
        self.opened: list[socket.socket] = []
        self.asked: list[str] = []

    def database(self, user: str = "app", name: str | None = "orders", mode: str = "require", **more: Any) -> Database:
        return Database("mariadb", "db.internal", self.port, user, name, tls=more.pop("tls", Tls(mode)), **more)

    def connect(self) -> socket.socket:
        stream = socket.create_connection(("127.0.0.1", self.port), 5, (self.source, 0))
        self.opened.append(stream)
        return stream

    def prepare(self, database: Database, seconds: float = 5) -> Prepared:
        engine = engine_for(database.engine)
        assert engine
        encrypt = database.tls.mode not in ("disable", "allow")
        return engine.prepare(self.connect(), database, seconds, encrypt=encrypt)

    def login(self, database: Database, password: str | Exception = PASSWORD, seconds: float = 5) -> Session:
        """Log in; a *password* that is an exception is withheld with it."""
        prepared = self.prepare(database, seconds)

        def give(method: str) -> bytes:
            self.asked.append(method)
            if isinstance(password, Exception):
                raise password
            return password.encode()

        return prepared.engine.login(prepared, give, seconds)

    def trouble(self, database: Database, password: str | Exception = PASSWORD, seconds: float = 5) -> Trouble:
        with pytest.raises(DatabaseTrouble) as caught:
            self.login(database, password, seconds)
        return caught.value.trouble

    def close(self) -> None:
        for stream in self.opened:
            stream.close()


@pytest.fixture
def mysql(mariadb: MariaDb) -> Iterator[Client]:
    made = Client(mariadb.port)
    yield made
    made.close()
