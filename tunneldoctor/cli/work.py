"""Examine what was asked for, and bring the document to where it is wanted; returns the exit status."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.cli.defect import describe, write_log
from tunneldoctor.cli.documents import Documents
from tunneldoctor.cli.examine import Request
from tunneldoctor.cli.failure import note
from tunneldoctor.cli.fleet import examine_all
from tunneldoctor.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.cli.options import Presentation
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.model import Event, Policy, Report, Tunnel


@dataclass(frozen=True, slots=True)
class Orders:
    """What ``check`` was told. ``wait`` is seconds, ``fleet`` asks for the fleet's document even for one tunnel."""

    policy: Policy
    presentation: Presentation
    wait: float | None = None
    jobs: int = 1
    fleet: bool = False


def work(tunnels: Sequence[Tunnel], orders: Orders, stop: Stop) -> int:
    """Examine *tunnels* and write the document."""
    _silence_libraries()
    presentation = orders.presentation
    with Documents(presentation, orders.fleet) as documents:
        progress = Progress.on_stderr(presentation.quiet or documents.streams_to_terminal, presentation.verbose)
        started = datetime.now(UTC)
        try:
            reports = _examine(tunnels, orders, stop, progress, documents)
        finally:
            progress.clear()
        return documents.finish(reports, started, datetime.now(UTC))


def _examine(
    tunnels: Sequence[Tunnel], orders: Orders, stop: Stop, progress: Progress, documents: Documents
) -> list[Report]:
    from tunneldoctor.cli.checks import installed_catalog, installed_packages

    request = Request(installed_packages(), installed_catalog(), orders.policy, orders.wait, progress.say)

    def see(tunnel: Tunnel, event: Event) -> None:
        progress.see(tunnel.name, event)
        documents.see(tunnel, event)

    return examine_all(tunnels, request, stop, orders.jobs, see)


def _silence_libraries() -> None:
    """Without a handler, logging prints warnings to stderr itself, with whatever a server said in them."""
    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = _log_a_threads_end


def _log_a_threads_end(ended: threading.ExceptHookArgs) -> None:
    """A thread of a library's ended with an exception; its traceback is not for the terminal."""
    note(f"a thread ended with {ended.exc_type.__name__}; {write_log([describe(ended.exc_value)])}")
