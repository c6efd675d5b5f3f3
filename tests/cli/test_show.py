"""``show`` and what ``check`` keeps for it: the past, without examining anything."""

import json
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.report.samples import ORDERS, STARTED
from tests.report.scenarios import SCENARIOS
from tests.report.test_to_json import events, validate
from tunneldoctor.history import History
from tunneldoctor.model import Fleet, Report
from tunneldoctor.report import event_line, fleet_json, render_text, report_json

#: Nothing listens there, so that an examination is over at once.
CONFIGURATION = """\
[tunnels.orders]
ssh_url = "ssh://tunnel@127.0.0.1:1"
private_key = "file:key"
database = "postgresql://app:Pl4nted-in-the-URL@db.internal:5432/orders"
bastion_password = "Pl4nted-in-the-file"
"""


@pytest.fixture
def history(environment: dict[str, str]) -> History:
    """That of the user who runs the program."""

    def complain(text: str) -> None:
        raise AssertionError(text)

    return History(Path(environment["HOME"]) / ".local" / "state" / "tunneldoctor" / "history", complain)


def run(scenario: str, name: str = "orders", minutes: float = 0) -> Report:
    started = STARTED + timedelta(minutes=minutes)
    return replace(SCENARIOS[scenario](), tunnel=replace(ORDERS, name=name), started_at=started)


def text(report: Report) -> str:
    return render_text(report, color=False, unicode=True, width=100)


@pytest.fixture
def check(program, tmp_path: Path) -> Callable:
    """``check orders``, of a tunnel that is broken."""
    (tmp_path / "tunneldoctor.toml").write_text(CONFIGURATION)
    return lambda *arguments, **variables: program("check", "orders", *arguments, **variables)


def test_the_last_run_is_shown_as_check_showed_it(check, program, history: History) -> None:
    checked = check()
    assert checked.returncode == 1
    for arguments in (["orders"], []):
        shown = program("show", *arguments)
        assert (shown.returncode, shown.stdout) == (0, checked.stdout)
        assert shown.stderr.startswith("tunneldoctor: orders as seen from ")
        assert shown.stderr.endswith(", less than a minute ago\n")
    assert program("show", "orders", "-q").stdout == check("-q", "--no-history").stdout


@pytest.mark.parametrize("format_", ["json", "markdown", "junit"])
def test_the_last_run_is_shown_in_any_format(check, program, format_: str) -> None:
    checked = check("--format", format_)
    shown = program("show", "orders", "--format", format_)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, checked.stdout, "")


def test_as_events_it_is_its_report_alone(check, program) -> None:
    report = json.loads(check("--json").stdout)
    (line,) = program("show", "orders", "--format", "ndjson").stdout.splitlines()
    validate("events", json.loads(line))
    assert json.loads(line)["report"] == report


def test_a_list_of_a_tunnel_without_runs_names_the_nearest(check, program) -> None:
    assert check().returncode == 1
    done = program("show", "ordres", "--list")
    assert (done.stdout, done.stderr) == ("", "tunneldoctor: no run of ordres is kept (did you mean orders?)\n")


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--no-history"], {}),
        ([], {"TUNNELDOCTOR_NO_HISTORY": "1"}),
        (["--only", "config"], {}),
        (["--skip", "dns"], {}),
    ],
)
def test_nothing_is_kept_where_that_is_asked_for_or_only_a_part_was_looked_at(
    check, history: History, arguments: list[str], variables: dict[str, str]
) -> None:
    assert check(*arguments, **variables).returncode == 1
    assert not history.folder.exists()


def test_what_is_kept_is_for_this_user_alone_and_holds_no_secret(check, company, tmp_path: Path, history) -> None:
    (tmp_path / "key").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nPl4ntedInTheKeyFile0123456789==\n")
    company(
        "texts = [context.secret(each).reveal().decode()\n"
        "         for each in (*context.hop.private_keys, context.hop.password, context.tunnel.database.password)]\n"
        "evidence = tuple(Evidence('message', f'it said {text}') for text in texts)\n"
        "return found(Finding('config.company-fault', {'word': ' '.join(texts)}, evidence),\n"
        "             measured={'bastion.word': texts[0]})"
    )
    assert check().returncode == 1
    (path,) = history.folder.rglob("*.json")
    assert "config.company-fault" in path.read_text()
    assert "Pl4nted" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_where_nothing_can_be_kept_the_check_is_as_good_and_says_so_once(check, environment: dict[str, str]) -> None:
    (Path(environment["HOME"]) / ".local").write_text("in the way")
    checked = check()
    assert (checked.returncode, checked.stdout != "") == (1, True)
    (line,) = checked.stderr.splitlines()
    assert line.startswith("tunneldoctor: this run is not kept in ")


