"""Tunnels with problems, as the configuration would note them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tunneldoctor.model import Origin, Problem, Severity


@pytest.fixture
def problem() -> Callable[..., Problem]:
    """``problem(code, hop, key, part="host")``: a problem at tunneldoctor.toml:3."""

    def make(
        code: str, hop: str = "bastion", key: str = "ssh_url", severity: Severity | None = None, **params: str
    ) -> Problem:
        return Problem(code, hop, key, Origin("tunneldoctor.toml:3"), params, severity)

    return make
