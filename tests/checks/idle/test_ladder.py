"""What is said of a ladder's result: the code, the causes that are left, and whether it hurts this tunnel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.checks.db.conftest import codes, tunnel
from tunneldoctor.catalog import Catalog
from tunneldoctor.engine import Run
from tunneldoctor.idle.flow import Arm, How, Leg, Loss
from tunneldoctor.idle.result import Kind, Result
from tunneldoctor.model import Check, CheckPackage, Context, Layer, Outcome, Policy, Report, RunFinished, Secret, Where
from tunneldoctor_checks import PACKAGE
from tunneldoctor_checks.facts import SESSION
from tunneldoctor_checks.idle._found import outcome
from tunneldoctor_checks.idle.ladder import CHECK

KEPT = {Arm.SSH_KEEPALIVE: True, Arm.TCP_KEEPALIVE: True, Arm.WITNESS: True}


@dataclass
class Session:
    """Stands for the SSH connection, of which the server's software is asked."""

    software: str


def examine(result: Result, *, software: str = "OpenSSH_9.6", **more: Any) -> Report:
    """Run the check with a measurement that came to *result*; *more* are fields of the tunnel."""
    giver = Check("auth.login", Layer.AUTH, "", Where.BASTION,
                  lambda _: Outcome(facts={SESSION: Session(software)}), gives=(SESSION,))  # fmt: skip

    def tell(context: Context) -> Outcome:
        return outcome(context, result)

    package = CheckPackage("test", (giver, replace(CHECK, run=tell, wants=())), Path("/nonexistent"))
    policy = Policy(find_cutoff=True)
    run = Run(tunnel(None, **more), (package,), policy, lambda _: Secret.of(""), Catalog.of((PACKAGE,)))
    reports = [event.report for event in run.events() if isinstance(event, RunFinished)]
    assert run.defects == []
    return reports[0]


def cut(how: How, leg: Leg = Leg.BASTION, lower: float = 340.0, upper: float = 360.0, **more: Any) -> Result:
    loss = more.pop("loss", Loss(how, upper))
    more = {"companions": KEPT if leg is Leg.BASTION else {Arm.BUSY: True}} | more
    return Result(Kind.CUT, lower, upper, how, leg=leg, example=loss, confirmed=True, **more)


def causes(report: Report) -> set[str]:
    assert report.diagnosis is not None
    return set(report.diagnosis.causes)


@pytest.mark.parametrize(("how", "symptom"), [
    (How.SILENT, "idle.dropped-silently"), (How.RESET, "idle.dropped-with-reset"),
])  # fmt: skip
@pytest.mark.parametrize("leg", list(Leg))
def test_what_is_forgotten_was_forgotten_by_a_box(how: How, symptom: str, leg: Leg) -> None:
    report = examine(cut(how, leg))
    assert report.diagnosis is not None
    assert (report.diagnosis.code, report.diagnosis.symptom) == ("idle.middlebox", symptom)
    assert report.exit_code == 1


def test_a_proxy_is_told_from_an_openssh_that_ends_no_client_that_answers() -> None:
    closed = cut(How.CLOSED, companions=KEPT | {Arm.TCP_KEEPALIVE: False})
    assert causes(examine(closed)) == {"idle.middlebox"}
    assert causes(examine(closed, software="OpenSSH_8.0")) == {"idle.middlebox", "idle.ssh-server-timeout"}
    assert causes(examine(closed, software="dropbear_2022.83")) == {"idle.middlebox", "idle.ssh-server-timeout"}


def test_words_of_the_server_at_the_end_are_the_servers() -> None:
    said = cut(How.CLOSED, loss=Loss(How.CLOSED, 360.0, said="Idle timeout"))
    assert causes(examine(said)) == {"idle.ssh-server-timeout"}


def test_a_reset_out_of_nothing_is_no_servers_way() -> None:
    abrupt = cut(How.CLOSED, companions={Arm.WITNESS: True}, loss=Loss(How.CLOSED, 240.0, abrupt=True))
    assert causes(examine(abrupt, software="dropbear")) == {"idle.middlebox"}


def test_what_ends_without_a_forward_and_lives_with_one_is_ended_by_sshd() -> None:
    fates = {Arm.SSH_KEEPALIVE: False, Arm.TCP_KEEPALIVE: False, Arm.WITNESS: True}
    assert causes(examine(cut(How.CLOSED, companions=fates, age=360.0))) == {"idle.ssh-server-timeout"}


