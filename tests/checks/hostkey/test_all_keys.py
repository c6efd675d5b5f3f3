"""hostkey.all-keys: the key of each type, from a real sshd, with as few connections as there are further types."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.checks.doubles import FakeBudget, FakeContext, a_tunnel, examine
from tests.ssh.real_sshd import needs_sshd, sshd
from tunneldoctor.model import Policy
from tunneldoctor.ssh.transport import Transport
from tunneldoctor_checks.facts import STREAM, TRANSPORT
from tunneldoctor_checks.hostkey.all_keys import CHECK


@needs_sshd
@pytest.mark.parametrize(("allowed", "types"), [(6, ["ed25519", "ecdsa", "rsa"]), (1, ["ed25519", "ecdsa"])])
def test_each_type_costs_a_connection_and_the_budget_decides(
    allowed: int, types: list[str], make_context: Callable[..., FakeContext]
) -> None:
    with sshd(host_keys=("rsa", "ecdsa", "ed25519")) as server:
        stream = server.connect()
        transport = Transport.handshake(stream, timeout=10)
        assert isinstance(transport, Transport)
        budget = FakeBudget(bare=allowed)
        outcome = examine(CHECK, make_context(CHECK, None, None, {TRANSPORT: transport, STREAM: stream}, budget=budget))
        transport.close()
        expected = {base64.b64decode(server.public_host_key(kind)) for kind in types}
    assert {base64.b64decode(str(value)) for value in outcome.measured.values()} == expected
    assert all(name.startswith("bastion.host_key.") for name in outcome.measured)
    assert len(budget.spent) == len(types) - 1


def test_nobody_is_asked_for_all_keys_in_an_examination() -> None:
    assert CHECK.applies(a_tunnel(), Policy())
    assert CHECK.applies(a_tunnel(), Policy(only=("hostkey",)))
    assert CHECK.applies(a_tunnel(), Policy(only=("hostkey.all-keys",))) is None
