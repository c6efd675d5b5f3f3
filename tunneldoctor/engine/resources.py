"""What was opened during a run and must be closed at its end, however it ends."""

import logging
import threading
from typing import TypeVar

from tunneldoctor.model import Closeable

C = TypeVar("C", bound=Closeable)
_log = logging.getLogger(__name__)


class Resources:
    """Open sockets, transports and channels; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Closeable] = []
        self._closed = False

    def add(self, resource: C) -> C:
        """Keep *resource* for closing; it is closed at once where the run is over already."""
        with self._lock:
            if not self._closed:
                self._open.append(resource)
                return resource
        _close(resource)
        return resource

    def close(self) -> None:
        """Close all, last opened first."""
        with self._lock:
            self._closed = True
            resources, self._open = self._open, []
        for resource in reversed(resources):
            _close(resource)


def _close(resource: Closeable) -> None:
    try:
        resource.close()
    except Exception as error:  # closing a broken connection may raise anything; nothing is lost by it
        _log.debug("closing %s: %s", type(resource).__name__, type(error).__name__)
