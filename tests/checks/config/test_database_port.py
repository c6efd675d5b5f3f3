from collections.abc import Callable

import pytest

from tunneldoctor.model import Hop, Outcome, Problem, Severity, Tunnel
from tunneldoctor_checks.config.database_port import CHECK
from tunneldoctor_checks.facts import TRANSPORT

Make = Callable[..., Tunnel]
Run = Callable[..., Outcome]


@pytest.mark.parametrize(("facts", "severity"), [({}, None), ({TRANSPORT: object()}, Severity.INFO)])
def test_a_databases_port_is_only_a_hint_where_ssh_answers(
    make_tunnel: Make, run_check: Run, problem: Callable[..., Problem], facts: dict[object, object], severity: Severity
) -> None:
    tunnel = make_tunnel(problems=(problem("config.database-port-on-bastion", port="5432", service="PostgreSQL"),))
    (finding,) = run_check(CHECK, tunnel, facts=facts).findings
    assert (finding.code, finding.severity) == ("config.database-port-on-bastion", severity)


def test_it_is_told_on_the_hop_that_it_is_about(
    make_tunnel: Make, run_check: Run, problem: Callable[..., Problem]
) -> None:
    jump = problem("config.database-port-on-bastion", "via-1", "via", port="3306", service="MySQL")
    tunnel = make_tunnel(via=(Hop("via-1", "edge"),), problems=(jump, problem("config.bad-ssh-url")))
    assert [len(run_check(CHECK, tunnel, hop).findings) for hop in ("via-1", "bastion")] == [1, 0]


def test_there_is_nothing_to_do_without_such_a_port(make_tunnel: Make) -> None:
    assert CHECK.applies is not None
    assert CHECK.applies(make_tunnel(), None) == "no port is a database's"
