"""A company's own words about codes, in a folder that the configuration names: shown wherever the page is shown."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

CONFIGURATION = """\
notes = "./our-notes"
[tunnels.orders]
ssh_url = "ssh://tunnel@bastion.example.com"
"""
NOTE = """\
Page **data-platform**, then look at <https://grafana.example/d/7>.
\x1b[31mred\x1b[0m \u202ebackwards

- second line
"""
SHOWN = "\\x1b[31mred\\x1b[0m \\u{202e}backwards"


@pytest.fixture
def folder(company, tmp_path: Path) -> Path:
    """A note about the fault that the company's check finds."""
    company(
        "from tunneldoctor.model import Finding, Outcome\n"
        'return Outcome(findings=(Finding("config.company-fault", {"word": "W"}),))'
    )
    (tmp_path / "tunneldoctor.toml").write_text(CONFIGURATION)
    folder = tmp_path / "our-notes"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "company-fault.md").write_text(NOTE)
    (folder / "README.md").write_text("how we write these")
    return folder


CHECK = ("check", "orders", "--only", "config.company", "--no-history")


def only_finding(report: dict[str, Any]) -> dict[str, Any]:
    (finding,) = (finding for check in report["checks"] for finding in check["findings"])
    return finding


def test_the_page_shows_them_before_all_else_of_it(program, folder: Path) -> None:
    done = program("explain", "config.company-fault")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.index("> **Your notes**") < done.stdout.index("## What it means")
    assert "> Page **data-platform**" in done.stdout
    assert SHOWN in done.stdout
    assert "Your notes" not in program("explain", "config.company-complaint").stdout


def test_the_runbook_shows_them_in_both_forms(program, folder: Path) -> None:
    assert "> Page **data-platform**" in program("runbook", "config.company-fault").stdout
    html = program("runbook", "config.company-fault", "--format", "html").stdout
    assert "<blockquote>\n<p><strong>Your notes</strong></p>\n<p>Page <strong>data-platform</strong>" in html
    assert '<a href="https://grafana.example/d/7">' in html


def test_the_text_report_shows_them_with_the_fault(program, folder: Path) -> None:
    shown = program(*CHECK).stdout
    assert shown.index("make sure") < shown.index("your notes\n") < shown.index("data-platform")
    assert SHOWN in shown


def test_the_text_report_shows_a_long_one_in_part_and_says_where_the_rest_is(program, folder: Path) -> None:
    (folder / "config" / "company-fault.md").write_text("".join(f"line {number}\n" for number in range(30)))
    shown = program(*CHECK).stdout
    assert "line 7" in shown
    assert "line 8" not in shown
    assert "and 22 more lines (tunneldoctor explain config.company-fault shows all)" in shown
    assert "line 29" in program(*CHECK, "-v").stdout


def test_json_and_markdown_carry_them(program, folder: Path) -> None:
    report = json.loads(program(*CHECK, "--json").stdout)
    finding = only_finding(report)
    assert report["diagnosis"]["notes"] == finding["notes"]
    assert finding["notes"].startswith("Page **data-platform**")
    assert SHOWN in finding["notes"]
    ticket = program(*CHECK, "--format", "markdown").stdout
    assert (
        "### Your notes\n\n```markdown\nPage **data-platform**, then look at <https://grafana.example/d/7>.\n" in ticket
    )


def test_a_saved_report_keeps_them_where_the_folder_is_not(program, folder: Path, tmp_path: Path) -> None:
    program(*CHECK, "--json", "-o", "report.json")
    (tmp_path / "tunneldoctor.toml").unlink()
    assert "data-platform" in program("show", "report.json").stdout


def test_without_them_there_is_a_null_and_no_heading(program, folder: Path) -> None:
    (folder / "config" / "company-fault.md").unlink()
    report = json.loads(program(*CHECK, "--json").stdout)
    assert report["diagnosis"]["notes"] is None
    assert only_finding(report)["notes"] is None
    assert "our notes" not in program(*CHECK).stdout + program(*CHECK, "--format", "markdown").stdout


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("tcp/timout.md", "no such code: tcp.timout (did you mean tcp.timeout?)"),
        ("config/company-fualt.md", "no such code: config.company-fualt (did you mean config.company-fault?)"),
        ("tcp.refused.md", "belongs into "),
    ],
)
@pytest.mark.parametrize("command", [("explain", "tcp.refused"), ("runbook", "tcp.refused"), CHECK])
def test_a_file_that_is_about_no_code_is_told_and_changes_nothing_else(program, folder, file, told, command) -> None:
    wanted = program(*command)
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text("words")
    done = program(*command)
    assert done.returncode == wanted.returncode
    assert done.stdout.count("\n") == wanted.stdout.count("\n")
    (line,) = [line for line in done.stderr.splitlines() if "notes:" in line]
    assert line.startswith("tunneldoctor: notes: ")
    assert file in line
    assert told in line


def test_a_folder_that_is_not_there_is_told(program, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    done = program("explain", "tcp.refused")
    assert (done.returncode, done.stdout[:13]) == (0, "# tcp.refused")
    assert done.stderr.startswith("tunneldoctor: notes: ")
    assert done.stderr.endswith("our-notes: no such folder\n")


def test_a_folder_that_can_not_be_looked_into_is_told(program, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(f'notes = "./{"n" * 300}"')
    done = program("explain", "tcp.refused")
    assert (done.returncode, done.stdout[:13]) == (0, "# tcp.refused")
    assert done.stderr.endswith("n can't be read: File name too long\n")


def test_one_that_is_no_file_says_so_in_its_place(program, folder: Path) -> None:
    (folder / "config" / "company-fault.md").unlink()
    os.mkfifo(folder / "config" / "company-fault.md")
    assert "company-fault.md can't be read: not a file)" in program("explain", "config.company-fault").stdout


def test_one_of_any_size_is_cut_and_says_so(program, folder: Path) -> None:
    with (folder / "config" / "company-fault.md").open("wb") as file:
        file.write(b"first\n\xff\xfe\n")
        file.truncate(10_000_000_000)
    shown = program("explain", "config.company-fault").stdout
    assert "> first\n> \\xff\\xfe\n" in shown
    assert "goes on: only its first 16 KiB are shown" in shown
    assert len(shown) < 100_000


def test_a_page_is_shown_though_the_configuration_can_not_be_read(program, tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text("notes = [")
    done = program("explain", "tcp.refused")
    assert (done.returncode, done.stdout[:13]) == (0, "# tcp.refused")
    assert "tunneldoctor.toml" in done.stderr
    assert program("check").returncode == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("notes = 3\n", 'tunneldoctor.toml:1: notes must be the path of a folder in quotes: notes = "./notes"'),
        ('[tunnels.x]\nnotes = "./n"\n', "unknown key 'notes' in [tunnels.x]; write it above the first [table]"),
        ('note = "./n"\n', "unknown key 'note' (did you mean notes?)"),
    ],
)
def test_the_key_is_refused_where_it_can_not_be_used(program, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(text)
    done = program("check")
    assert done.returncode == 2
    assert told in done.stderr
