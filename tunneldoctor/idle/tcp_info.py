"""What the kernel knows of a TCP connection: whether packets go unanswered, and since when nothing was said.

Source: ``struct tcp_info`` of the Linux UAPI (linux/tcp.h), whose first fields have not moved since Linux 2.6.
"""

from __future__ import annotations

import socket
import struct
import sys
from dataclasses import dataclass

#: Bytes up to and with ``tcpi_rtt``: eight of u8, then sixteen of u32.
_SIZE = 72
_TIMES_SENT_AGAIN, _IN_A_ROW = 2, 4
_UNACKNOWLEDGED, _SINCE_SENT, _SINCE_RECEIVED, _ROUND_TRIP = 24, 44, 52, 68


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """``backoff`` counts the doublings of the retransmission timer: how often in a row nobody answered.

    ``retransmits`` are the unanswered retransmissions of the packet in front, ``unacknowledged`` the packets on the
    way. ``round_trip`` and ``silence`` (since data was last sent or received) are seconds, and so is
    ``unheard`` (since data was last received).
    """

    backoff: int
    retransmits: int
    unacknowledged: int
    round_trip: float
    silence: float
    unheard: float


def tcp_info(sock: socket.socket | None) -> TcpInfo | None:
    """What is known of *sock*; None where it is closed, and on systems other than Linux."""
    if sock is None or not sys.platform.startswith("linux"):
        return None
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    except OSError:
        return None
    if len(raw) < _SIZE:
        return None
    sent, received = _u32(raw, _SINCE_SENT), _u32(raw, _SINCE_RECEIVED)
    return TcpInfo(
        backoff=raw[_IN_A_ROW],
        retransmits=raw[_TIMES_SENT_AGAIN],
        unacknowledged=_u32(raw, _UNACKNOWLEDGED),
        round_trip=_u32(raw, _ROUND_TRIP) / 1e6,
        silence=min(sent, received) / 1e3,
        unheard=received / 1e3,
    )


def keep_alive(sock: socket.socket, seconds: float, ttl: int | None = None) -> bool:
    """Have the kernel send a keepalive after each *seconds* of silence (tcp(7)); False where it can't be told so.

    A keepalive that nobody answers is not to end the connection before we have looked: as many as can be may go lost.
    With *ttl* all packets live for so many hops only.
    """
    whole = max(1, round(seconds))
    idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    if idle is None:
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, idle, whole)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, whole)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 127)
    except (OSError, AttributeError):
        return False
    return ttl is None or limit_hops(sock, ttl)


def limit_hops(sock: socket.socket, ttl: int) -> bool:
    """Let every packet of *sock* die after *ttl* hops; False where that can't be set."""
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    except OSError:
        return False
    return True


def _u32(raw: bytes, at: int) -> int:
    return int(struct.unpack_from("=I", raw, at)[0])
