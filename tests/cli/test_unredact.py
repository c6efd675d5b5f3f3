"""``unredact``: the names come back into whatever text the aliases return in."""

import json
from pathlib import Path

import pytest

from tests.report.scenarios import SCENARIOS
from tunneldoctor.report import report_json


@pytest.fixture
def aliases(program, tmp_path: Path, environment: dict[str, str]) -> dict[str, str]:
    """Those that one ticket has given, by the names they stand for."""
    (tmp_path / "report.json").write_text(report_json(SCENARIOS["symptom"]()))
    assert program("ticket", "--from", "report.json", "--redact", "topology", "-o", "t.md").returncode == 1
    path = Path(environment["HOME"], ".local/state/tunneldoctor/aliases.json")
    return dict(json.loads(path.read_text())["aliases"])


def test_an_answer_is_turned_back(program, tmp_path: Path, aliases: dict[str, str]) -> None:
    host, user, address = aliases["bastion.example.com"], aliases["tunnel"], aliases["203.0.113.2"]
    (tmp_path / "answer.txt").write_text(
        f"> {user}@{host}:22 ({host.upper()})\nPlease allow {address}, and host-99.example\n"
    )
    done = program("unredact", "answer.txt")
    assert done.returncode == 0
    assert done.stdout == (
        "> tunnel@bastion.example.com:22 (bastion.example.com)\nPlease allow 203.0.113.2, and host-99.example\n"
    )
    assert "put back: 4 names" in done.stderr


def test_the_whole_ticket_comes_back_as_the_report_it_was(program, tmp_path: Path, aliases: dict[str, str]) -> None:
    assert program("unredact", "t.md", "-o", "back.md").returncode == 0
    document = json.loads(program("show", "back.md", "--json").stdout)
    expected = json.loads(report_json(SCENARIOS["symptom"]()))
    assert document | {"redacted": None} == expected | {"redacted": None}


def test_without_a_map_the_text_is_as_it_was(program, tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text("nothing of ours: host-1.example\n")
    done = program("unredact", "answer.txt")
    assert (done.returncode, done.stdout) == (0, "nothing of ours: host-1.example\n")
    assert "no alias of this machine's is in it" in done.stderr


def test_binary_and_what_is_not_there_are_told(program, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)) * 10)
    assert program("unredact", "binary").returncode == 0
    missing = program("unredact", "nothing.txt")
    assert missing.returncode == 2
    assert missing.stderr == "tunneldoctor: error: can't read nothing.txt: No such file or directory\n"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": "tunneldoctor.aliases/1", "aliases": 7}', "[" * 100_000]
)
def test_a_damaged_map_is_told_in_one_line(program, tmp_path: Path, environment: dict[str, str], content: str) -> None:
    state = Path(environment["HOME"], ".local/state/tunneldoctor")
    state.mkdir(parents=True)
    (state / "aliases.json").write_text(content)
    (tmp_path / "answer.txt").write_text("x")
    done = program("unredact", "answer.txt")
    assert done.returncode == 2
    assert "is not the map of aliases" in done.stderr
    assert done.stderr.count("\n") == 1
