"""A company's own words about a code, with the fault in the pane."""

from dataclasses import replace
from pathlib import Path

from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import CheckPackage, Status
from tunneldoctor.tui.bridge import Installed
from tunneldoctor.tui.detail import told
from tunneldoctor.tui.state import State, with_report


def test_the_pane_shows_them_with_the_fault() -> None:
    report = SCENARIOS["broken"]()
    failed = next(check for check in report.checks if check.status is Status.FAIL)
    noted = replace(failed, findings=(replace(failed.findings[0], notes="page the platform team\x1b[2J"),))
    checks = tuple(noted if check is failed else check for check in report.checks)
    shown = told(with_report(State("orders"), replace(report, checks=checks)), (failed.id, failed.hop), 80).plain
    assert "your notes\n  page the platform team\\x1b[2J" in shown
    assert "your notes" not in told(with_report(State("orders"), report), (failed.id, failed.hop), 80).plain


def test_the_pages_of_a_run_have_them(tmp_path: Path) -> None:
    pages, notes = tmp_path / "pages", tmp_path / "notes"
    for folder, text in ((pages, '---\ntitle: "x"\nsummary: "y"\n---\nbody\n'), (notes, "page us")):
        (folder / "tcp").mkdir(parents=True)
        (folder / "tcp" / "fault.md").write_text(text)
    installed = Installed((CheckPackage("company", (), pages),), notes)
    assert installed.catalog.page("tcp.fault").notes == "page us"
