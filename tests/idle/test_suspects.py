"""Which box it probably is: by the time, how connections die, what restarts the timer, and the host's name."""

from __future__ import annotations

from typing import Any

import pytest

from tunneldoctor.idle.flow import How
from tunneldoctor.idle.suspects import BOXES, behind, in_words, keepalive_for, suspects
from tunneldoctor.model import Provider

NLB = "x-1.elb.us-east-1.amazonaws.com"


def first(lower: float, upper: float, how: How, **seen: Any) -> str:
    return suspects(lower, upper, how, **seen)[0].box.name


@pytest.mark.parametrize(
    ("bounds", "how", "seen", "name"),
    [
        ((340, 360), How.RESET, {"names": [NLB]}, "an AWS Network Load Balancer"),
        ((340, 360), How.RESET, {"provider": Provider.AWS}, "an AWS Network Load Balancer"),
        ((235, 245), How.RESET, {"names": [NLB]}, "an AWS Network Load Balancer"),
        ((58, 62), How.CLOSED, {"tcp_keepalive": False, "provider": Provider.AWS}, "an AWS Classic Load Balancer"),
        ((58, 62), How.CLOSED, {"tcp_keepalive": False}, "an AWS Classic Load Balancer"),
        ((235, 245), How.CLOSED, {"tcp_keepalive": True}, "an Azure load balancer or public address"),
        ((290, 310), How.SILENT, {"provider": Provider.AZURE}, "Azure Firewall, between networks"),
        ((580, 610), How.SILENT, {"server_first_alone": True}, "Google's VPC firewall"),
        ((1190, 1210), How.SILENT, {"provider": Provider.GCP}, "Google Cloud NAT"),
        ((3500, 3610), How.SILENT, {}, "a firewall (FortiGate, Cisco ASA, Palo Alto, Check Point)"),
        ((1750, 1810), How.CLOSED, {"names": ["o.proxy-abc.eu-central-1.rds.amazonaws.com"]}, "RDS Proxy"),
        ((2.5, 3.1), How.SILENT, {}, "a stateful filter or NAT of Linux"),
    ],
)  # fmt: skip
def test_the_likeliest_comes_first(bounds: tuple[float, float], how: How, seen: dict[str, Any], name: str) -> None:
    assert first(*bounds, how, **seen) == name


def names(*bounds: float, how: How, **seen: Any) -> set[str]:
    lower, upper = bounds
    return {each.box.name for each in suspects(lower, upper, how, **seen)}


def test_who_does_not_count_bare_keepalives_is_out_where_they_helped() -> None:
    assert "an AWS Classic Load Balancer" in names(58, 62, how=How.CLOSED)
    assert "an AWS Classic Load Balancer" not in names(58, 62, how=How.CLOSED, tcp_keepalive=True)


def test_who_lets_a_client_back_in_is_out_where_the_client_spoke_and_was_lost() -> None:
    assert "Google's VPC firewall" in names(580, 610, how=How.SILENT)
    assert "Google's VPC firewall" not in names(580, 610, how=How.SILENT, server_first_alone=False)


def test_nobody_is_left_where_what_is_in_use_goes_as_well() -> None:
    assert names(340, 360, how=How.RESET, payload=False) == set()


def test_a_box_of_the_name_may_have_been_set_to_another_limit() -> None:
    (likely, *_) = suspects(110, 125, How.RESET, names=[NLB])
    assert (likely.box.name, likely.because[:2]) == (
        "an AWS Network Load Balancer",
        (f"{NLB} is its name", "it can be set to 60 to 6000 s"),
    )


def test_there_may_be_nobody_known() -> None:
    assert (
        in_words(suspects(700, 720, How.CLOSED, tcp_keepalive=True))
        == "any proxy, firewall or load balancer that somebody set so"
    )


@pytest.mark.parametrize(("cutoff", "every"), [(350.0, 60), (60.0, 20), (3.0, 1), (1.0, 1), (100000.0, 60)])
def test_keepalives_come_three_times_before_the_limit_and_once_a_minute_at_least(cutoff: float, every: int) -> None:
    assert keepalive_for(cutoff) == every


@pytest.mark.parametrize(
    "host", ["db.internal", "elb.example.com", "x.database.windows.net", "vm.cloudapp.net.example"]
)
def test_a_name_that_says_nothing_certain_is_no_box(host: str) -> None:
    assert behind(host) is None


def test_limits_are_within_what_they_can_be_set_to() -> None:
    for box in BOXES:
        assert box.how
        assert not box.longest or box.longest > box.seconds
        if box.most:
            assert box.least <= box.seconds <= box.most
