"""What is going on, on stderr: one line that renews itself on a terminal, nothing elsewhere unless asked for."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING

from tunneldoctor.cli.failure import note
from tunneldoctor.model import CheckFinished, CheckProgress, CheckStarted, Event, RunStarted, visible

if TYPE_CHECKING:
    from tunneldoctor.model import PlannedCheck

_CLEAR = "\r\x1b[K"


class Progress:
    """Reads the events of one or several runs, from any thread."""

    def __init__(self, live: bool, verbose: int) -> None:
        self._live = live
        self._verbose = verbose
        self._lock = threading.Lock()
        self._planned: dict[str, dict[tuple[str, str], PlannedCheck]] = {}
        self._ended: dict[str, int] = {}

    @classmethod
    def on_stderr(cls, quiet: bool, verbose: int) -> Progress:
        """Live on a terminal that can erase a line."""
        return cls(sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not quiet, 0 if quiet else verbose)

    def see(self, tunnel: str, event: Event) -> None:
        """Show *event* of *tunnel*'s run."""
        with self._lock:
            if isinstance(event, RunStarted):
                self._planned[tunnel] = {(each.id, each.hop): each for each in event.planned}
                self._ended[tunnel] = 0
            elif isinstance(event, CheckStarted):
                planned = self._planned[tunnel].get((event.check, event.hop))
                self._show(tunnel, f"{event.hop}: {planned.title if planned else event.check}")
            elif isinstance(event, CheckProgress):
                self._show(tunnel, f"{event.hop}: {event.text}", spoken=True)
            elif isinstance(event, CheckFinished):
                self._ended[tunnel] += 1
                self._plain(tunnel, f"{event.result.status} {event.result.id} ({event.result.hop})", self._verbose > 1)

    def say(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            self._erase()
            note(text)

    def clear(self) -> None:
        """Leave the terminal as it was."""
        with self._lock:
            self._erase()

    def _show(self, tunnel: str, text: str, spoken: bool = False) -> None:
        if not self._live:
            self._plain(tunnel, text, spoken and self._verbose > 0)
            return
        line = visible(f"{tunnel} {self._ended[tunnel]}/{len(self._planned[tunnel])} {text}")
        width = shutil.get_terminal_size().columns - 1
        self._write(_CLEAR + line[:width])

    def _plain(self, tunnel: str, text: str, wanted: bool) -> None:
        if wanted:
            self._erase()
            note(f"{tunnel}: {text}")

    def _erase(self) -> None:
        if self._live:
            self._write(_CLEAR)

    def _write(self, text: str) -> None:
        encoding = sys.stderr.encoding or "ascii"
        sys.stderr.write(text.encode(encoding, "replace").decode(encoding))
        sys.stderr.flush()
