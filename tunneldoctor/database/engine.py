"""Which module speaks to which kind of database. Each is of one shape, and loaded when it is needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tunneldoctor.database.session import Engine

_MODULES = {"postgresql": "postgresql"}


def engine_for(name: str) -> Engine | None:
    """The module that speaks engine *name*'s protocol, or None where there is none yet."""
    module = _MODULES.get(name)
    return cast("Engine", import_module(f"tunneldoctor.database.{module}")) if module else None
