"""One verdict and one exit status for several tunnels."""

from datetime import UTC, datetime

import pytest

from tunneldoctor.model import Fleet, Hop, Redacted, Report, Tunnel, Vantage, Verdict

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)


def report(verdict: Verdict, exit_code: int) -> Report:
    return Report(
        tunnel=Tunnel("orders", (Hop("bastion", "bastion.example.com"),)),
        vantage=Vantage("laptop"),
        started_at=NOW,
        finished_at=NOW,
        duration_ms=0.0,
        complete=True,
        verdict=verdict,
        exit_code=exit_code,
        diagnosis=None,
        path=(),
        checks=(),
        facts={},
        redacted=Redacted(),
        counts={},
    )


HEALTHY = report(Verdict.HEALTHY, 0)
DEGRADED = report(Verdict.DEGRADED, 0)
DEGRADED_THAT_COUNTS = report(Verdict.DEGRADED, 1)
INCONCLUSIVE = report(Verdict.INCONCLUSIVE, 3)
BROKEN = report(Verdict.BROKEN, 1)
INTERRUPTED = report(Verdict.INCONCLUSIVE, 130)


@pytest.mark.parametrize(
    ("reports", "verdict", "exit_code"),
    [
        ([HEALTHY, HEALTHY], Verdict.HEALTHY, 0),
        ([HEALTHY, DEGRADED], Verdict.DEGRADED, 0),
        ([INCONCLUSIVE, DEGRADED], Verdict.INCONCLUSIVE, 3),
        ([INCONCLUSIVE, BROKEN, HEALTHY], Verdict.BROKEN, 1),
        ([INCONCLUSIVE, DEGRADED_THAT_COUNTS], Verdict.INCONCLUSIVE, 1),
        ([BROKEN, INTERRUPTED], Verdict.BROKEN, 130),
        ([], Verdict.HEALTHY, 0),
    ],
)
def test_the_worst_tunnel_speaks_for_the_fleet(reports: list[Report], verdict: Verdict, exit_code: int) -> None:
    fleet = Fleet.of(reports, NOW, NOW)
    assert (fleet.verdict, fleet.exit_code) == (verdict, exit_code)


def test_every_verdict_is_counted_and_the_order_of_the_tunnels_kept() -> None:
    fleet = Fleet.of([BROKEN, HEALTHY, BROKEN], NOW, NOW)
    assert dict(fleet.counts) == {
        Verdict.HEALTHY: 1,
        Verdict.DEGRADED: 0,
        Verdict.BROKEN: 2,
        Verdict.INCONCLUSIVE: 0,
    }
    assert fleet.reports == (BROKEN, HEALTHY, BROKEN)
