"""db.look in the lab: a real sshd with an admin account, openssl there, and servers that differ behind one name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.lab import fakes, tls_relay
from fixtures.lab.session import Lab, why_not
from fixtures.lab.stage import staged
from fixtures.scenario import AccountSide, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.lab.stage import Stage
    from fixtures.scenario import Scenario

pytestmark = [pytest.mark.lab, pytest.mark.skipif(why_not(True) is not None, reason=str(why_not(True)))]

SCENARIOS = {each.name: each for each in load()}
#: An address of this machine beside that of the database.
OTHER = "127.0.0.2"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as session:
        yield session


def with_admin(name: str) -> Scenario:
    return replace(SCENARIOS[name], admin=AccountSide())


def behind_one_name(scenario: Scenario, lab: Lab, certificate: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The report where the database's name has a second address, whose server presents *certificate*."""
    with staged(scenario, lab) as stage:
        with (stage.folder / "hosts").open("a") as hosts:
            hosts.write(f"{OTHER} db.internal\n")
        folder = stage.folder / "beside"
        folder.mkdir()
        relay = tls_relay.relay(folder, lab.pki.server(certificate, names), lab.stock_database.port)
        stage.undo.callback(fakes.Fake(relay, OTHER, stage.words["db_port"]).stop)
        report: dict[str, Any] = json.loads(stage.check_forked().stdout)
        return report


@pytest.mark.parametrize(
    ("scenario", "certificate", "fault"),
    [
        ("db-certificate-expired", "good", "db.tls-expired"),
        ("db-certificate-not-yet-valid", "good", "db.tls-not-yet-valid"),
        ("db-certificate-for-another-name", "good", "db.tls-name-mismatch"),
        ("db-hangs-up", "good", "db.closed-without-answer"),
    ],
)
def test_one_server_of_several_that_is_at_fault_is_named(scenario: str, certificate: str, fault: str, lab: Lab) -> None:
    report = behind_one_name(with_admin(scenario), lab, certificate, ("db.internal",))
    diagnosis = report["diagnosis"]
    assert (diagnosis["code"], diagnosis["symptom"], diagnosis["certain"]) == ("db.servers-differ", fault, True)
    assert f"127.0.0.1 shows the fault ({fault}), {OTHER} does not" in diagnosis["summary"]


def test_where_all_servers_share_the_fault_it_stays_what_it_is(lab: Lab) -> None:
    report = behind_one_name(with_admin("db-certificate-expired"), lab, "expired", ("db.internal",))
    assert (report["diagnosis"]["code"], report["diagnosis"]["symptom"]) == ("db.tls-expired", None)


def test_that_others_present_another_issuer_proves_nothing(lab: Lab) -> None:
    report = behind_one_name(with_admin("db-certificate-of-an-unknown-issuer"), lab, "good", ("db.internal",))
    assert report["diagnosis"]["code"] == "db.tls-untrusted-issuer"


def look_of(report: dict[str, Any]) -> dict[str, Any]:
    return next(check for check in report["checks"] if check["id"] == "db.look")


def logins(stage: Stage) -> int:
    return sum("Accepted publickey" in line for line in stage.ssh_servers["bastion"].lines)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("db-certificate-expired", 2),
        ("healthy-plain", 1),
        ("db-password-wrong", 1),
        ("db-bastion-not-in-pg-hba", 1),  # it has said itself which address it sees
        ("mysql-certificate-expired", 1),  # a handshake without a login counts there against the bastion
    ],
)
def test_the_admin_logs_in_only_where_a_look_tells_more(name: str, expected: int, lab: Lab) -> None:
    with staged(with_admin(name), lab) as stage:
        report = json.loads(stage.check_forked().stdout)
        assert logins(stage) == expected
    assert (look_of(report)["status"] != "skipped") is (expected == 2)


def test_a_fault_that_the_client_puts_up_with_has_nobody_log_in(lab: Lab) -> None:
    lenient = {"database": "postgresql://app@db.internal:{db_port}/orders?sslmode=require"}
    with staged(replace(with_admin("db-certificate-expired"), tunnel=lenient), lab) as stage:
        report = json.loads(stage.check_forked().stdout)
        assert (report["diagnosis"]["code"], report["verdict"]) == ("db.tls-expired", "degraded")
        assert logins(stage) == 1


def test_a_server_is_met_once_by_the_look_and_never_logged_in_to(lab: Lab) -> None:
    """The tunnel's own connection, then one from there, which ends with the handshake."""
    with staged(with_admin("db-certificate-expired"), lab) as stage:
        stage.check_forked()
        assert stage.database is not None
        stage.database.wait_for("connection received", skip=1)
        seen = list(stage.database.lines)
    assert sum("connection received" in line for line in seen) == 2
    assert not [line for line in seen if "connection authenticated" in line or "connection authorized" in line]
