from collections.abc import Callable

from tunneldoctor.model import Address, Outcome, Problem, Severity, Tunnel
from tunneldoctor_checks.config.target import CHECK
from tunneldoctor_checks.facts import TARGET


def test_a_target_is_given(make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome]) -> None:
    outcome = run_check(CHECK, make_tunnel(remote=Address("db", 5432)))
    assert (outcome.findings, outcome.facts) == ((), {TARGET: Address("db", 5432)})


def test_a_loopback_target_is_told_and_given(
    make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome], problem: Callable[..., Problem]
) -> None:
    noted = problem("config.loopback-target", key="database", severity=Severity.WARNING, target="localhost:5432")
    outcome = run_check(CHECK, make_tunnel(remote=Address("localhost", 5432), problems=(noted,)))
    assert [finding.code for finding in outcome.findings] == ["config.loopback-target"]
    assert TARGET in outcome.facts


def test_nowhere_to_go_is_a_missing_field(
    make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome], problem: Callable[..., Problem]
) -> None:
    noted = problem("config.missing-field", key="remote_bind", field="remote_bind")
    outcome = run_check(CHECK, make_tunnel(remote=None, problems=(noted,)))
    assert [finding.code for finding in outcome.findings] == ["config.missing-field"]
    assert (outcome.facts, outcome.unknown) == ({}, None)


def test_a_target_that_only_an_unreadable_database_would_tell_is_unknown(
    make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome], problem: Callable[..., Problem]
) -> None:
    noted = problem("config.bad-database-url", "database", "database")
    outcome = run_check(CHECK, make_tunnel(remote=None, problems=(noted,)))
    assert outcome.findings == ()
    assert outcome.unknown is not None


def test_where_ssh_config_can_not_be_read_it_is_not_put_down_to_the_database(
    make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome], problem: Callable[..., Problem]
) -> None:
    noted = problem("config.ssh-config-unsupported", key="ssh_config", option="the whole entry", reason="line 8")
    outcome = run_check(CHECK, make_tunnel(remote=None, problems=(noted,)))
    assert outcome.unknown == "its entry in ssh_config can't be read, so it is not known where the tunnel leads"
