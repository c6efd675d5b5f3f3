"""The report as metrics in Prometheus' text format, for node_exporter's textfile collector or a gateway.

"Exposition formats" of the Prometheus documentation, version 0.0.4. Names and units follow its "Metric and label
naming": seconds, ratios, an ``_info`` metric for what is words. Labels hold the names of this tunnel's configuration
and codes, never what a server sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tunneldoctor.model import Fleet, Report, Severity, Verdict

_Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Metric:
    """A gauge; ``name`` lacks the prefix that all share."""

    name: str
    help: str


_UP = _Metric("tunnel_up", "1 where the tunnel works, warnings allowed; 0 where it is broken or could not be examined.")
_VERDICT = _Metric("tunnel_verdict", "1 for the verdict that the last examination came to, 0 for the others.")
_DIAGNOSIS = _Metric("tunnel_diagnosis_info", "What explains the verdict; not there where the tunnel is healthy.")
_FINDINGS = _Metric("tunnel_findings", "How many findings count, by severity.")
_CHECK = _Metric("check_status_info", "The status of each check that ran.")
_DURATION = _Metric("check_duration_seconds", "How long each check took.")
_LATENCY = _Metric("hop_latency_seconds", "One round trip to each stop on the way.")
_TOOK = _Metric("examination_duration_seconds", "How long the examination took.")
_WHEN = _Metric("examination_timestamp_seconds", "When it ended, in seconds since 1970.")
_COMPLETE = _Metric("examination_complete", "0 where it was interrupted.")

_Sample = tuple[_Metric, _Labels, float]


def render_prometheus(report: Report) -> str:
    """The metrics of one tunnel."""
    return _document([report])


def render_prometheus_fleet(fleet: Fleet) -> str:
    """The metrics of several tunnels, told apart by their labels."""
    return _document(fleet.reports)


def _document(reports: Sequence[Report]) -> str:
    """All samples of a metric stand together, below its help and type, as the format wants it."""
    metrics: dict[_Metric, list[str]] = {}
    for report in reports:
        for metric, labels, value in _samples(report):
            metrics.setdefault(metric, []).append(_line(metric, {"tunnel": report.tunnel.name, **labels}, value))
    return "".join(line for metric, lines in metrics.items() for line in (*_head(metric), *lines))


def _samples(report: Report) -> Iterator[_Sample]:
    yield _UP, {}, report.verdict.works and report.complete
    yield from ((_VERDICT, {"verdict": each}, each is report.verdict) for each in Verdict)
    yield from _diagnosis(report)
    counted = [each.severity for check in report.checks for each in check.findings if not each.ignored]
    yield from ((_FINDINGS, {"severity": each}, counted.count(each)) for each in Severity)
    for check in report.checks:
        if check.duration_ms is not None:
            labels = {"check": check.id, "hop": check.hop, "layer": check.layer}
            yield _CHECK, {**labels, "status": check.status}, 1
            yield _DURATION, labels, check.duration_ms / 1000
    for stop in report.path:
        if stop.latency_ms is not None:
            yield _LATENCY, {"hop": stop.hop}, stop.latency_ms / 1000
    yield _TOOK, {}, report.duration_ms / 1000
    yield _WHEN, {}, report.finished_at.timestamp()
    yield _COMPLETE, {}, report.complete


def _diagnosis(report: Report) -> Iterator[_Sample]:
    told = report.diagnosis
    if told and told.code:
        labels = {"code": told.code, "hop": told.hop, "layer": told.layer, "certain": str(told.certain).lower()}
        yield _DIAGNOSIS, labels, 1


def _head(metric: _Metric) -> tuple[str, str]:
    return f"# HELP {_name(metric)} {_escaped(metric.help, quotes=False)}\n", f"# TYPE {_name(metric)} gauge\n"


def _line(metric: _Metric, labels: _Labels, value: float) -> str:
    named = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{_name(metric)}{{{named}}} {float(value)!r}\n"


def _name(metric: _Metric) -> str:
    return f"tunneldoctor_{metric.name}"


def _escaped(text: str, quotes: bool = True) -> str:
    """Backslash, line feed and, in a label's value, the double quote."""
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return escaped.replace('"', r"\"") if quotes else escaped
