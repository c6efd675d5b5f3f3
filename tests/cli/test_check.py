"""``check``: exit status, document and streams, seen from outside. What is examined is a check of the test's own."""

import json
import os
import pty
import shlex
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from tunneldoctor.report import schema

from .conftest import COMMAND

HEALTHY = "return Outcome()"
BROKEN = "return found(Finding('config.company-fault', {'word': 'roof'}, (Evidence('message', 'drip'),)))"
WARNS = "return found(Finding('config.company-complaint', {'word': 'door'}))"
UNKNOWN = "return Outcome(unknown='nobody was at home')"

TWO = """\
[tunnels.one]
ssh_url = "ssh://tunnel@one.example.com"
[tunnels.two]
ssh_url = "ssh://tunnel@two.example.com"
"""


@pytest.mark.parametrize(
    ("body", "options", "status"),
    [
        (HEALTHY, [], 0),
        (BROKEN, [], 1),
        (WARNS, [], 0),
        (WARNS, ["--fail-on", "warning"], 1),
        (UNKNOWN, [], 3),
        (BROKEN, ["--ignore", "config.company-fault"], 0),
        (BROKEN, ["--ignore", "config.company-fault@bastion.example.com"], 0),
        (BROKEN, ["--ignore", "config.company-fault@another"], 1),
        (BROKEN, ["--ignore", "config.company-fault=2999-12-31"], 0),
    ],
    ids=[
        "healthy",
        "broken",
        "warning",
        "fail on warning",
        "unknown",
        "ignored",
        "ignored here",
        "ignored elsewhere",
        "ignored for long",
    ],
)
def test_the_exit_status_is_the_same_in_every_format(company, program, tmp_path, body, options, status) -> None:
    (tmp_path / "tunneldoctor.toml").write_text("[tunnels.another]\n")
    command = company(body)
    for name in ("text", "json", "ndjson", "markdown", "junit", "prometheus"):
        done = program(*command, *options, "--format", name)
        assert (name, done.returncode, done.stderr) == (name, status, "")


def test_json_is_one_document_that_the_schema_allows(company, program) -> None:
    done = program(*company(BROKEN), "--json")
    report = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema("report")).validate(report)
    assert report["diagnosis"]["code"] == "config.company-fault"
    assert report["diagnosis"]["remedy"][0]["command"] == "mend bastion.example.com roof"


def test_ndjson_is_one_event_a_line_and_ends_with_the_report(company, program) -> None:
    lines = program(*company(BROKEN), "--format", "ndjson").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        jsonschema.Draft202012Validator(schema("events")).validate(event)
    assert [events[0]["event"], events[-1]["event"]] == ["run.started", "report"]
    assert events[-1]["report"]["exit_code"] == 1


def test_junit_and_markdown_name_the_code(company, program) -> None:
    command = company(BROKEN)
    suite = ET.fromstring(program(*command, "--format", "junit").stdout)
    assert "config.company-fault" in ET.tostring(suite, encoding="unicode")
    assert "config.company-fault" in program(*command, "--format", "markdown").stdout


def test_the_document_goes_to_the_file_and_stdout_stays_empty(company, program, tmp_path: Path) -> None:
    done = program(*company(BROKEN), "--json", "-o", "report.json")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert json.loads((tmp_path / "report.json").read_text())["exit_code"] == 1


def test_quiet_says_nothing_where_nothing_is_wrong(company, program) -> None:
    done = program(*company(HEALTHY), "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_all_tunnels_make_one_fleet_in_the_order_of_the_file(company, program, tmp_path: Path) -> None:
    company("return Outcome() if context.hop.host.startswith('one') else " + BROKEN.removeprefix("return "))
    (tmp_path / "tunneldoctor.toml").write_text(TWO)
    done = program("check", "--all", "--only", "config.company", "--json", "--jobs", "2")
    fleet = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema("fleet")).validate(fleet)
    assert done.returncode == fleet["exit_code"] == 1
    assert [(report["tunnel"], report["verdict"]) for report in fleet["reports"]] == [
        ("one", "healthy"),
        ("two", "broken"),
    ]


def test_events_of_several_tunnels_say_whose_they_are(company, program, tmp_path: Path) -> None:
    company(HEALTHY)
    (tmp_path / "tunneldoctor.toml").write_text(TWO)
    done = program("check", "two", "one", "--only", "config.company", "--format", "ndjson")
    assert {json.loads(line)["tunnel"] for line in done.stdout.splitlines()} == {"one", "two"}


def test_text_in_a_pipe_has_neither_colour_nor_cursor_movement(company, program) -> None:
    assert "\x1b" not in program(*company(BROKEN)).stdout


