"""ssh.mtu: whether a stalled key exchange is a matter of packet sizes."""

from __future__ import annotations

from collections.abc import Callable

from tests.checks.doubles import FakeContext, a_tunnel, examine
from tests.ssh.fake_servers import saying, serving
from tests.ssh.real_sshd import needs_sshd, sshd
from tunneldoctor.ssh.handshake import SlowHandshake
from tunneldoctor_checks.facts import HANDSHAKE_SLOW
from tunneldoctor_checks.ssh.mtu import CHECK

Make = Callable[..., FakeContext]


@needs_sshd
def test_a_handshake_that_completes_with_small_packets_leaves_its_note(make_context: Make) -> None:
    with sshd() as server:
        slow = SlowHandshake("kex-stalled", (server.host, server.port))
        outcome = examine(CHECK, make_context(CHECK, a_tunnel(), None, {HANDSHAKE_SLOW: slow}))
    assert [(ruling.code, ruling.out) for ruling in outcome.rulings] == [("ssh.kex-stalled", False)]
    assert "536 bytes" in slow.notes[0]


def test_one_that_stalls_with_small_packets_too_is_no_matter_of_size(make_context: Make) -> None:
    with serving(saying(b"SSH-2.0-x\r\n", then_close=False)) as address:
        slow = SlowHandshake("no-kexinit", address)
        context = make_context(CHECK, a_tunnel(connect_timeout=0.9), None, {HANDSHAKE_SLOW: slow})
        outcome = examine(CHECK, context)
        context.close()
    assert outcome.rulings == ()
    assert outcome.skipped
    assert "not the packet size" in slow.notes[0]


def test_before_the_first_large_packet_there_is_nothing_to_look_at(make_context: Make) -> None:
    slow = SlowHandshake("no-banner", ("127.0.0.1", 1))
    context = make_context(CHECK, a_tunnel(), None, {HANDSHAKE_SLOW: slow})
    assert examine(CHECK, context).skipped
    assert context.budget.spent == []
