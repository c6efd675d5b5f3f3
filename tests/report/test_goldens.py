"""What a reader gets in every situation and format, whole: ``goldens/<scenario>.<exit status>.<format>``."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.conftest import GOLDENS
from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import Report
from tunneldoctor.report import render_junit, render_markdown, render_text, report_json

FORMATS: dict[str, Callable[[Report], str]] = {
    "text": lambda report: render_text(report, color=False, unicode=True, width=100),
    "narrow": lambda report: render_text(report, color=False, unicode=False, width=80),
    "verbose": lambda report: render_text(report, color=False, unicode=True, width=100, verbose=1),
    "json": report_json,
    "markdown": render_markdown,
    "junit": render_junit,
}


@pytest.mark.parametrize("format_", FORMATS)
def test_a_situation_reads_as_it_did(
    scenario: str, format_: str, report: Report, assert_golden: Callable[[str, str], None]
) -> None:
    assert_golden(f"{scenario}.{report.exit_code}.{format_}", FORMATS[format_](report))


def test_there_is_no_golden_without_a_situation() -> None:
    wanted = {f"{name}.{make().exit_code}.{format_}" for name, make in SCENARIOS.items() for format_ in FORMATS}
    assert {path.name for path in Path(GOLDENS).iterdir()} == wanted
