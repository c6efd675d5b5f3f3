"""What a run over several tunnels comes to: their reports, one verdict, one exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tunneldoctor.model.report import Report
from tunneldoctor.model.words import Verdict

#: Which verdict speaks for all, the strongest first.
_STRENGTH = (Verdict.BROKEN, Verdict.INCONCLUSIVE, Verdict.DEGRADED, Verdict.HEALTHY)
#: From this status on, a signal ended the run: 128 and the signal's number, as shells count.
_SIGNALLED = 128


@dataclass(frozen=True, slots=True)
class Fleet:
    """Several tunnels examined in one run. ``counts`` holds every verdict, zero or not."""

    reports: tuple[Report, ...]
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    exit_code: int
    counts: Mapping[Verdict, int]

    @classmethod
    def of(cls, reports: Sequence[Report], started_at: datetime, finished_at: datetime) -> Fleet:
        """Sum up *reports*, in the order they are given."""
        verdicts = [report.verdict for report in reports]
        return cls(
            reports=tuple(reports),
            started_at=started_at,
            finished_at=finished_at,
            verdict=min(verdicts, key=_STRENGTH.index, default=Verdict.HEALTHY),
            exit_code=_exit_code([report.exit_code for report in reports]),
            counts={verdict: verdicts.count(verdict) for verdict in Verdict},
        )


def _exit_code(codes: list[int]) -> int:
    """An interruption outranks all; a failure (1) outranks what could not be checked (3)."""
    return min(codes, key=lambda code: (code <= _SIGNALLED, code == 0, code), default=0)
