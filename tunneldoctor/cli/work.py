"""Examine what was asked for, and bring the document to where it is wanted; returns the exit status."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.cli.documents import Documents
from tunneldoctor.cli.examine import Request
from tunneldoctor.cli.failure import note
from tunneldoctor.cli.fleet import examine_all
from tunneldoctor.cli.progress import Progress
from tunneldoctor.examination.defect import describe, write_log
from tunneldoctor.model import RunFinished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.cli.options import Presentation
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.history import History
    from tunneldoctor.model import Event, Policy, Report, Tunnel


@dataclass(frozen=True, slots=True)
class Orders:
    """What ``check`` was told. ``wait`` is seconds, ``fleet`` asks for the fleet's document even for one tunnel.

    ``history`` asks to keep the reports, and to say what changed since a broken tunnel last worked. ``catalog`` has
    the pages; None: the installed ones, without anybody's notes.
    """

    policy: Policy
    presentation: Presentation
    wait: float | None = None
    jobs: int = 1
    fleet: bool = False
    history: bool = False
    catalog: Catalog | None = None


def work(tunnels: Sequence[Tunnel], orders: Orders, stop: Stop) -> int:
    """Examine *tunnels* and write the document."""
    silence_libraries()
    presentation = orders.presentation
    with Documents(presentation, orders.fleet) as documents:
        progress = Progress.on_stderr(presentation.quiet or documents.streams_to_terminal, presentation.verbose)
        started = datetime.now(UTC)
        try:
            reports, remarks = _examine(tunnels, orders, stop, progress, documents)
        finally:
            progress.clear()
        return documents.finish(reports, started, datetime.now(UTC), remarks)


def _examine(
    tunnels: Sequence[Tunnel], orders: Orders, stop: Stop, progress: Progress, documents: Documents
) -> tuple[list[Report], dict[str, str]]:
    from tunneldoctor.cli.checks import installed_catalog, installed_packages

    catalog = orders.catalog or installed_catalog()
    request = Request(installed_packages(), catalog, orders.policy, orders.wait, progress.say)
    history = _history(orders, progress)
    remarks: dict[str, str] = {}

    def see(tunnel: Tunnel, event: Event) -> None:
        progress.see(tunnel.name, event)
        documents.see(tunnel, event)
        if history and isinstance(event, RunFinished):
            if documents.is_text and (remark := history.remark(event.report)):
                remarks[tunnel.name] = remark
            history.keep(event.report)

    return examine_all(tunnels, request, stop, orders.jobs, see), remarks


def _history(orders: Orders, progress: Progress) -> History | None:
    """Where the reports go; nowhere where only a part was looked at, which says little about the tunnel."""
    if not orders.history or orders.policy.only or orders.policy.skip:
        return None
    from tunneldoctor.history import History

    return History.of_this_user(progress.say)


def silence_libraries() -> None:
    """Without a handler, logging prints warnings to stderr itself, with whatever a server said in them."""
    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = _log_a_threads_end


def _log_a_threads_end(ended: threading.ExceptHookArgs) -> None:
    """A thread of a library's ended with an exception; its traceback is not for the terminal."""
    note(f"a thread ended with {ended.exc_type.__name__}; {write_log([describe(ended.exc_value)])}")