def test_a_broken_tunnel_is_told_when_it_last_worked(check, history: History) -> None:
    three_hours_ago = datetime.now(UTC) - timedelta(hours=3, minutes=5)
    history.keep(replace(run("healthy"), started_at=three_hours_ago))
    *_, last = check().stdout.rpartition("last time it worked: ")
    assert " ".join(last.split()) == (
        "3 h ago; since then: bastion host changed from bastion.example.com to 127.0.0.1, "
        "bastion port changed from 22 to 1, remote bind changed from db.internal.corp:5432 to db.internal:5432, 1 more"
    )
    assert "last time" not in check("-q").stdout
    assert "last time" not in check("--format", "markdown").stdout


@pytest.mark.parametrize("scenario", ["hostile", "jump-hosts"])
def test_a_file_that_check_wrote_is_shown(program, tmp_path: Path, scenario: str) -> None:
    report = SCENARIOS[scenario]()
    (tmp_path / "report.json").write_text(report_json(report))
    (tmp_path / "events.ndjson").write_text("".join(map(event_line, events(report))))
    for name in ("report.json", "events.ndjson"):
        shown = program("show", name, "--json")
        assert (shown.returncode, shown.stdout, shown.stderr) == (0, report_json(report), "")


def test_a_fleet_is_shown_as_a_fleet(program, tmp_path: Path) -> None:
    fleet = Fleet.of([run("healthy"), run("broken", "billing")], STARTED, STARTED)
    (tmp_path / "fleet.json").write_text(fleet_json(fleet))
    shown = program("show", "fleet.json")
    assert shown.returncode == 0
    assert shown.stdout == text(fleet.reports[0]) + "\n" + text(fleet.reports[1]) + (
        "\n✗ 2 tunnels: 1 healthy, 1 broken; exit status 1\n"
    )


def test_the_list_tells_each_run_and_a_number_shows_it(program, history: History) -> None:
    for minutes, scenario in enumerate(("healthy", "symptom", "interrupted")):
        history.keep(run(scenario, minutes=minutes))
    history.keep(run("healthy", "billing", minutes=9))
    listed = program("show", "orders", "--list")
    assert listed.returncode == 0
    rows = [re.split(" {2,}", line) for line in listed.stdout.splitlines()]
    assert [(at, *rest) for at, _, *rest in rows] == [
        ("1", "orders", "inconclusive (incomplete: interrupted)", "-", "4.2 s"),
        ("2", "orders", "broken", "auth.publickey-refused", "413 ms"),
        ("3", "orders", "healthy", "-", "413 ms"),
    ]
    assert rows[1][1].startswith("2026-11-22T03:05:05Z, ")
    assert program("show", "orders", "--at", "2", "--json").stdout == report_json(run("symptom", minutes=1))
    documents = json.loads(program("show", "--list", "--json").stdout)
    assert [(each["at"], each["tunnel"], each["code"]) for each in documents] == [
        (1, "billing", None), (2, "orders", None), (3, "orders", "auth.publickey-refused"), (4, "orders", None)
    ]  # fmt: skip
    assert Path(documents[0]["file"]).is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ordres"], "no run of ordres is kept, and no file is called that (did you mean orders?)"),
        (["orders", "--at", "5"], "only 1 runs of orders are kept: tunneldoctor show --list"),
        (["billing", "--at", "1"], "no run of billing is kept"),
        (["."], "can't read .: Is a directory"),
        (["nothing.json"], "nothing.json: it is empty; "),
        (["cut.json"], "cut.json: it is cut off in the middle, in line "),
        (["newer.json"], "newer.json: it is tunneldoctor.report/2, and this tunneldoctor ("),
        (["-"], "stdin: it is empty; "),
        (["orders", "--list", "--at", "1"], "--list and --at exclude each other"),
        (["--list", "--format", "junit"], "--list knows text and json, not junit"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_not_be_shown_is_said(program, tmp_path: Path, history, arguments: list[str], words: str) -> None:
    history.keep(run("healthy"))
    written = report_json(run("broken"))
    (tmp_path / "nothing.json").write_text("")
    (tmp_path / "cut.json").write_text(written[:2000])
    (tmp_path / "newer.json").write_text(written.replace("report/1", "report/2"))
    done = program("show", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"tunneldoctor: error: {words}")


def test_where_nothing_is_kept_that_is_said(program) -> None:
    assert program("show").stderr == "tunneldoctor: error: no run is kept\n"
    listed = program("show", "--list")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "tunneldoctor: no run is kept\n")


def test_a_name_is_completed_from_what_is_kept(program, history: History) -> None:
    history.keep(run("healthy"))
    for words in (["show", "ord"], ["diff", "ord"], ["diff", "x.json", "ord"]):
        variables = {"COMP_WORDS": " ".join(["tunneldoctor", *words]), "COMP_CWORD": str(len(words))}
        done = program(_TUNNELDOCTOR_COMPLETE="bash_complete", **variables)
        assert done.stdout.splitlines() == ["plain,orders", "file,ord"]
