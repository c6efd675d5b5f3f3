"""``tunneldoctor read``: text and JSON of what a pasted text tells, and bad input told in words."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND
from tests.report.test_to_json import validate

TEXT = (
    "debug1: Authenticating to bastion.example.com:22 as 'tunnel'\n"
    "debug1: Offering public key: /home/me/.ssh/id_ed25519 ED25519 SHA256:abc\n"
    "tunnel@bastion.example.com: Permission denied (publickey).\n"
    "sshd[7]: Authentication refused: bad ownership or modes for directory /home/tunnel\n"
)


@pytest.fixture
def pasted(tmp_path: Path) -> Path:
    file = tmp_path / "pasted.txt"
    file.write_text(TEXT)
    return file


def test_the_line_that_proves_it_stands_beside_the_cause_and_the_fix(program, pasted: Path) -> None:
    done = program("read", str(pasted))
    assert (done.returncode, done.stderr) == (0, "")
    assert "auth.bad-permissions" in done.stdout
    assert "line 4: sshd[7]: Authentication refused: bad ownership or modes for directory /home/tunnel" in " ".join(
        done.stdout.split()
    )
    assert "getent passwd tunnel" in done.stdout, "the user that the text names stands in the commands"


def test_the_document_for_programs_holds_the_same(program, pasted: Path) -> None:
    done = program("read", "--json", str(pasted))
    document = json.loads(done.stdout)
    validate("reading", document)
    (told,) = document["findings"]
    assert told["finding"]["code"] == "auth.bad-permissions"
    assert told["finding"]["symptom"] == "auth.publickey-refused"
    assert [line["number"] for line in told["lines"]] == [3, 4]
    assert document["lines"] == 4


def test_a_text_that_tells_nothing_says_so(program, tmp_path: Path) -> None:
    file = tmp_path / "fine.txt"
    file.write_text("all is well\n")
    done = program("read", str(file))
    assert done.returncode == 3
    assert done.stdout == "none of its 1 lines is one that is known here: it tells nothing\n"


def test_values_of_a_tunnel_fill_what_the_text_leaves_open(program, tmp_path: Path) -> None:
    file = tmp_path / "psql.txt"
    file.write_text('FATAL:  password authentication failed for user "app"\n')
    config = tmp_path / "tunneldoctor.toml"
    config.write_text(
        '[tunnels.orders]\nssh_url = "ssh://t@b.example.com"\ndatabase = "postgresql://app@db.corp/orders"\n'
    )
    done = program("read", "--tunnel", "orders", "--config", str(config), str(file))
    assert "tunneldoctor check orders" in done.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "can't read"), (b"\x1f\x8b\x08" + bytes(20), "gunzip"), (bytes(range(32)) * 100, "it is no text")],
    ids=["absent", "compressed", "binary"],
)
def test_what_can_t_be_read_is_told_in_words(program, tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "pasted"
    if content is not None:
        file.write_bytes(content)
    done = program("read", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tunneldoctor: error: ")
    assert words in done.stderr


@pytest.mark.parametrize(("command", "status"), [("read", 3), ("explain-evidence", 2), ("show", 2), ("unredact", 0)])
def test_a_closed_stdin_is_an_empty_one(tmp_path: Path, environment, command: str, status: int) -> None:
    argv = ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, command, "-"]
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status
    assert "defect" not in done.stderr
