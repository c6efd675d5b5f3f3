"""The threads of a ladder: one opens connections politely, and one each waits for the answer of a probe."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from tunneldoctor.idle.flow import Loss, NotOpened
from tunneldoctor.idle.plan import A_SECOND
from tunneldoctor.idle.series import Rung

#: So many openings in a row that fail are enough: a server that refuses is not pressed.
_REFUSALS = 2
#: Seconds that a probe may wait where the system can count retransmissions; slow ways double long time-outs.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection is there."""

    rung: Rung


@dataclass(frozen=True, slots=True)
class Refused:
    """A connection was not to be had, or can't tell anything any more."""

    rung: Rung
    reason: str


@dataclass(frozen=True, slots=True)
class Doubted:
    """A probe has had no answer for a while."""

    rung: Rung


@dataclass(frozen=True, slots=True)
class Probed:
    """A probe is over: the connection lives (None), or is gone."""

    rung: Rung
    loss: Loss | None


@dataclass(frozen=True, slots=True)
class Kept:
    """Something was sent on a connection that is kept busy; *loss*: that showed that it is gone."""

    rung: Rung
    loss: Loss | None


@dataclass(frozen=True, slots=True)
class _Broken:
    """A defect of ours, to be raised where somebody sees it."""

    error: Exception


Message = Opened | Refused | Doubted | Probed | Kept


_log = logging.getLogger(__name__)


class Crew:
    """Does what takes time, and tells by messages. ``stop`` ends all of it."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._inbox: queue.SimpleQueue[Message | _Broken] = queue.SimpleQueue()
        self._opening: threading.Thread | None = None
        self.stop = threading.Event()

    @property
    def opening(self) -> bool:
        """Whether connections are still being opened."""
        return self._opening is not None and self._opening.is_alive()

    def messages(self, seconds: float) -> list[Message]:
        """What has happened; waits for at most *seconds* where nothing has. Raises what escaped from a flow."""
        try:
            found = [self._inbox.get(timeout=seconds)]
        except queue.Empty:
            return []
        while not self._inbox.empty():
            found.append(self._inbox.get())
        for each in found:
            if isinstance(each, _Broken):
                raise each.error
        return [each for each in found if not isinstance(each, _Broken)]

    def open(self, rungs: Sequence[Rung]) -> None:
        """Open *rungs*, one after the other, at most two a second: none waits for its login beside another."""
        self._opening = threading.Thread(target=self._open_all, args=(list(rungs),), name="opening", daemon=True)
        self._opening.start()

    def probe(self, rung: Rung) -> None:
        """Use *rung*, and tell what comes of it."""
        rung.probing = True
        threading.Thread(target=self._probe, args=(rung,), name=f"probe {rung.flow.name}", daemon=True).start()

    def keep(self, rung: Rung) -> None:
        """Send on *rung* what its arm asks for; nobody else uses it meanwhile."""
        rung.probing = True
        threading.Thread(target=self._keep, args=(rung,), name=f"keeping {rung.flow.name}", daemon=True).start()

    def dismiss(self, rungs: Sequence[Rung]) -> None:
        """End all of it, and close *rungs* without waiting: each takes a moment to say goodbye."""
        self.stop.set()
        for rung in rungs:
            threading.Thread(target=_close, args=(rung,), name=f"closing {rung.flow.name}", daemon=True).start()

    def _open_all(self, rungs: list[Rung]) -> None:
        refusals = 0
        starts: deque[float] = deque([-inf] * A_SECOND, maxlen=A_SECOND)
        for number, rung in enumerate(rungs):
            self.stop.wait(max(0.0, starts[0] + 1.0 - time.monotonic()))
            if self.stop.is_set():
                return
            if refusals >= _REFUSALS:
                for each in rungs[number:]:
                    self._inbox.put(Refused(each, ""))
                return
            starts.append(time.monotonic())
            try:
                rung.flow.open(self._timeout)
                refusals = 0
                self._inbox.put(Opened(rung))
            except NotOpened as error:
                refusals += 1
                self._inbox.put(Refused(rung, str(error)))
            except Exception as error:
                self._inbox.put(_Broken(error))
                return

    def _probe(self, rung: Rung) -> None:
        try:
            loss = rung.flow.probe(PATIENCE, self.stop, lambda: self._inbox.put(Doubted(rung)))
        except NotOpened as error:  # it turned out that nothing was measured
            self._inbox.put(Refused(rung, str(error)))
            return
        except Exception as error:
            self._inbox.put(_Broken(error))
            return
        if not self.stop.is_set():
            self._inbox.put(Probed(rung, loss))

    def _keep(self, rung: Rung) -> None:
        try:
            loss = rung.flow.keep()
        except Exception as error:
            self._inbox.put(_Broken(error))
            return
        self._inbox.put(Kept(rung, loss))


def _close(rung: Rung) -> None:
    try:
        rung.flow.close()
    except Exception as error:  # closing a broken connection may raise anything; nothing is lost by it
        _log.debug("closing %s: %s", rung.flow.name, type(error).__name__)
