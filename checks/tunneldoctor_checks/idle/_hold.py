"""Leave connections alone for as long as asked for, all at the same time, and see which of them live."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Policy, Tunnel

if TYPE_CHECKING:
    from tunneldoctor.idle.flow import Loss
    from tunneldoctor_checks.idle._lines import Line, Lines

#: Seconds between two looks at the connections, and between two words of progress.
_TICK, _WORD = 0.1, 5.0
#: Seconds that opening the connections and noticing a dead one take beyond the pause: six transmissions that go
#: unanswered take 6.2 s where the round trip is short (RFC 6298), on two legs one after the other.
_BESIDE = 20.0
#: Once the tunnel's own connection is gone each other gets as long, and this share and so many seconds more, to follow:
#: servers count whole seconds.
FOLLOW_SHARE, FOLLOW = 0.05, 2.0
#: What is in use is used after that share of the pause, and that many seconds at least and at most.
_USED, _OFTEN, _SELDOM = 1 / 6, 0.5, 5.0
#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.5


class Hold:
    """One pause of all *lines*. ``held`` is how many seconds it lasted."""

    def __init__(self, context: Context, lines: Lines) -> None:
        self._context = context
        self._lines = lines
        self._wanted = context.policy.idle or 0.0
        self._stop = threading.Event()
        self._use_last = threading.Event()
        self.held = 0.0
        #: Seconds for which this machine was asleep meanwhile.
        self.slept = 0.0

    def run(self) -> str:
        """Wait, then use each connection. Why nothing can be told, in words; empty where it can."""
        in_use = threading.Thread(target=self._keep_in_use, name="in use", daemon=True)
        in_use.start()
        try:
            self._wait()
            if not self._context.cancelled.is_set() and not self.slept:
                self._use_last.set()
                self._use_all()
                in_use.join(max(0.1, self._left()))
            if self.slept:
                return f"this machine slept for {self.slept:.0f} s meanwhile, which no box on the way did"
            return self._interrupted() if self._context.cancelled.is_set() else ""
        finally:
            self._stop.set()
            for line in (*self._lines.all[1:], *([self._lines.control] if self._lines.control else [])):
                threading.Thread(target=line.flow.close, name="closing", daemon=True).start()

    def _interrupted(self) -> str:
        seen = f"{self._alive()} of {len(self._lines.all)} connections are open as far as can be seen"
        return f"interrupted after {self.held:.0f} s of {self._wanted:.0f} s: {seen}"

    def _alive(self) -> int:
        return sum(line.loss is None for line in self._lines.all)

    def _wait(self) -> None:
        from tunneldoctor.idle.clocks import Clocks

        clocks, start = Clocks(), time.monotonic()
        end, said, kept = start + self._wanted, start - _WORD, start
        while (now := time.monotonic()) < end and not self._context.cancelled.wait(min(_TICK, end - now)):
            self.held = time.monotonic() - start
            if now - said >= _WORD:
                said = now
                self._tell()
            if self._look():
                end = min(end, self._followed())
            if self._lines.kept and now - kept >= self._context.tunnel.keepalive:
                kept = now
                self._keep()
        self.held, self.slept = time.monotonic() - start, clocks.slept()

    def _look(self) -> bool:
        """Whether the tunnel's own connection is gone."""
        for line in self._lines.all:
            if line.loss is None and not self._gone(line):
                line.silent = min(time.monotonic() - line.begun, self._wanted)
        return self._lines.all[0].loss is not None

    def _followed(self) -> float:
        """When all others have been silent for longer than the tunnel's own connection lived."""
        loss = self._lines.all[0].loss
        assert loss is not None
        return max(line.begun for line in self._lines.all) + loss.after * (1 + FOLLOW_SHARE) + FOLLOW

    def _gone(self, line: Line) -> bool:
        if ssh := line.ssh.look():
            line.loss, line.leg = ssh, line.ssh.leg
        elif line.flow is not line.ssh and (loss := line.flow.look()):
            line.loss, line.leg = loss, line.flow.leg
        return line.loss is not None

    def _keep(self) -> None:
        """As the real client's ServerAliveInterval does."""
        if answer := self._lines.all[0].ssh.transport.question():
            self._lines.asked.append(answer)

    def _keep_in_use(self) -> None:
        """Use the control all the time, and for the last time together with all others: an outage then meets all."""
        line, every = self._lines.control, min(_SELDOM, max(_OFTEN, self._wanted * _USED))
        last = line is None
        while line and not (last or line.loss or line.unmeasured or self._stop.is_set()):
            last = self._use_last.wait(every)
            self._use(line)

    def _tell(self) -> None:
        left = max(0.0, self._wanted - self.held)
        text = f"unused for {self.held:.0f} s, {left:.0f} s to go; {self._alive()} of {len(self._lines.all)} alive"
        values = {"elapsed_seconds": round(self.held, 1), "left_seconds": round(left, 1), "alive": self._alive()}
        self._context.progress(text, **values)

    def _use_all(self) -> None:
        asked = [line for line in self._lines.all if line.loss is None and not self._too_early(line)]
        threads = [threading.Thread(target=self._use, args=(line,), daemon=True) for line in asked]
        for thread in threads:
            thread.start()
        for thread, line in zip(threads, asked, strict=True):
            thread.join(max(0.1, self._left()))
            if thread.is_alive() and line.loss is None:
                line.unmeasured = "there was no time left to see what became of it"

    def _too_early(self, line: Line) -> bool:
        """Where the pause was broken off a server that sleeps is not woken: it is there, as far as can be seen."""
        return line.server_first and self.held < self._wanted - 2 * _TICK

    def _left(self) -> float:
        return self._context.remaining() - _MARGIN

    def _use(self, line: Line) -> None:
        from tunneldoctor.idle.flow import NotOpened

        try:
            loss = line.flow.probe(self._left(), self._stop, lambda: None)
        except NotOpened as error:
            line.unmeasured = str(error)
            return
        if loss and (line is self._lines.control or line.kept is self._lines.kept):
            self._locate(line, loss)
        line.loss = line.loss or loss  # without the keepalive it is enough to know that it went

    def _locate(self, line: Line, loss: Loss) -> None:
        """On which leg it was lost, and how: what ended the SSH connection ended all that runs over it."""
        from tunneldoctor.idle.flow import How

        ssh: Loss | None = None
        if line.flow is not line.ssh:
            ssh = self._after_all(line) if line.server_first and loss.how is How.SILENT else self._ask(line)
        line.leg = line.ssh.leg if ssh or line.late else line.flow.leg
        if ssh and loss.how is How.SILENT:
            loss = replace(ssh, how=How.RESET) if ssh.how is How.CLOSED else ssh
        line.loss = loss

    def _ask(self, line: Line) -> Loss | None:
        return line.ssh.probe(self._left(), self._stop, lambda: None)

    def _after_all(self, line: Line) -> Loss | None:
        from tunneldoctor.idle.database_flow import DatabaseFlow, heard_after_all

        assert isinstance(line.flow, DatabaseFlow)
        heard = heard_after_all(line.flow, line.ssh, self._left(), self._stop)
        line.late = heard is True
        return None if isinstance(heard, bool) else heard


def not_asked(tunnel: Tunnel, policy: Policy) -> str | None:
    """It takes its time, and so is done only on demand."""
    return None if policy.idle else "not asked for: --idle 10m"


def held_for(tunnel: Tunnel, policy: Policy) -> float:
    """The seconds that it takes: the pause, and a little more."""
    return policy.idle + _BESIDE if policy.idle else 0.0
