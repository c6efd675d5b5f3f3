"""``diff``: what changed, with the exit status of diff(1)."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.report.samples import FACTS, ORDERS, STARTED
from tests.report.scenarios import SCENARIOS
from tests.report.test_to_json import validate
from tunneldoctor.history import History
from tunneldoctor.model import Report
from tunneldoctor.report import difference, difference_json, render_difference, report_from_json, report_json


@pytest.fixture
def history(environment: dict[str, str]) -> History:
    """That of the user who runs the program."""

    def complain(text: str) -> None:
        raise AssertionError(text)

    return History(Path(environment["HOME"]) / ".local" / "state" / "tunneldoctor" / "history", complain)


def run(scenario: str, minutes: float = 0, **facts: str) -> Report:
    report = SCENARIOS[scenario]()
    measured = {**report.facts, **{name.replace("__", "."): value for name, value in facts.items()}}
    return replace(report, tunnel=ORDERS, started_at=STARTED + timedelta(minutes=minutes), facts=measured)


def text(before: Report, after: Report) -> str:
    found = difference(before, report_from_json(report_json(after)))
    return render_difference(found, color=False, unicode=True, width=100)


@pytest.mark.parametrize("name", ["orders", "report.json"])
def test_the_last_run_is_compared_with_the_last_one_that_worked(program, tmp_path, history, name: str) -> None:
    worked, broken = run("healthy", 2), run("symptom", 9, bastion__software="OpenSSH_9.9")
    for each in (run("healthy", 1), worked, run("broken", 3), broken):
        history.keep(each)
    (tmp_path / "report.json").write_text(report_json(broken))
    done = program("diff", name)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == text(worked, broken)
    assert "OpenSSH_9.2p1 → OpenSSH_9.9" in done.stdout


def test_two_files_are_compared_in_their_order(program, tmp_path: Path) -> None:
    before, after = run("healthy"), run("degraded", 5)
    (tmp_path / "a.json").write_text(report_json(before))
    (tmp_path / "b.json").write_text(report_json(after))
    done = program("diff", "a.json", "b.json")
    assert (done.returncode, done.stdout, done.stderr) == (1, text(before, after), "")
    assert "database.tls" in done.stdout
    assert "TLSv1.3 → nothing" in done.stdout


def test_the_document_validates_and_says_the_same(program, tmp_path: Path) -> None:
    before, after = run("healthy"), run("degraded", 5)
    (tmp_path / "a.json").write_text(report_json(before))
    (tmp_path / "b.json").write_text(report_json(after))
    done = program("diff", "--json", "a.json", "b.json")
    validate("diff", json.loads(done.stdout))
    assert (done.returncode, done.stdout) == (1, difference_json(difference(before, after)))


def test_where_nothing_changed_the_status_is_0(program, history: History) -> None:
    history.keep(run("healthy", 1))
    history.keep(run("healthy", 2))
    done = program("diff", "orders")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing changed between" in done.stdout
    assert json.loads(program("diff", "orders", "--json").stdout)["changes"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "no run of nobody is kept, and no file is called that"),
        (["orders"], "no earlier run of orders that worked is kept: tunneldoctor show orders --list"),
        (["orders", "nothing.json"], "nothing.json: it is empty; "),
        (["-", "-"], "stdin can be only one of the two"),
        (["orders", "fleet.ndjson"], "fleet.ndjson holds the reports of several tunnels (orders, orders), and one is"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_can_not_be_compared_is_said_with_status_2(program, tmp_path, history, arguments, words: str) -> None:
    history.keep(run("broken"))
    (tmp_path / "nothing.json").write_text("")
    line = json.dumps(
        {"event": "report", "at_ms": 1, "tunnel": "orders", "report": json.loads(report_json(run("broken")))}
    )
    (tmp_path / "fleet.ndjson").write_text(f"{line}\n{line}\n")
    done = program("diff", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"tunneldoctor: error: {words}")


def test_the_facts_of_the_samples_are_the_ones_compared() -> None:
    assert {
        each.name for each in difference(run("healthy"), run("healthy", **dict.fromkeys(FACTS, "x"))).changes
    } == set(FACTS)
