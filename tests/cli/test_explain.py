"""``explain``, ``list``, ``schema`` and ``completion``: what there is to read without a run."""

import json
from pathlib import Path

import jsonschema
import pytest

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
