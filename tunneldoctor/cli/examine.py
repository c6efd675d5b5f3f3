"""Examine one tunnel, as often as ``--wait`` asks for; whatever happens, there is a report at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.cli.broken_off import broken_off
from tunneldoctor.cli.defect import describe, write_log
from tunneldoctor.cli.failure import Failure
from tunneldoctor.model import CheckFinished, Event, Retry, RunFinished, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.model import CheckPackage, CheckReport, Policy, Report, Tunnel

#: Seconds before the second try of ``--wait``; each further pause is half as long again, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 5.0, 60.0, 1.5
_DEFECT = "a defect of tunneldoctor's own"


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
        if stop.is_set or time.monotonic() + pause > end or not _may_heal(report, request.catalog):
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
    started = datetime.now(UTC)
    seen: list[CheckReport] = []
    try:
        return _run(tunnel, request, stop, see, seen)
    except Failure:
        raise
    except Exception as error:
        where = write_log([describe(error)])
        request.tell(f"{_DEFECT} ({type(error).__name__}); {where}")
        report = broken_off(tunnel, seen, started, f"{_DEFECT}: {type(error).__name__}; {where}")
        return RunFinished(report.duration_ms, report)


def _run(
    tunnel: Tunnel, request: Request, stop: Stop, see: Callable[[Event], None], seen: list[CheckReport]
) -> RunFinished:
    from tunneldoctor.config import read_secret
    from tunneldoctor.engine import Run
    from tunneldoctor.report import redact_event, secrets_in

    run = Run(tunnel, request.packages, request.policy, read_secret, request.catalog)
    written = tuple(secrets_in(tunnel))
    with stop.telling(run.cancel):
        for raw in run.events():
            event = redact_event(raw, [*written, *run.secrets])
            if isinstance(event, RunFinished):
                return replace(event, report=_with_log(event.report, run.defects, request.tell))
            if isinstance(event, CheckFinished):
                seen.append(event.result)
            see(event)
    raise AssertionError("a run without an end")


def _may_heal(report: Report, catalog: Catalog) -> bool:
    """Every error is of a kind that can pass, and there is one."""
    if report.exit_code != 1:
        return False
    findings = [each for check in report.checks for each in check.findings if each.severity is Severity.ERROR]
    pages = [catalog.find(each.symptom or each.code) for each in findings if not each.ignored]
    return bool(pages) and all(page is not None and page.retry is not Retry.NEVER for page in pages)


def _title(report: Report) -> str:
    return report.diagnosis.title if report.diagnosis else report.verdict.value


def _with_log(report: Report, defects: Sequence[BaseException], tell: Callable[[str], None]) -> Report:
    """Defects inside checks are in the report already; write them down, and say where in their checks' reasons."""
    if not defects:
        return report
    where = write_log([describe(error) for error in defects])
    tell(f"{_DEFECT}; {where}")
    told = (
        replace(each, reason=f"{each.reason}; {where}") if each.status is Status.ERROR else each
        for each in report.checks
    )
    return replace(report, checks=tuple(told))
