"""Which module speaks to which kind of database. Each is of one shape, and loaded when it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tunneldoctor.database.session import Engine
    from tunneldoctor.model import Database

_MODULES = {
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlserver": "sqlserver",
    "redis": "redis",
    "mongodb": "mongodb",
    "oracle": "oracle",
}
#: Engines whose port speaks TLS from the first byte or not at all; the others are asked for it in clear.
TLS_FROM_THE_FIRST_BYTE = frozenset({"redis", "mongodb", "oracle"})
#: Engines whose server speaks first. To them a connection without a login is an error that they count.
SPEAKS_FIRST = frozenset({"mysql", "mariadb"})
#: Engines that can be asked for an answer that comes later (``sleep`` and ``woken``).
SLEEPS = frozenset({"postgresql", "mysql", "mariadb", "sqlserver", "redis"})
#: Engines that answer a client which names no user.
NAMELESS = frozenset({"redis", "mongodb", "oracle"})

#: The option by which clients of the others have TLS from the first byte (PostgreSQL 17, TDS 8).
_BEGINS_WITH_TLS = {"postgresql": ("sslnegotiation", "direct"), "sqlserver": ("encrypt", "strict")}


def engine_for(name: str) -> Engine | None:
    """The module that speaks engine *name*'s protocol, or None for ``tcp``."""
    module = _MODULES.get(name)
    return cast("Engine", import_module(f"tunneldoctor.database.{module}")) if module else None


def begins_with_tls(database: Database) -> bool:
    """Whether the client's first words are TLS and not the protocol's own."""
    if database.tls.mode in ("disable", "allow"):
        return False
    options = {name.lower(): value.lower() for name, value in database.options.items()}
    name, value = _BEGINS_WITH_TLS.get(database.engine, ("", ""))
    return database.engine in TLS_FROM_THE_FIRST_BYTE or (bool(name) and options.get(name) == value)
