"""errno and ICMP to a result; the mapping's other half is held against real firewalls in tests/checks/tcp."""

from __future__ import annotations

import errno

import pytest

from tunneldoctor.model import Address
from tunneldoctor.net.attempt import Attempt, Result, classify
from tunneldoctor.net.errqueue import QueuedError


def icmp(kind: int, code: int, error: int, origin: str = "icmp") -> QueuedError:
    return QueuedError(origin, kind, code, "192.0.2.1", error)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (0, Result.CONNECTED),
        (errno.ECONNREFUSED, Result.REFUSED),
        (errno.ECONNRESET, Result.RESET),
        (errno.ETIMEDOUT, Result.TIMEOUT),
        (errno.ENETUNREACH, Result.NO_ROUTE),
        (errno.EHOSTUNREACH, Result.NO_ROUTE),
        (errno.EINVAL, Result.NO_ROUTE),
        (errno.EACCES, Result.PROHIBITED),
        (errno.EMFILE, Result.UNCLASSIFIED),
    ],
)
def test_without_icmp_the_errno_decides(error: int, result: Result) -> None:
    assert classify(error, None) is result


@pytest.mark.parametrize(
    ("queued", "result"),
    [
        (icmp(3, 3, errno.ECONNREFUSED), Result.REFUSED_BY_FIREWALL),
        (icmp(3, 13, errno.EHOSTUNREACH), Result.PROHIBITED),
        (icmp(3, 9, errno.ENETUNREACH), Result.PROHIBITED),
        (icmp(3, 1, errno.EHOSTUNREACH), Result.NO_ROUTE),
        (icmp(11, 0, errno.EHOSTUNREACH), Result.NO_ROUTE),
        (icmp(1, 1, errno.EACCES, "icmp6"), Result.PROHIBITED),
        (icmp(1, 5, errno.EACCES, "icmp6"), Result.PROHIBITED),
        (icmp(1, 4, errno.ECONNREFUSED, "icmp6"), Result.REFUSED_BY_FIREWALL),
        (icmp(1, 3, errno.EHOSTUNREACH, "icmp6"), Result.NO_ROUTE),
    ],
)
def test_icmp_tells_apart_what_errno_does_not(queued: QueuedError, result: Result) -> None:
    assert classify(queued.errno, queued) is result


def test_what_never_left_this_machine_is_marked() -> None:
    target = Address("2001:db8::1", 22)
    assert Attempt(target, Result.NO_ROUTE, errno.ENETUNREACH).never_left
    assert not Attempt(target, Result.NO_ROUTE, errno.ENETUNREACH, icmp(3, 0, errno.ENETUNREACH)).never_left
