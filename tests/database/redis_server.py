"""A real Redis for a test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.lab.pki import Authority
from fixtures.lab.ports import free_port
from fixtures.lab.redis import start_redis

NAME = "db.internal.example"


@contextmanager
def running(
    authority: Authority, *settings: str, tls: bool = False, nodes: tuple[str, ...] = (), dump: bytes = b""
) -> Iterator[int]:
    """A Redis of its own; gives its port."""
    port = free_port()
    pair = authority.issue([NAME]) if tls else None
    with tempfile.TemporaryDirectory(prefix="tunneldoctor-redis-") as folder:
        server = start_redis(
            Path(folder), address="127.0.0.1", port=port, pair=pair, authority=authority.certificate,
            settings=settings, nodes=nodes, dump=dump,
        )  # fmt: skip
        try:
            yield port
        finally:
            server.stop()
