"""Scenarios, the pages that are followed in them, and what the pages' fields are filled with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fixtures.lab import client
from fixtures.scenario import load
from tests.checks.commands.advice import CATALOG
from tunneldoctor.catalog import tunnel_values
from tunneldoctor.cli.tunnels import named_tunnel

if TYPE_CHECKING:
    from fixtures.lab.stage import Stage
    from fixtures.scenario import Scenario
    from tunneldoctor.catalog import Page
    from tunneldoctor.model import Value

SCENARIOS = {scenario.name: scenario for scenario in load()}


def page_of(scenario: Scenario) -> Page:
    """The page of what is staged."""
    return CATALOG.page(scenario.expect.cause or str(scenario.expect.code))


def report_on(stage: Stage) -> dict[str, Any]:
    """What ``tunneldoctor check --json`` says."""
    report: dict[str, Any] = json.loads(stage.check_forked().stdout)
    return report


def values_of(stage: Stage, report: dict[str, Any]) -> dict[str, Value]:
    """What a page's fields are filled with: the tunnel's own values, and what the examination found."""
    tunnel = named_tunnel(str(stage.config), client.TUNNEL)
    found: dict[str, Any] = {}
    for check in report["checks"]:
        for finding in check["findings"]:
            found |= finding["params"]
    return {**tunnel_values(tunnel, "bastion", report["facts"]), **found}
