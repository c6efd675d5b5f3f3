"""Every command that the documents show is run as it stands there, against a real tunnel called ``orders``.

Each document is followed from its beginning in a home of its own. The tunnel is the README's, with the demo's bastion
and PostgreSQL at its ends; what is written there and can't be had here is replaced (``Place.here``).
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from tests.docs.pages import DOCUMENTS, ROOT, blocks, commands, name
from tunneldoctor.cli.app import cli
from tunneldoctor.demo.programs import NoPostgres
from tunneldoctor.demo.scene import DATABASE_HOST, scene

#: Beginnings of commands that are not run, and why.
NOT_RUN = {
    "make ": "each runs for minutes, these tests among others; test_references.py looks for the target",
    ".venv/bin/pytest ": "it is one of these tests",
    "pipx install ": "it fetches packages; what it installs is what runs here",
    "export ": "the environment holds it already",
}
#: Beginnings of commands that end with another status than 0, and a word of what they say then.
ELSE = {
    "tunneldoctor demo --fault ": (1, "is broken"),
    "tunneldoctor tui ": (2, "no terminal"),  # on one: tests/tui/test_terminal.py
    "ssh -v ": (255, "auth."),
}
#: The same with less waiting.
SOONER = {"--hold 10m": "--hold 1s", "--idle 10m": "--idle 1s", "--up-to 30m": "--up-to 2s"}
MACHINE = ("jq", "ssh")
PIPELINE = "tunnel@bastion.example.com: Permission denied (publickey).\n"
INLINE = re.compile(r"`tunneldoctor ([a-z][^`]*)`")
CHANGING = re.compile(r"SHA256:\S+|:\d{4,5}\b|tunneldoctor-demo-\w+|[\d.<]+ m?s\b|\d+ skipped")


@dataclass(frozen=True)
class Place:
    """Where a document is followed. ``here`` are texts of the documents, each with what stands for it."""

    folder: Path
    environment: dict[str, str]
    here: dict[str, str]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """*command* in a shell; it fails where any part of it does."""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", meant(command, self.here | SOONER)],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip


def meant(text: str, here: dict[str, str]) -> str:
    """*text* with what stands for its words here."""
    for written, other in here.items():
        text = text.replace(written, other)
    return text


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    """The folder of the demo's tunnel, while that stands."""
    try:
        with scene(None, lambda _: None) as path:
            yield path.parent
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.fixture
def place(demo: Path, tmp_path: Path) -> Place:
    """A home in which the README's tunnel is configured, and the files that the documents speak of."""
    pinned = (demo / "known_hosts").read_text()
    port = re.findall(r"]:(\d+) ", pinned)[0]
    here = {
        "bastion.example.com:22": f"127.0.0.1:{port}",
        "ssh://tunnel@bastion.example.com": f"ssh://tunnel@127.0.0.1:{port}",
        "db.internal.corp:5432/orders?sslmode=verify-full": _database(demo),
        "db.internal.corp": DATABASE_HOST,
        "SHA256:29YDnM8BTgDgW7/CdV7t3rJsV6rwZs6hxVfT5mwbtDM": _fingerprint(pinned),
        "ssh -v ": f"ssh -v -F none -o BatchMode=yes -o UserKnownHostsFile={demo}/known_hosts -p {port} ",
        "tunnel@bastion.example.com": "tunnel@127.0.0.1",
        "/var/lib/node_exporter": str(tmp_path),
    }
    ssh = tmp_path / ".ssh"
    ssh.mkdir(0o700)
    shutil.copy(demo / "id_ed25519", ssh / "orders_ed25519")
    (ssh / "known_hosts").write_text(pinned)
    (ssh / "config").write_text(
        f"Host orders-bastion\n HostName 127.0.0.1\n Port {port}\n User tunnel\n"
        f" IdentityFile ~/.ssh/orders_ed25519\n LocalForward 5433 {DATABASE_HOST}:5432\n"
    )
    (tmp_path / "tunneldoctor.toml").write_text(meant(blocks(ROOT / "README.md", "toml")[0], here))
    (tmp_path / "pipeline").write_text("#!/bin/sh\n")
    (tmp_path / "pipeline").chmod(0o755)
    (tmp_path / "pipeline.log").write_text(PIPELINE)
    (tmp_path / "answer.txt").write_text("There is nothing in front of host-1.\n")
    return Place(tmp_path, _environment(tmp_path, demo), here)


def _database(demo: Path) -> str:
    written = (demo / "tunneldoctor.toml").read_text()
    return written.partition("postgresql://app@")[2].partition('"')[0]


def _fingerprint(pinned: str) -> str:
    digest = hashlib.sha256(base64.b64decode(pinned.split()[2])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _environment(home: Path, demo: Path) -> dict[str, str]:
    kept = {each: os.environ[each] for each in ("LANG", "PYTHONPATH", "TMPDIR") if each in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    password = (demo / "db_password").read_text().strip()
    return kept | {"HOME": str(home), "PATH": path, "ORDERS_DB_PASSWORD": password, "LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize("document", [each for each in DOCUMENTS if commands(each)], ids=name)
def test_the_commands_of_a_document_do_what_it_says_from_the_first_to_the_last(document: Path, place: Place) -> None:
    missing = [program for program in MACHINE if not shutil.which(program)]
    for command in commands(document):
        if command.startswith(tuple(NOT_RUN)) or any(program in command.split() for program in missing):
            continue
        status, word = next((told for begin, told in ELSE.items() if command.startswith(begin)), (0, ""))
        done = place.run(command)
        said = done.stdout + done.stderr
        assert done.returncode == status, f"{name(document)}: {command}\n{said}"
        assert word in said, f"{name(document)}: {command}\n{said}"
        assert "Traceback" not in said


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_commands_in_the_middle_of_a_sentence_can_be_given_like_that(document: Path) -> None:
    for line in INLINE.findall(" ".join(document.read_text("utf-8").split())):
        word, *arguments = shlex.split(line)
        top = click.Context(cli, info_name="tunneldoctor")
        command = cli.get_command(top, word)
        assert command is not None, line
        if arguments:  # without, it is the name of the command
            command.make_context(word, arguments, top).close()


def test_the_diagnosis_that_the_readme_shows_is_what_is_printed(place: Place) -> None:
    text = next(each for each in blocks(ROOT / "README.md", "console") if "--fault" in each)
    command, *shown = text.splitlines()
    printed = iter(_steady(line) for line in place.run(command.removeprefix("$ ")).stdout.splitlines())
    for line in shown:
        assert line == "…" or _steady(line) in printed, f"not printed, or not there: {line}"


def _steady(line: str) -> str:
    """*line* without what differs from run to run."""
    return " ".join(CHANGING.sub("…", line).split())
