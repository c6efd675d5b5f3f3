"""What is to be expected without a measurement: by names, by the database's settings, and what saves a connection."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.db.conftest import Bastion, Examine, codes, database, the_finding, tunnel
from tests.checks.doubles import a_context, a_tunnel, examine
from tunneldoctor.database.session import Session
from tunneldoctor.database.wire import Wire
from tunneldoctor.model import Address, Database, Finding, Provider
from tunneldoctor_checks.facts import CANONICAL_NAME, DB_SESSION
from tunneldoctor_checks.idle import outlook, settings

NLB, CLB = "x-1.elb.us-east-1.amazonaws.com", "x-1.us-east-1.elb.amazonaws.com"
AZURE = "vm.westeurope.cloudapp.azure.com"
PROXY = "orders.proxy-abc123.eu-central-1.rds.amazonaws.com"
ENDPOINT = "vpce-0a1b-2c3d.vpce-svc-0e4f.eu-central-1.vpce.amazonaws.com"


def on_the_way(host: str, *, alias: str = "", **more: Any) -> list[Finding]:
    facts = {CANONICAL_NAME: alias} if alias else {}
    return list(examine(outlook.CHECK, a_context(outlook.CHECK, a_tunnel(host, **more), facts=facts)).findings)


def behind(host: str, engine: str = "postgresql", *, hold: float = 3600.0, **known: Any) -> list[Finding]:
    """What is expected of a database called *host*; *known* is what its session tells."""
    asked = Database(engine, host, 5432, "app")
    where = a_tunnel(remote=Address(host, 5432), database=asked, idle_hold=hold, keepalive=30.0)
    facts = {}
    if known:
        session = Session(asked, Wire(None, 0), b"", "15.4", 1.0, **known)  # type: ignore[arg-type] - nothing is said on it
        facts = {DB_SESSION: session}
    return list(examine(settings.CHECK, a_context(settings.CHECK, where, facts=facts)).findings)


@pytest.mark.parametrize(
    ("host", "hold", "keepalive", "seconds"),
    [
        (NLB, 600.0, 0.0, 350),
        (NLB, 600.0, 400.0, 350),
        (NLB.upper() + ".", 600.0, 0.0, 350),
        (CLB, 600.0, 0.0, 60),
        ("x-1.cn-north-1.elb.amazonaws.com.cn", 600.0, 0.0, 60),
        (AZURE, 600.0, 0.0, 240),
        ("a1b2.awsglobalaccelerator.com", 600.0, 0.0, 340),
    ],
)
def test_a_box_that_the_bastions_name_gives_away_is_expected_to_cut(
    host: str, hold: float, keepalive: float, seconds: int
) -> None:
    (found,) = on_the_way(host, idle_hold=hold, keepalive=keepalive)
    assert (found.code, found.params["seconds"]) == ("idle.cutoff-expected", seconds)
    assert found.params["leg"] == "between here and the bastion"


@pytest.mark.parametrize(
    ("host", "hold", "keepalive"),
    [
        (NLB, 600.0, 30.0),  # the keepalive saves it
        (CLB, 600.0, 30.0),  # there too: what SSH sends is data
        (NLB, 300.0, 0.0),  # nothing has to last so long
        ("bastion.example.com", 86400.0, 0.0),
        ("ec2-203-0-113-7.eu-central-1.compute.amazonaws.com", 86400.0, 0.0),
        ("elb.amazonaws.com.example.com", 86400.0, 0.0),
    ],
)
def test_nothing_is_expected_where_nothing_is_known_or_the_keepalive_saves_it(
    host: str, hold: float, keepalive: float
) -> None:
    assert on_the_way(host, idle_hold=hold, keepalive=keepalive) == []


@pytest.mark.parametrize("provider", list(Provider))
def test_a_provider_alone_is_no_sign_of_a_cut(provider: Provider) -> None:
    assert on_the_way("bastion.example.com", idle_hold=86400.0, provider=provider) == []


def test_what_the_bastions_name_is_an_alias_of_counts_too() -> None:
    (found,) = on_the_way("bastion.example.com", alias=NLB, idle_hold=600.0)
    assert found.params["where"] == "bastion.example.com"
    assert NLB in found.evidence[0].text


def test_without_a_wish_nothing_is_expected(examine: Examine) -> None:
    assert codes(examine(tunnel(None, bastion_host=NLB), bastion=Bastion(1))) == []


def test_a_warning_is_all_that_it_is(examine: Examine) -> None:
    assert examine(tunnel(None, bastion_host=NLB, idle_hold=600.0), bastion=Bastion(1)).verdict == "degraded"


@pytest.mark.parametrize(
    ("host", "known", "seconds"),
    [
        (NLB, {"tcp_keepalive": 7200.0}, 350),
        (NLB, {"tcp_keepalive": 400.0}, 350),
        (NLB, {}, 350),
        (ENDPOINT, {"tcp_keepalive": 7200.0}, 350),
        (CLB, {"tcp_keepalive": 30.0}, 60),  # bare TCP keepalives do not count there
        (PROXY, {"tcp_keepalive": 30.0}, 1800),  # only a query does
    ],
)
def test_a_box_in_front_of_the_database_cuts_whatever_keepalive_ssh_has(
    host: str, known: dict[str, Any], seconds: int
) -> None:
    (found,) = behind(host, **known)
    assert (found.code, found.params["seconds"]) == ("idle.cutoff-expected", seconds)
    assert found.params["leg"] == "between the bastion and the database"


@pytest.mark.parametrize(
    ("host", "engine", "known"),
    [
        (NLB, "postgresql", {"tcp_keepalive": 300.0}),  # RDS has it so
        (NLB, "sqlserver", {"tcp_keepalive": 30.0}),
        (NLB, "redis", {"tcp_keepalive": None, "version": "7"}),
        ("orders.abc.eu-central-1.rds.amazonaws.com", "postgresql", {"tcp_keepalive": 7200.0}),
        ("orders.database.windows.net", "sqlserver", {"tcp_keepalive": 30.0}),
    ],
)
def test_the_databases_own_tcp_keepalives_save_a_session_from_most_boxes(
    host: str, engine: str, known: dict[str, Any]
) -> None:
    known.pop("version", None)
    assert behind(host, engine, **known) == []


@pytest.mark.parametrize(("engine", "setting"), [("mariadb", "wait_timeout"), ("redis", "timeout")])
def test_the_databases_own_limit_is_named_as_the_database_names_it(engine: str, setting: str) -> None:
    (found,) = behind("db.internal", engine, idle_timeout=60.0)
    assert found.params["what"] == f"the database's {setting}"
    assert found.params["suggested"] == 20


def test_a_limit_that_a_real_database_sets_for_the_user_is_expected_to_cut(postgres: Any, examine: Examine) -> None:
    report = examine(tunnel(database(postgres.port, "sleepy"), idle_hold=600.0, keepalive=30.0))
    assert codes(report) == ["idle.cutoff-expected"]
    assert "only a query counts" in the_finding(report).summary
    assert codes(examine(tunnel(database(postgres.port), idle_hold=600.0))) == []
