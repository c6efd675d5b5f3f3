"""tcp.elsewhere, with a real sshd as the other place: what is concluded from what it sees, and what isn't."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.checks.doubles import FakeBudget, FakeContext, a_tunnel, examine
from tests.ssh.real_sshd import Sshd, needs_sshd, sshd
from tunneldoctor.model import Address, Hop, Outcome, Policy, Reference, Tunnel
from tunneldoctor.net.attempt import Attempt, Result
from tunneldoctor.net.connect import Trouble
from tunneldoctor.net.errqueue import QueuedError
from tunneldoctor_checks.facts import ADDRESSES, CONNECT_TROUBLE, ENDPOINT
from tunneldoctor_checks.tcp.elsewhere import CHECK

Make = Callable[..., FakeContext]
pytestmark = needs_sshd
BLOCKED = "tcp.blocked-for-this-address"


@pytest.fixture(scope="module")
def there() -> Iterator[Sshd]:
    with sshd() as running:
        yield running


@pytest.fixture
def port() -> Iterator[int]:
    """Where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def tunnel(there: Sshd) -> Tunnel:
    known = there.folder / "known_hosts"
    known.write_text(f"[{there.host}]:{there.port} ssh-ed25519 {there.public_host_key()}\n")
    key, pins = Reference("file", str(there.folder / "id_ed25519")), (Reference("file", str(known)),)
    return a_tunnel(run_from=Hop("run_from", there.host, there.port, "root", (key,), known_hosts=pins))


def refused(address: str, port: int, result: Result = Result.REFUSED, icmp: QueuedError | None = None) -> Trouble:
    return Trouble(slow=False, attempts=(Attempt(Address(address, port), result, 111, icmp),))


def look(make: Make, through: Tunnel, trouble: Trouble, port: int, address: str = "127.0.0.1", **rest: Any) -> Outcome:
    known = {ENDPOINT: Address("bastion.example.com", port), ADDRESSES: (address,), CONNECT_TROUBLE: trouble}
    return examine(CHECK, make(CHECK, through, None, known, **rest))


def test_silence_here_and_an_open_port_there_is_a_block_of_this_address(
    there: Sshd, port: int, make_context: Make
) -> None:
    budget = FakeBudget()
    outcome = look(make_context, tunnel(there), Trouble(slow=True), port, budget=budget)
    ruling = outcome.rulings[0]
    assert (ruling.code, ruling.out) == (BLOCKED, False)
    assert dict(ruling.params) == {"vantage": "root@127.0.0.1", "egress_address": "127.0.0.1"}
    assert [call[:2] for call in budget.spent] == [("login", "run_from"), ("bare", "run_from"), ("bare", "bastion")]


def test_what_fails_there_as_well_is_no_block_of_this_address(there: Sshd, make_context: Make) -> None:
    outcome = look(make_context, tunnel(there), refused("127.0.0.1", 9), 9)
    ruling = outcome.rulings[0]
    assert (ruling.code, ruling.out) == (BLOCKED, True)
    assert "Connection refused" in ruling.because


def test_a_port_that_answers_from_here_too_by_now_proves_nothing(there: Sshd, port: int, make_context: Make) -> None:
    outcome = look(make_context, tunnel(there), refused("127.0.0.1", port), port)
    assert (outcome.rulings, outcome.skipped) == ((), "by now the port answers from here, too")


def test_another_place_that_can_not_be_used_leaves_the_question_open(
    there: Sshd, port: int, make_context: Make
) -> None:
    nowhere = tunnel(there)
    assert nowhere.run_from is not None
    nowhere = replace(nowhere, run_from=replace(nowhere.run_from, port=9))
    at_once = look(make_context, nowhere, refused("127.0.0.1", port), port)
    assert "not seen from root@127.0.0.1: 127.0.0.1:9 was not reached" in str(at_once.unknown)
    slow = look(make_context, nowhere, Trouble(slow=True), port)
    assert (slow.unknown, slow.rulings) == (None, ()), "it may still connect, and be healthy"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(refused("127.0.0.1", 1, Result.NO_ROUTE), id="no route here"),
        pytest.param(refused("127.0.0.1", 1, Result.PROHIBITED), id="forbidden on this machine"),
        pytest.param(refused("10.254.253.252", 1, Result.TIMEOUT), id="a private address without its VPN"),
    ],
)
def test_a_fault_of_this_machines_own_is_not_looked_at_from_elsewhere(
    trouble: Trouble, there: Sshd, make_context: Make
) -> None:
    budget = FakeBudget()
    outcome = look(make_context, tunnel(there), trouble, 1, budget=budget)
    assert outcome.skipped
    assert (outcome.rulings, budget.spent) == ((), [])


def test_a_router_that_forbids_it_here_may_allow_it_there(there: Sshd, make_context: Make) -> None:
    by_a_router = QueuedError("icmp", 3, 13, "203.0.113.1", 113)
    trouble = refused("127.0.0.1", 9, Result.PROHIBITED, by_a_router)
    assert look(make_context, tunnel(there), trouble, 9).rulings


def test_without_another_place_there_is_nothing_to_do() -> None:
    assert CHECK.applies(a_tunnel(), Policy()) == "no second place is given (run_from)"
