"""One deadline for each stage of a hop, shared by all that look at it."""

import time


class Deadline:
    """Runs from its making; *seconds* long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start = time.monotonic()

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.left())

    def half_time(self) -> float:
        """Seconds until half of it is used, never negative."""
        return max(0.0, self._start + self._seconds / 2 - time.monotonic())

    def left(self) -> float:
        """Seconds until the end; negative once it is over."""
        return self._start + self._seconds - time.monotonic()
