"""Leave a connection alone for as long as asked for, and notice when it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Outcome, Policy, Tunnel, found

if TYPE_CHECKING:
    from tunneldoctor.ssh.transport import Transport

CODES = (
    "idle.dropped-silently", "idle.dropped-with-reset", "idle.closed", "idle.not-idle", "idle.keepalive-too-slow",
    "idle.keepalive-missing",
)  # fmt: skip
#: Seconds between two looks at whether the run was cancelled, and between two words of progress.
_TICK, _WORD = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Loss:
    """How a connection went: ``closed`` while it was left alone, ``reset`` or ``silent`` when it was used again."""

    how: str
    evidence: tuple[Evidence, ...] = ()
    sqlstate: str = ""


class Hold:
    """One pause. ``held`` is how many seconds it lasted so far.

    With a keepalive configured the SSH server is asked something as often as the real client would; else nothing is
    sent at all.
    """

    def __init__(self, context: Context, ssh: Transport) -> None:
        self._context = context
        self._ssh = ssh
        self._wanted = context.policy.idle or 0.0
        self._keepalive = context.tunnel.keepalive
        self.held = 0.0

    def watch(self, listen: Callable[[float], Loss | None]) -> Loss | None:
        """Wait; *listen* waits for at most the seconds it is given and says whether the connection went."""
        start = time.monotonic()
        said, kept = start - _WORD, start
        while (left := start + self._wanted - time.monotonic()) > 0 and not self._context.cancelled.is_set():
            now = time.monotonic()
            if now - said >= _WORD:
                self._context.progress(f"unused for {now - start:.0f} s, {left:.0f} s to go")
                said = now
            loss = listen(min(_TICK, left))
            self.held = time.monotonic() - start
            if loss:
                return loss
            if self._keepalive and time.monotonic() - kept >= self._keepalive:
                self._ssh.round_trip(min(self.time_to_answer(), self._keepalive))
                kept = time.monotonic()
        return None

    def time_to_answer(self) -> float:
        """Seconds that one question may take, so that two fit into what the stage has left."""
        return self._context.remaining() / 2

    def ssh_answers(self) -> bool:
        """Whether the SSH server itself still answers."""
        return self._ssh.is_active and self._ssh.round_trip(self.time_to_answer()) is not None


def survived(context: Context) -> Outcome:
    """Nothing was lost: worth a word only where nothing would protect the connection either."""
    measured = {"idle.survived_seconds": context.policy.idle}
    if context.tunnel.keepalive:
        return Outcome(measured=measured)
    seconds = round(context.policy.idle or 0)
    return found(Finding("idle.keepalive-missing", {"seconds": seconds}), measured=measured)


def not_asked(tunnel: Tunnel, policy: Policy) -> str | None:
    """It takes its time, and so is done only on demand."""
    return None if policy.idle else "not asked for: --idle 10m"
