"""One TCP connection to one address, begun without waiting for it."""

import contextlib
import errno
import select
import socket
import sys
import threading
import time
from collections.abc import Sequence

from tunneldoctor.model import Address
from tunneldoctor.net import errqueue
from tunneldoctor.net.attempt import Attempt, Result, classify

_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, getattr(errno, "WSAEWOULDBLOCK", 10035)}
#: Windows reports a failed connect in the third list of select(2) only, so poll(2) is used wherever it exists.
_FAILED = getattr(select, "POLLERR", 8) | getattr(select, "POLLHUP", 16)
#: Seconds after which a wait looks whether the run was cancelled.
SLICE = 0.1
#: ``ipv6(7)``: not named by Python on every system.
_HOP_LIMIT = getattr(socket, "IPV6_UNICAST_HOPS", 16)


class Dial:
    """A connection under way. ``attempt`` is None until it is decided; ``ttl`` lets its packets die on the way."""

    def __init__(self, target: Address, ttl: int | None = None) -> None:
        self.target = target
        self.ttl = ttl
        self.attempt: Attempt | None = None
        self._started = time.monotonic()
        self._socket: socket.socket | None = None
        try:
            self._begin(ttl)
        except socket.gaierror:  # an address that can't be one here: an interface that is not there
            self._decide(errno.ENODEV)
        except OSError as error:
            self._decide(error.errno or errno.EIO)

    @property
    def connection(self) -> socket.socket:
        """The socket. Raises ValueError where there is none."""
        if self._socket is None:
            raise ValueError(f"no connection to {self.target}")
        return self._socket

    def fileno(self) -> int:
        """For selectors."""
        return self.connection.fileno()

    def settle(self) -> Attempt:
        """Call when the socket is writable or failed: what came of it."""
        error = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        icmp = errqueue.read(self.connection)
        if icmp and not error and not _has_peer(self.connection):
            error = icmp.errno
        return self._decide(error, icmp)

    def give_up(self) -> Attempt:
        """Nothing came back in time."""
        if self.attempt is None:
            self.attempt = Attempt(self.target, Result.TIMEOUT, seconds=time.monotonic() - self._started)
            self.close()
        return self.attempt

    def hand_over(self) -> socket.socket:
        """The connected socket, blocking and without delay, its error queue off."""
        sock = self.connection
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            errqueue.listen(sock, on=False)
        sock.setblocking(True)
        return sock

    def close(self) -> None:
        """Close the socket; harmless when repeated."""
        if self._socket is not None:
            self._socket.close()

    def _begin(self, ttl: int | None) -> None:
        family, kind, protocol, _, where = socket.getaddrinfo(
            self.target.host, self.target.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        errqueue.listen(self._socket)
        if ttl is not None:
            self._limit_hops(ttl)
        error = self._socket.connect_ex(where)
        if error and error not in _UNDER_WAY:
            self._decide(error)

    def _limit_hops(self, ttl: int) -> None:
        if self.connection.family == socket.AF_INET6:
            self.connection.setsockopt(socket.IPPROTO_IPV6, _HOP_LIMIT, ttl)
        else:
            self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)

    def _decide(self, error: int, icmp: errqueue.QueuedError | None = None) -> Attempt:
        seconds = time.monotonic() - self._started
        self.attempt = Attempt(self.target, classify(error, icmp), error, icmp, seconds)
        if error:
            self.close()
        return self.attempt


def wait_for(dials: list[Dial], seconds: float) -> list[Dial]:
    """Those of *dials* whose socket is writable or failed, after at most *seconds*."""
    if sys.platform == "win32":
        return list({each for ready in select.select([], dials, dials, seconds) for each in ready})
    poll = select.poll()
    for dial in dials:
        poll.register(dial, select.POLLOUT | _FAILED)
    ready = {number for number, _ in poll.poll(max(0, round(seconds * 1000 + 0.5)))}
    return [dial for dial in dials if dial.fileno() in ready]


def settle_all(dials: Sequence[Dial], seconds: float, cancelled: threading.Event | None) -> None:
    """Wait until all *dials* are decided, *seconds* are over or the run is *cancelled*."""
    end = time.monotonic() + seconds
    while undecided := [dial for dial in dials if dial.attempt is None]:
        left = end - time.monotonic()
        if left <= 0 or (cancelled and cancelled.is_set()):
            return
        for dial in wait_for(undecided, min(SLICE, left)):
            dial.settle()


def close_politely(sock: socket.socket, seconds: float = 0.2) -> None:
    """End a connection with FIN, not RST: what the far end has sent is read, so that sshd logs no reset."""
    with contextlib.suppress(OSError), sock:
        sock.settimeout(seconds)
        sock.shutdown(socket.SHUT_WR)
        for _ in range(8):
            if not sock.recv(4096):
                break


def _has_peer(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True
