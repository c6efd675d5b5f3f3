"""Who refused a connection: the ICMP errors that Linux keeps on a socket's error queue.

Works for any user. ``ip(7)`` IP_RECVERR, ``ipv6(7)`` IPV6_RECVERR, ``linux/errqueue.h`` sock_extended_err.
Other systems have no such queue: there :func:`listen` returns False and :func:`read` None.
"""

import socket
import struct
import sys
from dataclasses import dataclass

#: ``linux/in.h`` and ``linux/in6.h``; Python's socket module does not name them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000
#: struct sock_extended_err: ee_errno, ee_origin, ee_type, ee_code, ee_pad, ee_info, ee_data.
_ERROR = struct.Struct("=IBBBBII")
_ORIGINS = {1: "local", 2: "icmp", 3: "icmp6"}
#: RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1.
_WORDS_V4 = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 6): "destination network unknown",
    (3, 7): "destination host unknown",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 11): "network unreachable for this type of service",
    (3, 12): "host unreachable for this type of service",
    (3, 13): "communication administratively prohibited",
    (11, 0): "time to live exceeded on the way",
}
#: RFC 4443 §3.1, §3.3.
_WORDS_V6 = {
    (1, 0): "no route to destination",
    (1, 1): "communication administratively prohibited",
    (1, 2): "beyond the scope of the source address",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed the ingress or egress policy",
    (1, 6): "reject route to destination",
    (3, 0): "hop limit exceeded on the way",
}


@dataclass(frozen=True, slots=True)
class QueuedError:
    """One error from the queue. ``sender`` is the address of the machine that sent the ICMP message.

    ``origin`` is ``icmp``, ``icmp6`` or ``local``; ``type`` and ``code`` are ICMP's and 0 for local errors.
    """

    origin: str
    type: int
    code: int
    sender: str | None
    errno: int

    @property
    def port_unreachable(self) -> bool:
        """A firewall's usual way to reject: ICMP 3/3, ICMPv6 1/4 (also 3/2, which no host sends for TCP)."""
        kinds = {"icmp": {(3, 3), (3, 2)}, "icmp6": {(1, 4)}}
        return (self.type, self.code) in kinds.get(self.origin, set())

    @property
    def prohibited(self) -> bool:
        """Somebody's rule says no: ICMP 3/9, 3/10, 3/13, ICMPv6 1/1, 1/5, 1/6."""
        kinds = {"icmp": {(3, 9), (3, 10), (3, 13)}, "icmp6": {(1, 1), (1, 5), (1, 6)}}
        return (self.type, self.code) in kinds.get(self.origin, set())

    @property
    def expired(self) -> bool:
        """A router let the packet die because its time to live was used up."""
        return (self.origin, self.type) in {("icmp", 11), ("icmp6", 3)}

    def __str__(self) -> str:
        if self.origin not in {"icmp", "icmp6"}:
            return "decided by this machine"
        name, words = ("ICMPv6", _WORDS_V6) if self.origin == "icmp6" else ("ICMP", _WORDS_V4)
        meaning = words.get((self.type, self.code), "unnamed")
        return f"{name} type {self.type} code {self.code} ({meaning}) from {self.sender or 'an unknown sender'}"


def listen(sock: socket.socket, on: bool = True) -> bool:
    """Ask for the error queue of *sock*; False where the system has none.

    Turn it off once connected: with it, TCP gives up at errors that it should survive (``ip(7)``).
    """
    if sys.platform != "linux":
        return False
    level, option = _option(sock)
    sock.setsockopt(level, option, int(on))
    return True


def read(sock: socket.socket) -> QueuedError | None:
    """The first error waiting on *sock*, or None. Does not block on a non-blocking socket."""
    if sys.platform != "linux":
        return None
    try:
        _, ancillary, _, _ = sock.recvmsg(1, 512, _MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    except OSError:
        return None
    wanted = _option(sock)
    for level, kind, data in ancillary:
        if (level, kind) == wanted and len(data) >= _ERROR.size:
            return _parsed(data)
    return None


def _option(sock: socket.socket) -> tuple[int, int]:
    if sock.family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, _IPV6_RECVERR
    return socket.IPPROTO_IP, _IP_RECVERR


def _parsed(data: bytes) -> QueuedError:
    errno, origin, kind, code, _, _, _ = _ERROR.unpack_from(data)
    return QueuedError(_ORIGINS.get(origin, "other"), kind, code, _offender(data[_ERROR.size :]), errno)


def _offender(data: bytes) -> str | None:
    """The sockaddr behind the error (SO_EE_OFFENDER)."""
    family = struct.unpack_from("=H", data)[0] if len(data) >= 2 else 0
    if family == socket.AF_INET and len(data) >= 8:
        return socket.inet_ntop(socket.AF_INET, data[4:8])
    if family == socket.AF_INET6 and len(data) >= 24:
        return socket.inet_ntop(socket.AF_INET6, data[8:24])
    return None
