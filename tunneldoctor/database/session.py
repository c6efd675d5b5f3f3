"""A connection to a database on its way: prepared for a login, then logged in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunneldoctor.database.trouble import LoginRefusal, Trouble

if TYPE_CHECKING:
    from tunneldoctor.database.engine import Engine
    from tunneldoctor.database.tls import Handshake
    from tunneldoctor.database.wire import Wire
    from tunneldoctor.model import Database

__all__ = ["LoginRefusal", "Prepared", "Session", "Trouble"]

#: Seconds that saying goodbye may take.
_GOODBYE = 0.1


@dataclass(slots=True)
class Prepared:
    """A server of the right kind answers on *wire*, encrypted as far as the client asks.

    ``tls`` is None on an unencrypted connection; ``offers_tls`` says whether the server has TLS, None where it was
    not asked. ``opening`` is what the engine has read already and its login goes on with.
    """

    engine: Engine
    database: Database
    wire: Wire
    tls: Handshake | None = None
    offers_tls: bool | None = None
    version: str = ""
    opening: object = None

    @property
    def encrypted(self) -> bool:
        """Whether TLS is on."""
        return self.tls is not None


@dataclass(slots=True)
class Session:
    """Logged in. ``parameters`` are what the server announced, ``latency_ms`` is one round trip of a query.

    ``seen_as`` is the client's address as the database sees it; ``idle_timeout`` the seconds after which the server
    ends an idle session (0: never), None where it does not say.
    """

    engine: Engine
    database: Database
    wire: Wire
    goodbye: bytes
    version: str
    latency_ms: float
    encryption: str | None = None
    seen_as: str | None = None
    read_only: str | None = None
    idle_timeout: float | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    _using: threading.Lock = field(default_factory=threading.Lock)

    def ping(self, seconds: float) -> float:
        """Milliseconds of one round trip. Raises DatabaseTrouble."""
        with self._using:
            return self.engine.ping(self, seconds)

    def listen(self, seconds: float) -> None:
        """Wait without a word. Raises DatabaseTrouble when the session ends meanwhile."""
        with self._using:
            self.engine.listen(self, seconds)

    def close(self) -> None:
        """Say goodbye where nobody is in the middle of a sentence, and close; harmless when repeated."""
        if self._using.acquire(blocking=False):
            try:
                self.wire.within(_GOODBYE)
                _politely(lambda: self.wire.send(self.goodbye))
            finally:
                self._using.release()
        self.wire.close()


def _politely(say: Callable[[], None]) -> None:
    from tunneldoctor.database.wire import Ended

    try:
        say()
    except (Ended, OSError):
        return  # gone already
