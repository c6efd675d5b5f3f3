"""Examine one tunnel, as often as ``--wait`` asks for; whatever happens, there is a report at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tunneldoctor.examination.examination import Examination, may_heal
from tunneldoctor.model import Event, RunFinished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.model import CheckPackage, Policy, Report, Tunnel

#: Seconds before the second try of ``--wait``; each further pause is half as long again, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 5.0, 60.0, 1.5


@dataclass(frozen=True, slots=True)
class Request:
    """What to do with each tunnel. ``wait`` is seconds; ``tell`` says a line to the user."""

    packages: Sequence[CheckPackage]
    catalog: Catalog
    policy: Policy
    wait: float | None
    tell: Callable[[str], None]


def examine(tunnel: Tunnel, request: Request, stop: Stop, see: Callable[[Event], None]) -> Report:
    """Examine *tunnel*; *see* gets the events, of which the last holds the report that is returned.

    No secret that was read for it, or stands in the tunnel itself, is in an event or in the report.
    """
    end = time.monotonic() + (request.wait or 0)
    pause = FIRST_PAUSE
    while True:
        finished = _once(tunnel, request, stop, see)
        report = finished.report
        if stop.is_set or time.monotonic() + pause > end or not may_heal(report, request.catalog):
            break
        request.tell(f"{tunnel.name}: {_title(report)}; looking again in {pause:.0f} s")
        if stop.wait(pause):
            finished = replace(finished, report=replace(report, complete=False, exit_code=stop.exit_code or 130))
            break
        pause = min(pause * GROWTH, LONGEST_PAUSE)
    see(finished)
    return finished.report


def _once(tunnel: Tunnel, request: Request, stop: Stop, see: Callable[[Event], None]) -> RunFinished:
    """One run. Its last event is returned instead of shown, since another run may follow."""
    examination = Examination(tunnel, request.packages, request.catalog, request.policy, request.tell)
    with stop.telling(examination.cancel):
        for event in examination.events():
            if isinstance(event, RunFinished):
                return event
            see(event)
    raise AssertionError("a run without an end")


def _title(report: Report) -> str:
    return report.diagnosis.title if report.diagnosis else report.verdict.value
