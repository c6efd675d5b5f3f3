"""Heavy modules are loaded in one thread, ahead of the checks that use them and while the network is waited for.

Checks that import for themselves at the same time may see half-made modules: importlib/_bootstrap.py accepts "a
partially initialized module object" for circular imports in several threads, and paramiko and cryptography have such
imports.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable
from importlib import import_module

from tunneldoctor.engine.planned import Planned


class Loading:
    """Loads what *planned* checks declare, in their order; *wake* is called after each module."""

    def __init__(self, planned: Iterable[Planned], wake: Callable[[], None]) -> None:
        sure = [each.check for each in planned if not each.skip and not each.follows_up]
        self._modules = tuple(dict.fromkeys(module for check in sure for module in check.loads))
        self._left = set(self._modules)
        self._wake = wake

    def start(self) -> None:
        """Begin, in a thread of its own."""
        if self._modules:
            threading.Thread(target=self._load, name="loading", daemon=True).start()

    def done_for(self, planned: Planned) -> bool:
        """Whether all that *planned* declares is loaded, or was never going to be."""
        return self._left.isdisjoint(planned.check.loads)

    @property
    def over(self) -> bool:
        """Whether nothing is left to load."""
        return not self._left

    def _load(self) -> None:
        for module in self._modules:
            with contextlib.suppress(Exception):  # the check imports it again, and its defect is told there
                import_module(module)
            self._left.discard(module)
            self._wake()
