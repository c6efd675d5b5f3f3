"""Which module speaks to which kind of database. Each is of one shape, and loaded when it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tunneldoctor.database.session import Engine

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
#: Engines that answer a client which names no user.
NAMELESS = frozenset({"redis", "mongodb", "oracle"})


def engine_for(name: str) -> Engine | None:
    """The module that speaks engine *name*'s protocol, or None for ``tcp``."""
    module = _MODULES.get(name)
    return cast("Engine", import_module(f"tunneldoctor.database.{module}")) if module else None
