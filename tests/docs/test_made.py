"""The pages that are made from the program are those of this program, and roff reads the one for man."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from docs.__main__ import made
from docs.man import page
from tests.docs.pages import ROOT, name
from tunneldoctor.cli.app import cli


@pytest.mark.parametrize(
    ("path", "text"), made().items(), ids=lambda each: name(each) if isinstance(each, Path) else ""
)
def test_what_is_made_from_the_program_is_up_to_date(path: Path, text: str) -> None:
    assert path.read_text("utf-8") == text, "run: make docs"


def test_the_manual_has_each_command_and_each_option() -> None:
    text = page().replace("\\-", "-")
    top = click.Context(cli)
    for word in cli.list_commands(top):
        command = cli.get_command(top, word)
        assert command is not None
        assert f'.SS "tunneldoctor {word} ' in text
        for option in command.params:
            assert not isinstance(option, click.Option) or max(option.opts, key=len) in text


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff")
def test_roff_has_nothing_to_complain_about() -> None:
    command = ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", str(ROOT / "docs" / "tunneldoctor.1")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "tunneldoctor check orders --wait 10m" in done.stdout


def test_it_is_installed_where_man_finds_it() -> None:
    import tomllib

    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["shared-data"] == {"docs/tunneldoctor.1": "share/man/man1/tunneldoctor.1"}
