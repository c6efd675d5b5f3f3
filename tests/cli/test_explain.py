"""``explain``, ``list``, ``schema`` and ``completion``: what there is to read without a run."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import COMMAND
from tunneldoctor.catalog.builtin import builtin_pages
from tunneldoctor_checks import PACKAGE

CONFIGURATION = """\
[tunnels.orders]
ssh_url = "ssh://tunnel@bastion.example.com"
provider = "aws"
[tunnels.elsewhere]
ssh_url = "ssh://tunnel@elsewhere.example.com"
provider = "azure"
"""
HEADINGS = ["What it means", "How it shows", "What else it could be", "How to fix it", "How to make sure"]


@pytest.fixture(autouse=True)
def own_page(company, tmp_path: Path) -> None:
    company("return Outcome()")
    (tmp_path / "tunneldoctor.toml").write_text(CONFIGURATION)


@pytest.mark.parametrize("code", ["config.company-fault", "CONFIG.Company-Fault", "company-fault"])
def test_a_code_may_be_written_in_capitals_or_without_its_layer(program, code: str) -> None:
    done = program("explain", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# config.company-fault\n")
    assert [line[3:] for line in done.stdout.splitlines() if line.startswith("## ")] == HEADINGS


def test_a_typing_error_is_told_with_the_nearest_code(program) -> None:
    done = program("explain", "config.compny-fault")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "tunneldoctor: error: no such code: config.compny-fault (did you mean config.company-fa"
    )


def test_without_a_tunnel_the_names_of_the_values_are_shown(program) -> None:
    page = program("explain", "config.company-fault").stdout
    assert "mend {bastion_host} {word}" in page
    assert "aws mend" in page


def test_with_a_tunnel_its_values_and_its_providers_steps_are_shown(program) -> None:
    page = program("explain", "config.company-fault", "--tunnel", "orders").stdout
    assert "mend bastion.example.com {word}" in page
    assert "aws mend" in page
    assert "aws mend" not in program("explain", "config.company-fault", "--tunnel", "elsewhere").stdout


def test_steps_stand_under_their_headings(program) -> None:
    page = program("explain", "config.company-fault").stdout
    assert page.index("## How to fix it") < page.index("mend {bastion_host}") < page.index("## How to make sure")
    assert page.index("## How to make sure") < page.index("look {bastion_host}")


def test_a_terminal_that_takes_colour_gets_it(program) -> None:
    assert "\x1b[" in program("explain", "config.company-fault", "--color", "always").stdout
    assert "\x1b[" not in program("explain", "config.company-fault").stdout


def test_a_built_in_page_is_found_without_loading_a_check(environment, tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv[1:] = ['explain', 'tcp.refused']\n"
        "from tunneldoctor.cli import main\n"
        "try: main()\n"
        "except SystemExit: print([name for name in ('rich', 'tunneldoctor_checks') if name in sys.modules])"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("# tcp.refused\n")
    assert done.stdout.endswith("[]\n")


def test_a_company_whose_checks_are_broken_does_not_keep_the_built_in_pages_away(program, tmp_path: Path) -> None:
    (tmp_path / "site" / "company_checks.py").write_text("raise RuntimeError")
    assert program("explain", "tcp.refused").stdout.startswith("# tcp.refused\n")
    assert "checks 'company' can't be loaded" in program("explain", "config.company-fault").stderr


def test_the_built_in_pages_lie_where_the_built_in_package_says() -> None:
    assert builtin_pages() == PACKAGE.pages


def on_a_terminal(environment: dict[str, str], cwd: Path, *arguments: str, **variables: str) -> str:
    """What shows on a terminal of 100 columns and 50 rows."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, 100))
    env = environment | {"TERM": "xterm", "NO_COLOR": "1"} | variables
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # EIO: the other end is closed (pty(7))
            while data := os.read(ours, 65536):
                written += data
    os.close(ours)
    assert process.returncode == 0
    return written.decode().replace("\r\n", "\n")


def test_on_a_terminal_a_page_goes_through_the_users_pager(environment, tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho "LESS is $LESS"\nsed s/tcp/TCP/\n')
    pager.chmod(0o700)
    shown = on_a_terminal(environment, tmp_path, "explain", "tcp.refused", PAGER=str(pager))
    assert shown.startswith("LESS is -FRX\n# TCP.refused\n")
    shown = on_a_terminal(environment, tmp_path, "runbook", "tcp.refused", PAGER=str(pager), LESS="-M")
    assert shown.startswith("LESS is -M\n# Runbook\n")


@pytest.mark.parametrize("pager", ["", "cat", "no-such-pager", '"never closed'])
def test_without_a_pager_a_page_is_printed(environment, tmp_path: Path, pager: str) -> None:
    assert on_a_terminal(environment, tmp_path, "explain", "tcp.refused", PAGER=pager).startswith("# tcp.refused\n")


def test_into_a_pipe_no_pager_is_asked_though_the_keyboard_is_there(environment, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    env = environment | {"TERM": "xterm", "PAGER": "false"}
    command = [*COMMAND, "explain", "tcp.refused"]
    done = subprocess.run(command, cwd=tmp_path, env=env, stdin=theirs, capture_output=True, text=True, check=True)
    os.close(theirs)
    os.close(ours)
    assert done.stdout.startswith("# tcp.refused\n")


def test_checks_codes_and_tunnels_are_listed(program) -> None:
    assert "config.company" in program("list", "checks").stdout
    assert "config.company-fault" in program("list", "codes").stdout
    assert [line.split()[0] for line in program("list", "tunnels").stdout.splitlines()] == ["orders", "elsewhere"]


@pytest.mark.parametrize(("what", "key"), [("checks", "id"), ("codes", "code"), ("tunnels", "name")])
def test_lists_are_one_document_for_programs(program, what: str, key: str) -> None:
    rows = json.loads(program("list", what, "--json").stdout)
    assert {"checks": "config.company", "codes": "config.company-fault", "tunnels": "orders"}[what] in [
        row[key] for row in rows
    ]


@pytest.mark.parametrize("name", ["report", "fleet", "events"])
def test_schemas_are_schemas(program, name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(program("schema", name).stdout))


def test_the_schema_without_a_name_is_that_of_a_report(program) -> None:
    assert program("schema").stdout == program("schema", "report").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(program, shell: str) -> None:
    done = program("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "_TUNNELDOCTOR_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("tunneldoctor che", "check"),
        ("tunneldoctor check ord", "orders"),
        ("tunneldoctor explain config.company-f", "config.company-fault"),
    ],
)
def test_commands_tunnels_and_codes_are_completed(program, words: str, completed: str) -> None:
    last = str(len(words.split()) - 1)
    done = program(_TUNNELDOCTOR_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=last)
    assert done.stdout.splitlines() == [f"plain,{completed}"]
