from collections.abc import Callable

from tunneldoctor.model import Address, Hop, Outcome, Problem, Severity, Tunnel
from tunneldoctor_checks.config.hop import CHECK
from tunneldoctor_checks.facts import ENDPOINT, USERNAME

Make = Callable[..., Tunnel]
Run = Callable[..., Outcome]


def test_a_hop_in_order_gives_its_endpoint_and_its_user(make_tunnel: Make, run_check: Run) -> None:
    outcome = run_check(CHECK, make_tunnel("bastion", 2222))
    assert outcome.findings == ()
    assert outcome.facts == {ENDPOINT: Address("bastion", 2222), USERNAME: "tunnel"}


def test_what_can_not_be_read_is_not_given(make_tunnel: Make, run_check: Run, problem: Callable[..., Problem]) -> None:
    bad = problem("config.bad-ssh-url", part="user", reason="there are two @ in it")
    outcome = run_check(CHECK, make_tunnel(None, username=None, problems=(bad,)))
    assert outcome.facts == {}
    (finding,) = outcome.findings
    assert finding.code == "config.bad-ssh-url"
    assert finding.params["origin"] == "tunneldoctor.toml:3"
    assert finding.params["reason"] == "there are two @ in it"


def test_a_warning_takes_nothing_away(make_tunnel: Make, run_check: Run, problem: Callable[..., Problem]) -> None:
    hint = problem("config.invisible-characters", severity=Severity.WARNING)
    outcome = run_check(CHECK, make_tunnel(problems=(hint,)))
    assert outcome.findings[0].severity is Severity.WARNING
    assert set(outcome.facts) == {ENDPOINT, USERNAME}


def test_each_hop_reports_its_own(make_tunnel: Make, run_check: Run, problem: Callable[..., Problem]) -> None:
    problems = (problem("config.missing-field", "via-1", "via"), problem("config.bad-ssh-url"))
    tunnel = make_tunnel(via=(Hop("via-1", "edge"),), problems=problems)
    found = [[each.code for each in run_check(CHECK, tunnel, hop).findings] for hop in ("via-1", "bastion")]
    assert found == [["config.missing-field"], ["config.bad-ssh-url"]]


def test_a_host_behind_a_program_is_not_connected_to(
    make_tunnel: Make, run_check: Run, problem: Callable[..., Problem]
) -> None:
    command = problem("config.ssh-config-unsupported", option="ProxyCommand", reason="a program")
    assert ENDPOINT not in run_check(CHECK, make_tunnel(problems=(command,))).facts
    card = problem("config.ssh-config-unsupported", option="PKCS11Provider", reason="a card")
    assert ENDPOINT in run_check(CHECK, make_tunnel(problems=(card,))).facts
