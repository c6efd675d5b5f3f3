"""How far packets get: connection requests whose time to live runs out on the way, and the routers that say so.

The same as ``tcptraceroute``, for any user: Linux hands the ICMP "time exceeded" of an unfinished connection to the
socket's error queue (``ip(7)`` IP_RECVERR).
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tunneldoctor.model import Address
from tunneldoctor.net.attempt import Result
from tunneldoctor.net.dial import Dial, close_politely, settle_all

#: Times to live, in batches: exact near this machine, coarse far away. Twelve requests at most, four at a time.
BATCHES = ((1, 2, 3, 4), (5, 6, 8, 10), (12, 15, 18, 22))
#: Seconds for one batch: just short of the first retransmission after 1 s (RFC 6298 §2), so each sends one packet.
_BATCH_SECONDS = 0.9


@dataclass(frozen=True, slots=True)
class Router:
    """A router that answered: how many hops away, and from which address."""

    hops: int
    address: str


@dataclass(frozen=True, slots=True)
class Walk:
    """What the routers on the way said. ``reached`` is True where the target itself, or its firewall, answered."""

    routers: tuple[Router, ...] = ()
    reached: bool = False
    sent: tuple[int, ...] = ()

    @property
    def silent(self) -> tuple[int, ...]:
        """The times to live that nobody answered."""
        answered = {each.hops for each in self.routers}
        return tuple(ttl for ttl in self.sent if ttl not in answered)

    @property
    def last(self) -> Router | None:
        """The farthest router that answered."""
        return max(self.routers, key=lambda each: each.hops, default=None)


def walk(target: Address, seconds: float, cancelled: threading.Event | None = None) -> Walk:
    """Send at most twelve requests towards *target* within *seconds*; ends early when two batches stay silent."""
    end = time.monotonic() + seconds
    routers: list[Router] = []
    sent: list[int] = []
    silent = 0
    for batch in BATCHES:
        left = end - time.monotonic()
        if left < 0.1 or silent == 2 or (cancelled and cancelled.is_set()):
            break
        sent.extend(batch)
        answered, reached = _batch(target, batch, min(_BATCH_SECONDS, left), cancelled)
        if reached:
            return Walk((*routers, *answered), True, tuple(sent))
        routers.extend(answered)
        silent = 0 if answered else silent + 1
    return Walk(tuple(routers), False, tuple(sent))


def _batch(
    target: Address, ttls: Sequence[int], seconds: float, cancelled: threading.Event | None
) -> tuple[list[Router], bool]:
    dials = [Dial(target, ttl) for ttl in ttls]
    try:
        settle_all(dials, seconds, cancelled)
        return [router for dial in dials if (router := _router(dial))], any(map(_reached, dials))
    finally:
        for dial in dials:
            _end(dial)


def _router(dial: Dial) -> Router | None:
    icmp = dial.attempt.icmp if dial.attempt else None
    return Router(dial.ttl or 0, icmp.sender) if icmp and icmp.expired and icmp.sender else None


def _reached(dial: Dial) -> bool:
    attempt = dial.attempt
    return attempt is not None and not attempt.never_left and not (attempt.icmp and attempt.icmp.expired)


def _end(dial: Dial) -> None:
    if dial.attempt and dial.attempt.result is Result.CONNECTED:
        close_politely(dial.connection)
    else:
        dial.close()
