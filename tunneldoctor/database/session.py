"""A connection to a database on its way: prepared for a login, then logged in; and the engine that does it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from tunneldoctor.database.engine import SLEEPS, engine_for
from tunneldoctor.database.wire import Ended, Wire

if TYPE_CHECKING:
    from tunneldoctor.database.tls import Handshake
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

#: Gives the password for the method the server asks for (``scram-sha-256``, ``md5``, ``cleartext`` …).
#: Raises :class:`~tunneldoctor.database.trouble.Withheld` where it must not be sent.
Password = Callable[[str], bytes]

#: Seconds that saying goodbye may take.
_GOODBYE = 0.1
#: Seconds in which a question has to be on its way.
_ASKING = 5.0


class Engine(Protocol):
    """A kind of database. ``seconds`` bounds each step as a whole; every step raises DatabaseTrouble, and no other."""

    def prepare(self, stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
        """Speak first on *stream*, and put TLS on it where *encrypt* asks for that and the server has it."""

    def login(self, prepared: Prepared, password: Password, seconds: float) -> Session:
        """Log in and run one query. Lets ``Withheld`` and whatever else *password* raises through."""

    def ping(self, session: Session, seconds: float) -> float:
        """Milliseconds that one round trip takes on an idle session."""

    def listen(self, session: Session, seconds: float) -> None:
        """Wait for what nobody asked for: a message about the session's end raises DatabaseTrouble; silence returns."""

    def sleep(self, session: Session, after: float) -> None:
        """Ask the server to say nothing for *after* seconds and then to answer; only where the engine ``SLEEPS``."""

    def woken(self, session: Session, seconds: float) -> None:
        """Wait for the answer to ``sleep``; one that says anything else raises DatabaseTrouble with a refusal."""


@dataclass(slots=True)
class Prepared:
    """A server of the right kind answers on *wire*, encrypted as far as the client asks.

    ``tls`` is None on an unencrypted connection; ``offers_tls`` says whether the server has TLS, None where it was
    not asked. ``opening`` is what the engine has read already and its login goes on with. ``leave`` is what the server
    minds being left out where no login follows; None where it does not mind.
    """

    database: Database
    wire: Wire
    tls: Handshake | None = None
    offers_tls: bool | None = None
    opening: object = None
    leave: Callable[[], None] | None = None

    @property
    def engine(self) -> Engine:
        """The module that speaks to it."""
        return cast("Engine", engine_for(self.database.engine))

    @property
    def encrypted(self) -> bool:
        """Whether TLS is on."""
        return self.tls is not None

    def close(self) -> None:
        """Take leave where no login was tried; the wire is closed by whoever opened it. Harmless when repeated."""
        leave, self.leave = self.leave, None
        if leave:
            leave()


@dataclass(slots=True)
class Session:
    """Logged in. ``latency_ms`` is one round trip of a query.

    ``seen_as`` is the client's address as the database sees it; ``idle_timeout`` the seconds after which the server
    ends an idle session (0: never), ``tcp_keepalive`` those after which it sends TCP keepalives to a silent client
    (0: never); None where it does not say. ``settings`` are those that bear on unused connections, as the server
    spells them.
    """

    database: Database
    wire: Wire
    goodbye: bytes
    version: str
    latency_ms: float
    encryption: str | None = None
    seen_as: str | None = None
    read_only: str | None = None
    idle_timeout: float | None = None
    tcp_keepalive: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    _using: threading.Lock = field(default_factory=threading.Lock)

    @property
    def engine(self) -> Engine:
        """The module that speaks to it."""
        return cast("Engine", engine_for(self.database.engine))

    def ping(self, seconds: float) -> float:
        """Milliseconds of one round trip. Raises DatabaseTrouble."""
        with self._using:
            return self.engine.ping(self, seconds)

    def listen(self, seconds: float) -> None:
        """Wait without a word. Raises DatabaseTrouble when the session ends meanwhile."""
        with self._using:
            self.engine.listen(self, seconds)

    @property
    def can_sleep(self) -> bool:
        """Whether its server can be asked for an answer that comes later."""
        return self.database.engine in SLEEPS

    def sleep(self, after: float) -> None:
        """Have the server speak first, *after* seconds from now. Raises DatabaseTrouble."""
        with self._using:
            self.wire.within(_ASKING)
            self.engine.sleep(self, after)

    def woken(self, seconds: float) -> None:
        """Wait for what ``sleep`` asked for. Raises DatabaseTrouble, with a refusal where the server cut it short."""
        with self._using:
            self.wire.within(seconds)
            self.engine.woken(self, seconds)

    def close(self) -> None:
        """Say goodbye where nobody is in the middle of a sentence, and close; harmless when repeated."""
        if self._using.acquire(blocking=False):
            try:
                self.wire.within(_GOODBYE)
                with contextlib.suppress(Ended, OSError):  # gone already
                    self.wire.send(self.goodbye)
            finally:
                self._using.release()
        self.wire.close()
