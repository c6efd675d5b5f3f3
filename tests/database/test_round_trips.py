"""How often a healthy login waits for the server: over a slow tunnel that is all it costs."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

from tunneldoctor.database.engine import engine_for
from tunneldoctor.model import Database, Tls

#: By hand: SSLRequest, TLS 1.3 (2: PostgreSQL before 18 takes P-256 alone and asks for another hello), startup message,
#: SCRAM (2), query.
BY_HAND = 7


class Counting:
    """Counts how often it has to wait for an answer to something that was sent."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.turns = 0
        self._spoke = False

    def recv(self, size: int, /) -> bytes:
        self.turns += self._spoke
        self._spoke = False
        return self.stream.recv(size)

    def sendall(self, data: bytes, /) -> None:
        self._spoke = True
        self.stream.sendall(data)

    def settimeout(self, seconds: float | None, /) -> None:
        self.stream.settimeout(seconds)

    def close(self) -> None:
        self.stream.close()


def test_a_login_waits_no_more_often_than_it_has_to(postgres: Any) -> None:
    engine = engine_for("postgresql")
    assert engine
    asked = Database("postgresql", "db.internal.example", postgres.port, "app", "app", tls=Tls("require"))
    with closing(Counting(socket.create_connection(("127.0.0.1", postgres.port), 5))) as counting:
        prepared = engine.prepare(counting, asked, 5, encrypt=True)
        engine.login(prepared, lambda method: b"correct horse", 5)
        assert counting.turns <= BY_HAND
