"""tcp.survey: two addresses of which one is dead, in network namespaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.checks.tcp.conftest import OPEN
from tests.net.namespaces import Lab, usable
from tunneldoctor.model import Address
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT
from tunneldoctor_checks.tcp.survey import CHECK


def survey(lab: Lab, *addresses: str, seconds: float = 2.0) -> Any:
    return lab.probe(
        "tests/checks/driver.py",
        check="tcp.survey",
        before=["tcp.connect"],
        host="bastion.example.com",
        port=OPEN,
        addresses=addresses,
        seconds=seconds,
    )


def test_one_address_needs_no_survey_and_no_connection(make_context: Callable[..., Any]) -> None:
    context = make_context(CHECK, facts={ENDPOINT: Address("127.0.0.1", 22), ADDRESSES: ("127.0.0.1",)})
    assert CHECK.run(context).skipped
    assert context.budget.spent == []


@pytest.mark.lab
@usable
class TestSeveralAddresses:
    def test_a_dead_one_is_named_beside_the_living(self, lab: Lab) -> None:
        seen = survey(lab, "203.0.113.2", "203.0.113.4")
        assert seen["codes"] == ["tcp.some-addresses-dead"]
        assert seen["params"][0]["dead"] == "203.0.113.4"
        assert seen["params"][0]["alive"] == "203.0.113.2"
        assert seen["spent"] == [["bare", "bastion"]]

    def test_all_alive_is_healthy(self, lab: Lab) -> None:
        seen = survey(lab, "203.0.113.2", "203.0.113.3", "2001:db8:2::2")
        assert seen["codes"] == []
        assert len(seen["spent"]) == 2

    def test_a_family_that_this_machine_has_no_route_for_is_not_dead(self, lab: Lab) -> None:
        lab.ip(lab.client, "-6 route add unreachable 2001:db8:77::/48")
        assert survey(lab, "203.0.113.2", "2001:db8:77::1")["codes"] == []

    def test_at_most_three_further_addresses_are_tried(self, lab: Lab) -> None:
        seen = survey(lab, "203.0.113.2", *(f"203.0.113.{last}" for last in range(30, 40)))
        assert len(seen["spent"]) == 3
