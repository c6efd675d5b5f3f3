"""ssh.elsewhere, with a real sshd as the other place: what a hang-up here means when the server speaks there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fixtures.lab import fakes
from tests.checks.doubles import FakeContext, a_tunnel, examine
from tests.ssh.real_sshd import Sshd, needs_sshd, sshd
from tunneldoctor.model import Address, Hop, Outcome, Reference
from tunneldoctor.ssh.handshake import HandshakeFailure
from tunneldoctor.ssh.recording import End
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT, HANDSHAKE_FAILED
from tunneldoctor_checks.ssh.elsewhere import CHECK

Make = Callable[..., FakeContext]
pytestmark = needs_sshd
WORDLESS = HandshakeFailure("closed-before-banner", b"", End("reset", 0.01), 0.01)
AT_ONCE = HandshakeFailure("reset-at-once", b"", End("reset", 0.0), 0.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd() as running:
        yield running


@pytest.fixture
def closing() -> Iterator[int]:
    fake = fakes.Fake(fakes.ANSWERS["closing"], "127.0.0.1")
    yield fake.port
    fake.stop()


def look(make: Make, there: Sshd, failure: HandshakeFailure, port: int) -> Outcome:
    known = there.folder / "known_hosts"
    known.write_text(f"[{there.host}]:{there.port} ssh-ed25519 {there.public_host_key()}\n")
    key, pins = Reference("file", str(there.folder / "id_ed25519")), (Reference("file", str(known)),)
    tunnel = a_tunnel(run_from=Hop("run_from", there.host, there.port, "root", (key,), known_hosts=pins))
    facts = {ENDPOINT: Address("bastion", port), ADDRESSES: ("127.0.0.1",), HANDSHAKE_FAILED: failure}
    return examine(CHECK, make(CHECK, tunnel, None, facts))


def test_a_server_that_speaks_there_turns_this_address_away(server: Sshd, make_context: Make) -> None:
    outcome = look(make_context, server, WORDLESS, server.port)
    assert all(ruling.out for ruling in outcome.rulings)
    assert {ruling.code for ruling in outcome.rulings} == {
        "ssh.no-backend", "ssh.server-misconfigured", "ssh.tls-in-front", "ssh.proxy-protocol-expected", "ssh.not-ssh",
        "ssh.max-startups", "ssh.penalised",
    }  # fmt: skip
    assert "SSH-2.0-OpenSSH" in outcome.rulings[0].because


def test_a_server_that_hangs_up_there_as_well_penalises_nobody(server: Sshd, closing: int, make_context: Make) -> None:
    outcome = look(make_context, server, WORDLESS, closing)
    assert [(ruling.code, ruling.out) for ruling in outcome.rulings] == [("ssh.penalised", True)]


def test_a_reset_at_once_for_this_address_alone_is_a_block(server: Sshd, closing: int, make_context: Make) -> None:
    alone = look(make_context, server, AT_ONCE, server.port).rulings[0]
    everybody = look(make_context, server, AT_ONCE, closing).rulings[0]
    assert (alone.code, alone.out) == ("tcp.blocked-for-this-address", False)
    assert (everybody.code, everybody.out) == ("tcp.blocked-for-this-address", True)


@pytest.mark.parametrize("stage", ["no-common-kex", "not-ssh", "no-banner"])
def test_other_troubles_are_not_looked_at(stage: str, server: Sshd, make_context: Make) -> None:
    failure = HandshakeFailure(stage, b"SSH-2.0-x", None, 1.0)
    assert look(make_context, server, failure, server.port).skipped
