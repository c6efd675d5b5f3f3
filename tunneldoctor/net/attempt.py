"""What came of trying to connect to one address, and what that means."""

import errno
import os
from dataclasses import dataclass
from enum import StrEnum

from tunneldoctor.model import Address
from tunneldoctor.net.errqueue import QueuedError


class Result(StrEnum):
    """The ways in which connecting ends."""

    CONNECTED = "connected"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    REFUSED_BY_FIREWALL = "refused-by-firewall"
    RESET = "reset"
    PROHIBITED = "prohibited"
    NO_ROUTE = "no-route"
    UNCLASSIFIED = "unclassified"


_NO_ROUTE = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EADDRNOTAVAIL,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EAFNOSUPPORT,
    errno.EINVAL,  # a blackhole route: ip-route(8); a link-local address without its interface
    errno.ENODEV,  # fe80::1%eth9, and no eth9 here
    getattr(errno, "ENONET", errno.ENETUNREACH),
}
_DENIED = {errno.EACCES, errno.EPERM}
_RESET = {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one address. ``error`` is the errno (0: none), ``icmp`` what the error queue held, time in seconds."""

    target: Address
    result: Result
    error: int = 0
    icmp: QueuedError | None = None
    seconds: float = 0.0

    @property
    def never_left(self) -> bool:
        """This machine decided by itself, before a packet was sent: no route, no such address family."""
        return self.result is Result.NO_ROUTE and self.icmp is None

    def __str__(self) -> str:
        return f"{self.target}: {self._what()} after {self.seconds * 1000:.0f} ms"

    def _what(self) -> str:
        if self.result is Result.CONNECTED:
            return "connected"
        if not self.error:
            return "nothing came back"
        name = errno.errorcode.get(self.error, str(self.error))
        who = f"; {self.icmp}" if self.icmp else "; no ICMP message" if self.result is Result.REFUSED else ""
        return f"{name} ({os.strerror(self.error)}){who}"


def classify(error: int, icmp: QueuedError | None) -> Result:
    """What an errno from connect(2) means, told apart by the ICMP message behind it where there was one.

    Linux maps ICMP to errno in ``net/ipv4/icmp.c`` icmp_err_convert and ``net/ipv6/icmp.c`` icmpv6_err_convert:
    3/13 and 3/1 are both EHOSTUNREACH there, and ICMPv6 1/1 is EACCES.
    """
    if error == 0:
        return Result.CONNECTED
    if icmp and icmp.prohibited:
        return Result.PROHIBITED
    if icmp and icmp.port_unreachable:
        return Result.REFUSED_BY_FIREWALL
    for numbers, result in _BY_NUMBER:
        if error in numbers:
            return result
    return Result.UNCLASSIFIED


_BY_NUMBER: tuple[tuple[set[int], Result], ...] = (
    ({errno.ECONNREFUSED}, Result.REFUSED),
    (_RESET, Result.RESET),
    ({errno.ETIMEDOUT}, Result.TIMEOUT),
    (_DENIED, Result.PROHIBITED),
    (_NO_ROUTE, Result.NO_ROUTE),
)
