"""What one kind of database must be able to do. Each engine is a module of this shape, loaded when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from tunneldoctor.database.session import Prepared, Session
    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream

#: Gives the password for the method the server asks for (``scram-sha-256``, ``md5``, ``cleartext`` …).
#: Raises :class:`~tunneldoctor.database.trouble.Withheld` where it must not be sent.
Password = Callable[[str], bytes]

_MODULES = {"postgresql": "postgresql"}


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


def engine_for(name: str) -> Engine | None:
    """The module that speaks engine *name*'s protocol, or None where there is none yet."""
    module = _MODULES.get(name)
    return cast("Engine", import_module(f"tunneldoctor.database.{module}")) if module else None
