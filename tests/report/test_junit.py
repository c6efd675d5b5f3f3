"""JUnit XML as continuous integration reads it."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta

from tests.report.samples import STARTED
from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import Fleet, Report, Status
from tunneldoctor.report import render_junit, render_junit_fleet

KIND = {
    Status.PASS: set(),
    Status.WARN: {"system-out"},
    Status.FAIL: {"failure"},
    Status.UNKNOWN: {"error"},
    Status.ERROR: {"error"},
    Status.BLOCKED: {"skipped"},
    Status.SKIPPED: {"skipped"},
}


def suites(text: str) -> list[ET.Element]:
    return ET.fromstring(text).findall("testsuite")


def test_every_check_is_a_case_with_the_end_it_had(report: Report) -> None:
    (suite,) = suites(render_junit(report))
    cases = suite.findall("testcase")
    assert len(cases) == len(report.checks)
    for case, check in zip(cases, report.checks, strict=True):
        assert (case.get("name") or "").startswith(f"{check.id}: ")
        remarks = {"system-out"} if check.findings and not all(each.ignored for each in check.findings) else set()
        assert {child.tag for child in case} - remarks == KIND[check.status] - remarks


def test_the_numbers_of_the_suite_are_those_of_its_cases(report: Report) -> None:
    (suite,) = suites(render_junit(report))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(name, "-1")) == len(suite.findall(f"testcase/{tag}"))


def test_a_failure_has_its_code_the_evidence_and_what_to_do() -> None:
    (suite,) = suites(render_junit(SCENARIOS["broken"]()))
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.text
    assert failure.get("type") == "forward.refused"
    assert "seen from here: message: open failed" in failure.text
    assert "on the database$ sudo ss -ltnp" in failure.text


def test_what_was_blocked_names_what_blocks_it() -> None:
    (suite,) = suites(render_junit(SCENARIOS["broken"]()))
    skipped = {element.get("message") for element in suite.findall("testcase/skipped")}
    assert "not run, because of forward.refused" in skipped


def test_hostile_text_arrives_as_text() -> None:
    (suite,) = suites(render_junit(SCENARIOS["hostile"]()))
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.text
    assert "</failure>]]>" in failure.text
    assert len(list(failure)) == 0
    assert "\\x1b[31m" in failure.text


def test_a_fleet_has_a_suite_for_each_tunnel() -> None:
    broken = SCENARIOS["broken"]()
    billing = replace(SCENARIOS["healthy"](), tunnel=replace(broken.tunnel, name="billing"))
    text = render_junit_fleet(Fleet.of([billing, broken], STARTED, STARTED + timedelta(seconds=2)))
    assert [suite.get("name") for suite in suites(text)] == ["billing", "orders"]
    root = ET.fromstring(text)
    assert (root.get("tests"), root.get("failures")) == (str(len(billing.checks) + len(broken.checks)), "1")
