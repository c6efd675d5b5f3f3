"""A configuration written by the test, and the tunnel that comes of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tunneldoctor.config import Configuration, load
from tunneldoctor.model import Problem, Tunnel

#: A tunnel that lacks nothing; tests leave out or replace what they are about.
COMPLETE: Mapping[str, str] = {
    "ssh_url": '"ssh://tunnel@bastion.example.com"',
    "private_key": '"~/.ssh/orders"',
    "remote_bind": '"db.internal:5432"',
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Configuration]:
    """``write(text)``: the configuration that *text* makes as ./tunneldoctor.toml; ``environ`` adds variables."""

    def write_and_load(text: str, **environ: str) -> Configuration:
        (tmp_path / "tunneldoctor.toml").write_text(text, encoding="utf-8")
        return load(None, {"HOME": str(tmp_path), **environ}, tmp_path)

    return write_and_load


@pytest.fixture
def tunnel(write: Callable[..., Configuration]) -> Callable[..., Tunnel]:
    """``tunnel(database='"…"', private_key=None)``: a complete tunnel with these keys replaced, or left out."""

    def build(overrides: Mapping[str, Any] | None = None, **keys: str | None) -> Tunnel:
        lines = {**COMPLETE, **keys}
        text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None)
        return write(f"[tunnels.orders]\n{text}").tunnel("orders", overrides or {})

    return build


@pytest.fixture
def only_problem() -> Callable[[Tunnel], Problem]:
    """The one problem of a tunnel."""

    def only(tunnel: Tunnel) -> Problem:
        (problem,) = tunnel.problems
        return problem

    return only


@pytest.fixture
def as_nobody() -> Callable[[Path], AbstractContextManager[None]]:
    """``with as_nobody(folder)``: an ordinary user's rights, with *folder* open to him (an ordinary user stays one)."""

    @contextmanager
    def drop(folder: Path) -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        temporary = Path(tempfile.gettempdir())
        for each in (folder, *(each for each in folder.parents if temporary in each.parents)):
            each.chmod(0o755)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return drop
