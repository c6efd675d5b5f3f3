"""What all screens of one session share: how to find a tunnel, the installed checks, what was typed, the past."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tunneldoctor.model import Policy, Reference, Report, Secret, Tunnel
from tunneldoctor.tui.asked import Asked
from tunneldoctor.tui.bridge import Installed

if TYPE_CHECKING:
    from tunneldoctor.history import History

#: Seconds between two runs of a watch.
EVERY = 30.0


def _read(reference: Reference) -> Secret:
    from tunneldoctor.config import read_secret  # not loaded before the first screen is up

    return read_secret(reference)


class UnknownTunnel(LookupError):
    """There is no such tunnel, or the configuration can't be used; the text is one line for the user."""


@dataclass(frozen=True, slots=True)
class Session:
    """``find`` gives the tunnel of a name, or raises UnknownTunnel; ``option`` is the file of ``--config``.

    ``watch`` is seconds between two runs of a watch; ``clock`` counts seconds, for what is still running.
    """

    find: Callable[[str], Tunnel]
    option: Path | None = None
    history: Callable[[Callable[[str], None]], History | None] = lambda tell: None
    policy: Policy = field(default_factory=Policy)
    watch: float = EVERY
    unicode: bool = True
    clock: Callable[[], float] = time.monotonic
    installed: Installed = field(default_factory=Installed)
    asked: Asked = field(default_factory=lambda: Asked(_read))

    def last_run(self, name: str) -> Report | None:
        """The run of the tunnel *name* that was kept last."""
        history = self.history(lambda _: None)
        kept = history.last(name) if history else None
        return kept.report if kept else None

    def paths(self) -> dict[str, str]:
        """Where the files are, by what they are for."""
        import platformdirs

        history = self.history(lambda _: None)
        log = platformdirs.user_log_path("tunneldoctor", appauthor=False)
        option = {"configuration": str(self.option)} if self.option else {}
        return {**option, **({"history": str(history.folder)} if history else {}), "log of defects": str(log)}
