"""Metrics as Prometheus' own parser reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.report.samples import STARTED
from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import Fleet, Report, Tunnel, Verdict
from tunneldoctor.report import render_prometheus, render_prometheus_fleet


def metrics(text: str) -> dict[str, Metric]:
    """By name without the prefix. The parser raises ValueError for what is not the format."""
    return {each.name.removeprefix("tunneldoctor_"): each for each in text_string_to_metric_families(text)}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    (sample,) = (each for each in found[name].samples if labels.items() <= each.labels.items())
    return sample.value


def test_every_report_is_read_by_the_official_parser(report: Report) -> None:
    found = metrics(render_prometheus(report))
    assert all(each.documentation and each.type == "gauge" for each in found.values())
    assert {sample.labels["tunnel"] for each in found.values() for sample in each.samples} == {report.tunnel.name}
    ran = [check for check in report.checks if check.duration_ms is not None]
    assert len(found["check_status_info"].samples) == len(ran) if ran else "check_status_info" not in found


def test_exactly_one_verdict_is_set(report: Report) -> None:
    found = metrics(render_prometheus(report))
    assert {each.labels["verdict"]: each.value for each in found["tunnel_verdict"].samples} == {
        str(each): float(each is report.verdict) for each in Verdict
    }


def test_a_broken_tunnel_is_down_and_says_why() -> None:
    found = metrics(render_prometheus(SCENARIOS["broken"]()))
    assert value(found, "tunnel_up") == 0
    assert value(found, "tunnel_diagnosis_info", code="forward.refused", certain="true") == 1
    assert value(found, "tunnel_findings", severity="error") == 1


def test_a_healthy_tunnel_is_up_and_has_no_diagnosis() -> None:
    found = metrics(render_prometheus(SCENARIOS["healthy"]()))
    assert value(found, "tunnel_up") == 1
    assert "tunnel_diagnosis_info" not in found


def test_times_are_in_seconds() -> None:
    report = SCENARIOS["healthy"]()
    found = metrics(render_prometheus(report))
    assert value(found, "examination_duration_seconds") == report.duration_ms / 1000
    assert value(found, "examination_timestamp_seconds") == report.finished_at.timestamp()
    bastion = next(stop for stop in report.path if stop.hop == "bastion")
    assert bastion.latency_ms is not None
    assert value(found, "hop_latency_seconds", hop="bastion") == bastion.latency_ms / 1000


def test_tunnels_of_a_fleet_are_told_apart() -> None:
    broken = replace(SCENARIOS["broken"](), tunnel=Tunnel('a "quoted\\name"\nof two lines', (), None))
    fleet = Fleet.of([SCENARIOS["healthy"](), broken], STARTED, STARTED + timedelta(seconds=2))
    found = metrics(render_prometheus_fleet(fleet))
    assert value(found, "tunnel_up", tunnel="orders") == 1
    assert value(found, "tunnel_up", tunnel=broken.tunnel.name) == 0
