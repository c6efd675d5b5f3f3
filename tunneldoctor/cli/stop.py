"""SIGINT, SIGTERM and SIGHUP end what is running, and what was found so far is still told."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stop:
    """While entered, those signals set it instead of ending the process; a second one ends the process at once.

    What a handler may do in the main thread is little (it may hold any lock), so the signal's number goes
    through a pipe to a thread that does the telling. ``patient``: a second signal is not obeyed, because there
    is something to clean up. A signal that is ignored already (nohup, a shell's background job) stays ignored.
    """

    def __init__(self, patient: bool = False) -> None:
        self._patient = patient
        self._set = threading.Event()
        self._lock = threading.Lock()
        self._listeners: dict[int, Callable[[int], None]] = {}
        self._undo = contextlib.ExitStack()
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        self._undo.callback(writer.close)
        self._undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False))
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._undo.callback(signal.signal, number, signal.signal(number, _leave_it_to_the_thread))
        threading.Thread(target=self._watch, args=(reader,), name="signals", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @property
    def is_set(self) -> bool:
        """A signal came."""
        return self._set.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most *seconds*; True where one came."""
        return self._set.wait(seconds)

    @contextlib.contextmanager
    def telling(self, listener: Callable[[int], None]) -> Iterator[None]:
        """Call *listener* with the exit status when a signal comes, at once where it has come already."""
        with self._lock:
            self._listeners[id(listener)] = listener
            already = self.exit_code
        if already is not None:
            listener(already)
        try:
            yield
        finally:
            with self._lock:
                del self._listeners[id(listener)]

    def _watch(self, reader: socket.socket) -> None:
        with reader:
            while numbers := reader.recv(16):
                for number in numbers:
                    self._obey(128 + number)

    def _obey(self, exit_code: int) -> None:
        if self._set.is_set():
            if not self._patient:
                os._exit(exit_code)
            return
        with self._lock:
            self.exit_code = exit_code
            listeners = list(self._listeners.values())
        self._set.set()
        for listener in listeners:
            listener(exit_code)


def _leave_it_to_the_thread(*_: object) -> None:
    """Only there so that Python neither raises KeyboardInterrupt nor dies."""
