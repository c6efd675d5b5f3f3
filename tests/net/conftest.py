"""What the tests of the network share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.net.nameserver import ScriptedNameServer


@pytest.fixture
def name_server() -> Iterator[Callable[..., ScriptedNameServer]]:
    """``name_server({("bastion.example.com.", "A"): ["A 203.0.113.2"]})``; closed when the test ends."""
    servers: list[ScriptedNameServer] = []

    def make(script: Any, *where: Any) -> ScriptedNameServer:
        servers.append(ScriptedNameServer(script, *where))
        return servers[-1]

    yield make
    for server in servers:
        server.close()
