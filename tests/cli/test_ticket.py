"""``ticket``: one file for whoever is to help, shown before it is written, and read back by ``show``."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import Evidence, Report
from tunneldoctor.report import render_ticket, report_json, saved_from

PASSWORD = "Pl4nted-in-the-URL"
#: Nothing listens there, so that an examination is over at once.
CONFIGURATION = f"""\
[tunnels.ledger]
ssh_url = "ssh://deploy@127.0.0.1:1"
private_key = "file:acme_key"
database = "postgresql://billing_rw:{PASSWORD}@db.acme.internal:5432/invoices"
"""
NAMES = ("ledger", "deploy", "acme", "billing_rw", "invoices")


@pytest.fixture
def ticket(program, tmp_path: Path) -> Callable:
    (tmp_path / "tunneldoctor.toml").write_text(CONFIGURATION)
    return lambda *arguments: program("ticket", *arguments)


def the_file(folder: Path, ending: str = "md") -> Path:
    (found,) = folder.glob(f"tunneldoctor-*.{ending}")
    return found


def saved(folder: Path, report: Report) -> str:
    (folder / "report.json").write_text(report_json(report))
    return "report.json"


def test_it_examines_writes_one_file_and_ends_with_the_reports_status(ticket, tmp_path: Path) -> None:
    done = ticket("ledger")
    assert done.returncode == 1
    assert done.stdout == ""
    path = the_file(tmp_path)
    assert f"written to {path.name}" in done.stderr
    text = path.read_text()
    assert "### Who must act" in text
    assert "key.not-found" in text
    assert PASSWORD not in text


def test_show_reads_it_back_as_it_was(ticket, program, tmp_path: Path) -> None:
    report = SCENARIOS["symptom"]()
    assert ticket("--from", saved(tmp_path, report), "-o", "t.md").returncode == 1
    shown = program("show", "t.md", "--json")
    assert json.loads(shown.stdout) == json.loads(report_json(report))


def test_the_last_run_is_taken_without_examining_anything(ticket, program, tmp_path: Path) -> None:
    assert program("check", "ledger").returncode == 1
    done = ticket("ledger", "--last", "-o", "-")
    assert done.returncode == 1
    assert done.stdout.startswith("## ledger: broken")
    assert not list(tmp_path.glob("tunneldoctor-*.md"))


@pytest.mark.parametrize("scenario", ["healthy", "inconclusive"])
def test_the_exit_status_is_the_reports(ticket, tmp_path: Path, scenario: str) -> None:
    report = SCENARIOS[scenario]()
    assert ticket("--from", saved(tmp_path, report)).returncode == report.exit_code


def test_a_file_that_is_there_stays_as_it_is(ticket, tmp_path: Path) -> None:
    (tmp_path / "t.md").write_text("mine")
    done = ticket("ledger", "-o", "t.md")
    assert done.returncode == 2
    assert "t.md is there already" in done.stderr
    assert (tmp_path / "t.md").read_text() == "mine"


@pytest.mark.parametrize("output", ["missing/t.md", "t" * 300])
def test_where_nothing_can_be_written_nothing_is_examined(ticket, program, output: str) -> None:
    done = ticket("ledger", "-o", output)
    assert done.returncode == 2
    assert f"can't write {output}: " in done.stderr
    assert json.loads(program("show", "--list", "--json").stdout) == []


def test_its_run_is_kept_unless_that_is_not_wanted(ticket, program) -> None:
    assert ticket("ledger", "--no-history", "-o", "-").returncode == 1
    assert program("ticket", "ledger", "-o", "-", TUNNELDOCTOR_NO_HISTORY="1").returncode == 1
    assert json.loads(program("show", "--list", "--json").stdout) == []
    assert ticket("ledger", "-o", "-").returncode == 1
    assert len(json.loads(program("show", "--list", "--json").stdout)) == 1


def test_junit_and_ndjson(ticket, program, tmp_path: Path) -> None:
    source = saved(tmp_path, SCENARIOS["broken"]())
    assert ticket("--from", source, "--format", "junit").returncode == 1
    assert ElementTree.fromstring(the_file(tmp_path, "xml").read_text()).tag == "testsuites"
    assert ticket("ledger", "--format", "ndjson", "--redact", "topology", "-o", "t.ndjson").returncode == 1
    lines = [json.loads(line) for line in (tmp_path / "t.ndjson").read_text().splitlines()]
    assert (lines[0]["event"], lines[-1]["event"]) == ("run.started", "report")
    assert [name for name in NAMES if name in (tmp_path / "t.ndjson").read_text()] == []
    assert program("show", "t.ndjson").returncode == 0


def test_with_topology_no_name_is_in_the_file_nor_in_its_name_and_the_map_is_private(
    ticket, program, tmp_path: Path, environment: dict[str, str]
) -> None:
    done = ticket("ledger", "--redact", "topology")
    assert done.returncode == 1
    assert re.search(r"replaced: .*\d+ hosts, .*\d+ users", done.stderr)
    path = the_file(tmp_path)
    assert [name for name in (*NAMES, PASSWORD) if name in path.name + path.read_text()] == []
    document = json.loads(program("show", path.name, "--json").stdout)
    assert document["redacted"]["level"] == "topology"
    assert document["diagnosis"]["code"] == "key.not-found"
    kept = Path(environment["HOME"], ".local/state/tunneldoctor/aliases.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    answer = program("unredact", path.name)
    assert answer.returncode == 0
    assert "db.acme.internal" in answer.stdout


def test_check_and_show_replace_names_too(ticket, program, tmp_path: Path) -> None:
    for format_ in ("text", "ndjson", "junit"):
        done = program("check", "ledger", "--redact", "topology", "--format", format_, "-v")
        assert done.returncode == 1
        assert [name for name in NAMES if name in done.stdout] == [], format_
    shown = program("show", "ledger", "--redact", "topology")
    assert [name for name in NAMES if name in shown.stdout] == []


def test_a_map_that_can_not_be_written_is_told_and_nothing_is_written(
    ticket, tmp_path: Path, environment: dict[str, str]
) -> None:
    state = Path(environment["HOME"], ".local/state/tunneldoctor")
    state.mkdir(parents=True)
    (state / "aliases.json").write_text("[]")
    done = ticket("ledger", "--redact", "topology")
    assert done.returncode == 3
    assert "is not the map of aliases" in done.stderr
    assert not list(tmp_path.glob("tunneldoctor-*.md"))


def test_a_server_can_not_break_out_of_the_json_nor_end_the_details() -> None:
    evil = "```\n</details>\n<img src=x onerror=alert(1)>\n~~~\n````json\n{}"
    report = SCENARIOS["broken"]()
    checks = tuple(
        replace(each, findings=tuple(replace(one, evidence=(Evidence("message", evil),)) for one in each.findings))
        for each in report.checks
    )
    report = replace(report, checks=checks)
    text = render_ticket(report)
    forged = render_ticket(SCENARIOS["healthy"]())
    assert report_json(saved_from(text.replace("onerror=alert(1)", forged, 1))) == report_json(report)  # type: ignore[arg-type]
    block = text.partition("<details>")[2]
    assert block.count("```") == 2
    assert block.count("</details>") == 1
    assert "<img" not in block
    assert report_json(saved_from(text)) == report_json(report)  # type: ignore[arg-type]


EDITED = {
    "an answer in a mail": lambda text: "Hello,\n\n" + "".join(f"> {line}\n" for line in text.split("\n")),
    "Windows' line ends": lambda text: text.replace("\n", "\r\n"),
    "words of their own": lambda text: text.replace("### Checks", "### I looked at\n\n```json\n{}\n```\n\n### Checks"),
    "another fence": lambda text: text.replace("```", "~~~~"),
}


@pytest.mark.parametrize("name", EDITED)
def test_a_ticket_is_read_as_it_comes_back(name: str) -> None:
    report = SCENARIOS["symptom"]()
    assert report_json(saved_from(EDITED[name](render_ticket(report)))) == report_json(report)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: text.partition("```json")[0], "the block with the report's JSON is not in it any more"),
        (lambda text: text.replace('"verdict": "broken"', '"verdict": "fine"'), "verdict is"),
        (lambda text: text.replace('"exit_code": 1,', '"exit_code": 1'), "this is not JSON"),
        (lambda text: text[: text.index("```json") + 2000], "cut off in the middle"),
        (lambda text: text.replace("report/1", "report/9"), "it is tunneldoctor.report/9"),
    ],
)
def test_a_ticket_edited_by_hand_is_told_in_one_line(ticket, program, tmp_path: Path, edit, words: str) -> None:
    (tmp_path / "t.md").write_text(edit(render_ticket(SCENARIOS["symptom"]())))
    done = program("show", "t.md")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("answer", "written"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_it_is_shown_and_asked(
    tmp_path: Path, environment: dict[str, str], answer: str, written: bool
) -> None:
    source = saved(tmp_path, SCENARIOS["symptom"]())
    main, side = pty.openpty()
    command = [sys.executable, "-m", "tunneldoctor", "ticket", "--from", source, "-o", "t.md"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdin=side, stderr=side, stdout=side) as process:
        os.close(side)
        seen = _until(main, b"[y/N]")
        os.write(main, f"{answer}\n".encode())
        process.wait(30)
    os.close(main)
    assert b"Who must act" in seen
    assert (tmp_path / "t.md").exists() is written
    assert process.returncode == (1 if written else 2)


def _until(main: int, words: bytes) -> bytes:
    seen, end = b"", time.monotonic() + 30
    while words not in seen and time.monotonic() < end:
        if select.select([main], [], [], 1)[0]:
            seen += os.read(main, 65536)
    return seen


def test_who_must_act_is_said_first_for_whom_the_diagnosis_waits() -> None:
    text = render_ticket(SCENARIOS["symptom"]())
    actors = re.findall(r"^- \*\*(.*?)\*\*", text, re.MULTILINE)
    assert actors == ["the bastion's admin", "whoever runs the client"]
    assert re.findall(r"^- \*\*(.*?)\*\*", render_ticket(SCENARIOS["broken"]()), re.MULTILINE) == [
        "the database's admin",
        "the network's admin",
    ]
    assert "Who must act" not in render_ticket(SCENARIOS["healthy"]())


def test_what_excludes_each_other_is_said(ticket) -> None:
    done = ticket("ledger", "--from", "x.json")
    assert done.returncode == 2
    assert "--from" in done.stderr
