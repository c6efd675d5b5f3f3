"""One lab a session; every test here needs real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.lab.session import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with Lab() as session:
        yield session
