"""One run over one tunnel, fit to be shown: secrets taken out, defects of our own written down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tunneldoctor.examination.broken_off import broken_off
from tunneldoctor.examination.defect import describe, write_log
from tunneldoctor.model import CheckFinished, Event, Retry, RunFinished, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.engine import Run
    from tunneldoctor.model import CheckPackage, CheckReport, Policy, Reference, Report, Secret, Tunnel

_DEFECT = "a defect of tunneldoctor's own"


@dataclass(slots=True)
class Examination:
    """Read :meth:`events` once, to the end; :meth:`cancel` from any thread.

    ``tell`` says a line to the user. ``read`` reads secrets; None: as the configuration's references say.
    """

    tunnel: Tunnel
    packages: Sequence[CheckPackage]
    catalog: Catalog
    policy: Policy
    tell: Callable[[str], None]
    read: Callable[[Reference], Secret] | None = None
    _run: Run | None = field(default=None, init=False)
    _cancelled: int | None = field(default=None, init=False)
    _seen: list[CheckReport] = field(default_factory=list, init=False)

    def cancel(self, exit_code: int = 130) -> None:
        """End it now; what is known so far becomes the report, whose exit code is *exit_code*."""
        self._cancelled = exit_code
        if self._run:
            self._run.cancel(exit_code)

    def events(self) -> Iterator[Event]:
        """What happens, as it happens. The last event holds the report, also where our own fault broke it off.

        No secret that was read for it, or stands in the tunnel itself, is in an event or in the report.
        """
        started = datetime.now(UTC)
        try:
            yield from self._events()
        except Exception as error:
            where = write_log([describe(error)])
            self.tell(f"{_DEFECT} ({type(error).__name__}); {where}")
            reason = f"{_DEFECT}: {type(error).__name__}; {where}"
            report = broken_off(self.tunnel, self._seen, started, reason)
            yield RunFinished(report.duration_ms, report)

    def _events(self) -> Iterator[Event]:
        from tunneldoctor.config import read_secret
        from tunneldoctor.engine import Run
        from tunneldoctor.report import redact_event, secrets_in

        self._run = run = Run(self.tunnel, self.packages, self.policy, self.read or read_secret, self.catalog)
        if self._cancelled is not None:  # before there was a run to tell
            run.cancel(self._cancelled)
        written = tuple(secrets_in(self.tunnel))
        for raw in run.events():
            event = redact_event(raw, [*written, *run.secrets])
            if isinstance(event, RunFinished):
                event = replace(event, report=_with_log(event.report, run.defects, self.tell))
            elif isinstance(event, CheckFinished):
                self._seen.append(event.result)
            yield event


def may_heal(report: Report, catalog: Catalog) -> bool:
    """Every error is of a kind that can pass, and there is one."""
    if report.exit_code != 1:
        return False
    findings = [each for check in report.checks for each in check.findings if each.severity is Severity.ERROR]
    pages = [catalog.find(each.symptom or each.code) for each in findings if not each.ignored]
    return bool(pages) and all(page is not None and page.retry is not Retry.NEVER for page in pages)


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
