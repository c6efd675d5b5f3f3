"""Moments by the clock. Whether the machine slept: the monotonic clock stands still then; the one since boot not."""

from __future__ import annotations

import time
from datetime import UTC, datetime

#: Seconds by which the two may come apart without that anybody slept.
_SLACK = 2.0


class Clocks:
    """Compares them from its making on. Steps of the wall clock (NTP) move neither."""

    def __init__(self) -> None:
        self._apart = _apart()

    def slept(self) -> float:
        """Seconds slept, 0 for none; always 0 where the system has no such clock (clock_gettime(2), Linux)."""
        slept = _apart() - self._apart
        return slept if slept > _SLACK else 0.0


def by_the_clock(moment: float) -> str:
    """``13:31:16 UTC`` for a *moment* of the monotonic clock, as logs have it."""
    return f"{datetime.fromtimestamp(time.time() - time.monotonic() + moment, UTC):%H:%M:%S} UTC"


def _apart() -> float:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
