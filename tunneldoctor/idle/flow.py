"""One connection under measurement, as the ladder sees it, whatever it leads to and is made of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Arm(StrEnum):
    """What is done with a connection while it is under measurement."""

    IDLE = "idle"  # nothing at all; we speak first after the gap
    SERVER_FIRST = "server first"  # nothing at all; the far end speaks first after the gap, as a long query's result
    BUSY = "busy"  # the control: something every few seconds
    SSH_KEEPALIVE = "SSH keepalive"  # ServerAliveInterval alone
    TCP_KEEPALIVE = "TCP keepalive"  # SO_KEEPALIVE alone
    WITNESS = "witness"  # the run's own connection, with a forward open: busy, and no connection more


#: The arms that are measured at gaps of their own; the others tell what would have saved them.
MEASURED = (Arm.IDLE, Arm.SERVER_FIRST)


class Leg(StrEnum):
    """Between whom the connection under measurement is, in words that complete a sentence."""

    BASTION = "between here and the bastion"
    DATABASE = "between the bastion and the database"


class How(StrEnum):
    """How a connection went: ended in the open while it was unused, reset at the next packet, or without a word."""

    CLOSED = "closed"
    RESET = "reset"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Loss:
    """A connection went. ``after`` is seconds from the beginning of its silence (:meth:`Flow.begin`).

    With ``closed`` it is when the end came, with the others when the next packet was sent, and where that was noticed
    later only, when the far end was heard last. ``words`` are what was seen
    (an errno, the count of retransmissions); ``said`` is what the server at the far end itself said as it ended the
    connection, ``sqlstate`` its code where that is a database. ``abrupt``: ended by a reset, not by a close.
    ``by_time``: nothing but a time-out says so, since retransmissions can't be counted here. ``bare``: an SSH
    connection without a channel, which a server may take for unused whatever is asked on it.
    """

    how: How
    after: float
    words: str = ""
    said: str = ""
    sqlstate: str = ""
    abrupt: bool = False
    by_time: bool = False
    bare: bool = False


class NotOpened(Exception):
    """The connection was not to be had, or went in a way that says nothing about its leg; the text says why."""


class Flow(Protocol):
    """One connection. ``name`` tells it from its like; ``gap`` is the silence in seconds that :meth:`begin` was given.

    Methods are called from one thread, but for :meth:`probe`, which has a thread of its own, and :meth:`close`.
    """

    name: str
    arm: Arm
    leg: Leg
    gap: float

    def open(self, timeout: float) -> None:
        """Connect, and log in, within *timeout* seconds. Raises NotOpened."""

    def begin(self, gap: float) -> None:
        """From now on the connection is left alone, or kept as its arm says; with ``server first`` the far end is
        asked to speak after *gap* seconds. Called after :meth:`open` and again after a :meth:`probe` it survived.
        """

    def look(self) -> Loss | None:
        """Whether it is known to be gone; sends nothing and takes no time. Raises NotOpened."""

    def keep(self) -> Loss | None:
        """Send what the arm sends, nothing for those that are left alone or that the kernel keeps; whether that showed
        that it is gone."""

    def probe(self, patience: float, stop: threading.Event, doubt: Callable[[], object]) -> Loss | None:
        """Use it, and wait until it is known whether it lives (None), for at most *patience* seconds or until *stop*.

        *doubt* may be called before that is known, when it begins to look dead: the others are then looked at too.
        With ``server first``: wait for what the far end was asked for. Raises NotOpened where nothing was measured.
        """

    def silence(self) -> float | None:
        """Seconds since the last byte either way, as the kernel counts them; None where it can't say."""

    def close(self) -> object:
        """End it; may be called twice, from any thread."""


class Opener(Protocol):
    """Makes flows of one leg."""

    @property
    def leg(self) -> Leg:
        """Between whom."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What can be done with its flows."""

    def flow(self, arm: Arm) -> Flow:
        """A flow that is not open yet."""
