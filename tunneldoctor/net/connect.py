"""Connect to the first of several addresses that answers, and remember what happened at each of them.

Like Happy Eyeballs (RFC 8305): in the resolver's order, the next one begun 250 ms after the last, or at once when that
one failed; all from one thread, so that nothing is left behind.
"""

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tunneldoctor.model import Address
from tunneldoctor.net.attempt import Attempt, Result
from tunneldoctor.net.dial import SLICE, Dial, close_politely, settle_all, wait_for

#: Seconds between the starts of two attempts: RFC 8305 §5, "Connection Attempt Delay".
ATTEMPT_DELAY = 0.25


@dataclass(frozen=True, slots=True)
class Connected:
    """An open connection. ``attempt.seconds`` is its round trip."""

    socket: socket.socket
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class ConnectFailure:
    """No address let us in; one attempt for each, in the resolver's order."""

    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """It is slow (attempts still open at half time), or it failed. ``attempts`` are those decided so far."""

    slow: bool
    attempts: tuple[Attempt, ...] = ()


class Race:
    """One run of :func:`connect_first`."""

    def __init__(self, targets: Sequence[Address], seconds: float, cancelled: threading.Event | None) -> None:
        self._targets = tuple(targets)
        self._waiting = list(targets)
        self._pending: list[Dial] = []
        self._done: dict[Address, Attempt] = {}
        self._end = time.monotonic() + seconds
        self._next = time.monotonic()
        self._cancelled = cancelled or threading.Event()

    def run(self, slow_after: float, on_slow: Callable[[Trouble], None]) -> Connected | ConnectFailure:
        """Race until one wins, all have failed or time is up; *on_slow* is called once if that takes longer."""
        slow_at = time.monotonic() + slow_after
        while self._open():
            self._start_next()
            if winner := self._wait(min(slow_at, self._end)):
                return self._won(winner)
            if time.monotonic() >= slow_at and self._pending:
                on_slow(Trouble(True, tuple(self._done.values())))
                slow_at = float("inf")
        return self._lost()

    def _open(self) -> bool:
        in_time = time.monotonic() < self._end and not self._cancelled.is_set()
        return in_time and bool(self._waiting or self._pending)

    def _start_next(self) -> None:
        while self._waiting and (time.monotonic() >= self._next or not self._pending):
            dial = Dial(self._waiting.pop(0))
            if dial.attempt is None:
                self._pending.append(dial)
                self._next = time.monotonic() + ATTEMPT_DELAY
            else:
                self._settle(dial)

    def _wait(self, until: float) -> Dial | None:
        """The winner, if there is one by *until* or by when something else is to be done."""
        until = min(until, self._next) if self._waiting else until
        seconds = max(0.0, min(SLICE, until - time.monotonic()))
        for dial in wait_for(self._pending, seconds):
            dial.settle()
            if self._settle(dial):
                return dial
        return None

    def _settle(self, dial: Dial) -> bool:
        """Take a decided dial off the list; True where it is connected and stays so."""
        attempt = dial.attempt
        self._pending = [each for each in self._pending if each is not dial]
        if attempt and attempt.result is Result.CONNECTED:
            return True
        self._done[dial.target] = dial.give_up()
        self._next = time.monotonic()
        return False

    def _won(self, winner: Dial) -> Connected:
        for dial in self._pending:
            dial.close()
        assert winner.attempt is not None
        return Connected(winner.hand_over(), winner.attempt)

    def _lost(self) -> ConnectFailure:
        for dial in self._pending:
            self._done[dial.target] = dial.give_up()
        return ConnectFailure(tuple(self._done[each] for each in self._targets if each in self._done))


def connect_first(
    addresses: Sequence[str],
    port: int,
    seconds: float,
    *,
    slow_after: float | None = None,
    on_slow: Callable[[Trouble], None] = lambda trouble: None,
    cancelled: threading.Event | None = None,
) -> Connected | ConnectFailure:
    """Connect to the first of *addresses* that answers within *seconds*; never raises for what the network does.

    *on_slow* is called once when *slow_after* seconds have gone by and attempts are still open.
    """
    race = Race([Address(each, port) for each in addresses], seconds, cancelled)
    return race.run(seconds if slow_after is None else slow_after, on_slow)


def connect_each(
    addresses: Sequence[str], port: int, seconds: float, cancelled: threading.Event | None = None
) -> tuple[Attempt, ...]:
    """Connect to every address once, all at the same time, and close again politely."""
    dials = [Dial(Address(each, port)) for each in addresses]
    settle_all(dials, seconds, cancelled)
    return tuple(_closed(dial) for dial in dials)


def _closed(dial: Dial) -> Attempt:
    attempt = dial.give_up()
    if attempt.result is Result.CONNECTED:
        close_politely(dial.connection)
    return attempt