@pytest.mark.parametrize(
    ("options", "variables", "coloured"),
    [
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_forced_and_forbidden_in_the_usual_ways(company, program, options, variables, coloured) -> None:
    assert ("\x1b[" in program(*company(BROKEN), *options, **variables).stdout) is coloured


def test_a_stdout_that_is_not_unicode_gets_ascii(company, program) -> None:
    done = program(*company(BROKEN), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.isascii()) == (1, True)
    assert "Traceback" not in done.stderr


def on_a_terminal(command: list[str], environment: dict[str, str], cwd: Path) -> tuple[str, str]:
    """stdout and what a terminal on stderr gets."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while chunk := _read(controller):
            shown += chunk
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(controller)
    return out, shown.decode()


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 1000)
    except OSError:  # EIO: the other end is closed (pty(7))
        return b""


def test_a_terminal_on_stderr_gets_a_progress_line_that_is_erased(company, environment, tmp_path: Path) -> None:
    command = [*COMMAND, *company("context.progress('knocking')\nreturn Outcome()"), "--json"]
    out, shown = on_a_terminal(command, environment | {"TERM": "xterm"}, tmp_path)
    assert json.loads(out)["exit_code"] == 0
    assert "knocking" in shown
    assert shown.endswith("\r\x1b[K")


def test_a_dumb_terminal_and_quiet_get_no_progress_line(company, environment, tmp_path: Path) -> None:
    command = [*COMMAND, *company("context.progress('knocking')\nreturn Outcome()"), "--json"]
    assert on_a_terminal(command, environment | {"TERM": "dumb"}, tmp_path)[1] == ""
    assert on_a_terminal([*command, "-q"], environment | {"TERM": "xterm"}, tmp_path)[1] == ""


@pytest.mark.parametrize("name", ["text", "json", "ndjson"])
def test_a_reader_that_goes_away_changes_neither_status_nor_stderr(company, environment, tmp_path, name: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [*COMMAND, *company(BROKEN), "--format", name]
    with os.fdopen(writer, "wb") as stdout:
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("options", [[], ["-o", "/dev/full"]], ids=["stdout", "file"])
def test_a_full_disk_is_said_in_one_line(company, environment, tmp_path, options: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *company(BROKEN), *options],
            env=environment, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=60, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr == "tunneldoctor: error: can't write the document: No space left on device\n"


def test_waiting_looks_again_until_it_is_healthy(company, program, tmp_path: Path) -> None:
    body = f"seen = Path({str(tmp_path / 'seen')!r})\nif seen.exists():\n    return Outcome()\nseen.touch()\n{BROKEN}"
    done = program(*company(body, retry="while-waiting"), "--wait", "1m", "--format", "ndjson")
    assert done.returncode == 0
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()].count("report") == 1
    assert "looking again in 5 s" in done.stderr


def test_waiting_ends_at_once_where_waiting_is_of_no_use(company, program) -> None:
    done = program(*company(BROKEN, retry="never"), "--wait", "1h")
    assert (done.returncode, done.stderr) == (1, "")


def test_waiting_ends_when_the_time_is_up(company, program) -> None:
    done = program(*company(BROKEN, retry="while-waiting"), "--wait", "1s")
    assert (done.returncode, done.stderr) == (1, "")


def advised(document: str) -> list[list[str]]:
    """The commands of this very program in a report, as a shell takes them apart."""
    report = json.loads(document)
    findings = [finding for check in report["checks"] for finding in check["findings"]]
    steps = [step for each in findings for step in (*each["remedy"], each["verify"]) if step and step["command"]]
    return [shlex.split(step["command"])[1:] for step in steps if step["command"].startswith("tunneldoctor check")]


def test_what_is_advised_for_a_tunnel_of_options_examines_that_tunnel_and_repeats_no_secret(program) -> None:
    given = ("--ssh-url", "ssh://me@127.0.0.1:1", "--private-key", "file:no such key", "--database", "tcp://db:5")
    done = program("check", *given, "--bastion-password", "let-me-in-then", "--json")
    commands = advised(done.stdout)
    assert commands
    assert "let-me-in-then" not in done.stdout
    for command in commands:
        assert json.loads(program(*command, "--json").stdout)["target"]["bastion_host"] == "127.0.0.1"


def test_what_is_advised_for_a_tunnel_of_a_named_file_names_the_file(program, tmp_path: Path) -> None:
    text = '[tunnels.orders]\nssh_url = "ssh://me@127.0.0.1:1"\nbastion_password = "let-me-in-then"\n'
    (tmp_path / "the file.toml").write_text(text)
    commands = advised(program("check", "orders", "--config", "the file.toml", "--json").stdout)
    assert commands
    for command in commands:
        assert json.loads(program(*command, "--json").stdout)["tunnel"] == "orders"
