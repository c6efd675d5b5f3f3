"""What every test of a check may use; see doubles.py for what the factories take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.checks.doubles import FakeContext, a_context, a_tunnel, examine
from tunneldoctor.model import Check, Outcome, Tunnel


@pytest.fixture
def make_tunnel() -> Callable[..., Tunnel]:
    """``make_tunnel("bastion.example.com", 22, connect_timeout=1.0)``: a tunnel through one bastion."""
    return a_tunnel


@pytest.fixture
def make_context() -> Iterator[Callable[..., FakeContext]]:
    """``make_context(check, tunnel, hop, {FACT: value})``: a context, closed when the test ends."""
    made: list[FakeContext] = []

    def make(*arguments: Any, **named: Any) -> FakeContext:
        made.append(a_context(*arguments, **named))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def run_check(make_context: Callable[..., FakeContext]) -> Callable[..., Outcome]:
    """``run_check(check, tunnel, hop, {FACT: value})``: its outcome, held against what the check declares."""

    def run(check: Check, *arguments: Any, **named: Any) -> Outcome:
        return examine(check, make_context(check, *arguments, **named))

    return run
