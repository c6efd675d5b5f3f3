"""Reading ICMP errors; real ones come from real firewalls in tests/checks/tcp."""

from __future__ import annotations

import socket
import sys

import pytest

from tunneldoctor.net import errqueue
from tunneldoctor.net.errqueue import QueuedError


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has error queues")
def test_a_udp_port_where_nobody_listens_leaves_its_icmp_message_in_the_queue() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        assert errqueue.listen(probe)
        probe.connect(("127.0.0.1", port))
        probe.send(b"x")
        seen = errqueue.read(probe)
    assert seen is not None
    assert (seen.type, seen.code, seen.sender) == (3, 3, "127.0.0.1")
    assert seen.port_unreachable
    assert str(seen) == "ICMP type 3 code 3 (port unreachable) from 127.0.0.1"


def test_an_empty_queue_is_none() -> None:
    with socket.socket() as probe:
        errqueue.listen(probe)
        assert errqueue.read(probe) is None


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            QueuedError("icmp6", 1, 1, "2001:db8::1", 13),
            "ICMPv6 type 1 code 1 (communication administratively prohibited)",
        ),
        (QueuedError("icmp", 3, 99, None, 113), "ICMP type 3 code 99 (unnamed) from an unknown sender"),
        (QueuedError("local", 0, 0, None, 101), "decided by this machine"),
    ],
)
def test_errors_in_words(error: QueuedError, says: str) -> None:
    assert says in str(error)