def test_a_channel_that_is_closed_leaves_three_that_may_have_done_it() -> None:
    closed = cut(How.CLOSED, Leg.DATABASE)
    assert causes(examine(closed)) == {"idle.middlebox", "idle.channel-timeout", "idle.database-timeout"}
    assert causes(examine(closed, software="OpenSSH_8.9")) == {"idle.middlebox", "idle.database-timeout"}


def test_a_query_under_way_is_as_silent_and_not_idle_to_the_database() -> None:
    lives = cut(How.CLOSED, Leg.DATABASE, outlived={Arm.SERVER_FIRST: 400.0})
    assert causes(examine(lives)) == {"idle.database-timeout"}
    went = cut(How.CLOSED, Leg.DATABASE, arm=Arm.SERVER_FIRST)
    assert causes(examine(went)) == {"idle.middlebox", "idle.channel-timeout"}


def test_the_database_that_says_so_is_believed() -> None:
    said = Loss(How.CLOSED, 360.0, said="terminating connection due to idle-session timeout", sqlstate="57P05")
    assert causes(examine(cut(How.CLOSED, Leg.DATABASE, loss=said))) == {"idle.database-timeout"}


def test_an_administrator_is_no_idle_limit() -> None:
    said = Loss(How.CLOSED, 360.0, said="terminating connection due to administrator command", sqlstate="57P01")
    assert codes(examine(cut(How.CLOSED, Leg.DATABASE, loss=said))) == ["idle.not-idle"]


def test_a_keepalive_that_is_slower_than_the_cutoff_is_the_fault() -> None:
    assert codes(examine(cut(How.SILENT), keepalive=400.0)) == ["idle.keepalive-too-slow"]


@pytest.mark.parametrize("harmless", [{"keepalive": 30.0}, {"idle_hold": 300.0}])
def test_a_cutoff_that_this_tunnel_never_meets_is_told_and_breaks_nothing(harmless: dict[str, float]) -> None:
    report = examine(cut(How.SILENT), **harmless)
    assert codes(report) == ["idle.middlebox"]
    assert (report.verdict, report.exit_code) == ("healthy", 0)


def test_no_keepalive_holds_what_is_lost_behind_the_bastion() -> None:
    assert examine(cut(How.SILENT, Leg.DATABASE), keepalive=30.0).exit_code == 1


def test_what_was_measured_is_among_the_facts() -> None:
    facts = examine(cut(How.SILENT, hop=3, hop_name="203.0.113.7")).facts
    assert facts["idle.alive_after_seconds"] == 340.0
    assert facts["idle.dead_after_seconds"] == 360.0
    assert facts["idle.cutoff_seconds"] == 350.0
    assert facts["idle.cutoff_how"] == "silent"
    assert facts["idle.cutoff_hop"] == 3
    assert facts["idle.ssh_keepalive_survives"] is True


def test_the_likely_box_is_named_with_reasons() -> None:
    report = examine(cut(How.RESET), bastion_host="x-1.elb.us-east-1.amazonaws.com")
    (finding,) = [each for check in report.checks for each in check.findings]
    assert any("AWS Network Load Balancer" in each.text for each in finding.evidence)


def test_nothing_found_is_told_as_far_as_was_looked() -> None:
    report = examine(Result(Kind.NONE, 3708.0))
    assert (report.verdict, codes(report)) == ("healthy", [])
    assert report.facts["idle.alive_after_seconds"] == 3708.0


def test_connections_in_use_that_go_as_well_are_no_matter_of_idleness() -> None:
    report = examine(Result(Kind.NOT_IDLE, 10.0, 20.0, reason="all connections ended at the same moment"))
    assert codes(report) == ["idle.not-idle"]
    assert report.diagnosis is not None
    assert "idle.alive_after_seconds" not in report.facts


@pytest.mark.parametrize("kind", [Kind.INCONSISTENT, Kind.UNMEASURED])
def test_what_contradicts_itself_is_no_finding_and_no_guess(kind: Kind) -> None:
    report = examine(Result(kind, 60.0, 40.0, reason="one connection died after 40 s and another lived after 60 s"))
    (check,) = [each for each in report.checks if each.id == "idle.ladder"]
    assert (check.status, codes(report), report.exit_code) == ("unknown", [], 3)
    assert "another lived after 60 s" in (check.reason or "")
