"""``tunneldoctor repair-key``: what it says, what it leaves behind, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures import keys
from tests.report.test_to_json import validate
from tests.ssh.key_shapes import openssh_loads

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def good() -> bytes:
    return keys.encoded(keys.make())


@pytest.fixture
def damaged(tmp_path: Path, good: bytes) -> Path:
    return keys.write(tmp_path / "key", keys.DAMAGES["crlf"](good))


def parsed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["schema"] == "tunneldoctor.repair-key/1"
    validate("repair-key", document)
    assert document["exit_code"] == done.returncode
    return document


def test_without_write_it_says_what_it_would_do_and_does_nothing(program: Program, damaged: Path) -> None:
    before = damaged.read_bytes()
    done = program("repair-key", "key")
    assert done.returncode == 1
    assert "key.crlf-line-endings (error)" in done.stdout
    assert "7 lines" in done.stdout
    assert "What would be done:\n  - end each line with a line feed alone" in done.stdout
    assert damaged.read_bytes() == before
    assert [path.name for path in damaged.parent.iterdir() if path.is_file()] == ["key"]


def test_with_write_the_key_is_mended_and_the_original_kept(program: Program, damaged: Path, good: bytes) -> None:
    before = damaged.read_bytes()
    done = program("repair-key", "key", "--write")
    assert done.returncode == 0
    assert b"\r" not in damaged.read_bytes()
    assert b"".join(damaged.read_bytes().split()) == b"".join(good.split())
    assert "Proof: it loads here" in done.stdout
    assert f"The original is kept as {damaged}.orig" in done.stdout
    assert Path(f"{damaged}.orig").read_bytes() == before
    again = program("repair-key", "key", "--write")
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "key: nothing to repair")


def test_the_document_for_machines(program: Program, damaged: Path) -> None:
    document = parsed(program("repair-key", "key", "--json"))
    assert (document["status"], document["written"], document["left"]) == ("repairable", False, [])
    assert document["damages"][0]["params"] == {"count": 7, "ending": "CRLF"}
    document = parsed(program("repair-key", "key", "--json", "--write"))
    assert (document["status"], document["written"], document["left"]) == ("repaired", True, [])
    assert document["original"] == f"{damaged}.orig"
    assert document["public_key"].startswith("SHA256:")


def test_a_key_from_stdin_is_examined_and_can_t_be_written(good: bytes, environment: dict[str, str]) -> None:
    def run(data: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "tunneldoctor", "repair-key", "-", *options]
        return subprocess.run(command, input=data, env=environment, capture_output=True, timeout=60, check=False)

    assert run(good).returncode == 0
    assert b"key.newlines-lost" in run(keys.DAMAGES["newlines-lost"](good)).stdout
    assert run(b"").returncode == 1
    refused = run(good, "--write")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"name the file" in refused.stderr


def test_a_key_that_can_t_be_mended_ends_with_1_and_names_its_page(
    program: Program, tmp_path: Path, good: bytes
) -> None:
    path = keys.write(tmp_path / "key", keys.DAMAGES["truncated"](good), 0o644)
    done = program("repair-key", "key", "--write")
    assert done.returncode == 1
    assert "can't be repaired" in done.stdout
    assert "would be done" not in done.stdout
    assert path.stat().st_mode & 0o777 == 0o644
    assert "tunneldoctor explain key.truncated" in done.stdout
    assert not (tmp_path / "key.orig").exists()


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_rights_of_others_are_taken_away(program: Program, tmp_path: Path, good: bytes) -> None:
    path = keys.write(tmp_path / "key", good, 0o644)
    assert "key.permissions-too-open" in program("repair-key", "key").stdout
    assert path.stat().st_mode & 0o777 == 0o644
    assert program("repair-key", "key", "--write").returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "key.orig").exists()


def test_a_conversion_takes_the_passphrase_by_reference_and_keeps_it(program: Program, tmp_path: Path) -> None:
    data = keys.DAMAGES["putty-locked"](keys.encoded(keys.make()))
    path = keys.write(tmp_path / "key", data)
    without = program("repair-key", "key", "--write")
    assert without.returncode == 1
    assert "--passphrase env:NAME or file:PATH" in without.stdout
    assert path.read_bytes() == data
    done = program("repair-key", "key", "--write", "--passphrase", "env:WORD", WORD=keys.PASSPHRASE)
    assert done.returncode == 0, done.stdout
    assert openssh_loads(path.read_bytes(), keys.PASSPHRASE.encode(), tmp_path)
    assert not openssh_loads(path.read_bytes(), None, tmp_path)


def test_a_passphrase_in_a_file_may_end_in_a_line_break(program: Program, tmp_path: Path) -> None:
    keys.write(tmp_path / "key", keys.DAMAGES["aes-gcm"](keys.encoded(keys.make())))
    keys.write(tmp_path / "word", f"{keys.PASSPHRASE}\n".encode())
    assert program("repair-key", "key", "--write", "--passphrase", "file:word").returncode == 0


def test_an_encrypted_key_with_nothing_wrong_is_called_sound(program: Program, tmp_path: Path) -> None:
    keys.write(tmp_path / "key", keys.encoded(keys.make(), passphrase=keys.PASSPHRASE))
    done = program("repair-key", "key")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "key: nothing to repair")
    assert "(error)" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "missing argument"),
        (("absent",), "there is no file"),
        (("folder",), "is a folder"),
        (("fifo",), "is a pipe"),
        (("/dev/zero",), "is a device"),
        (("large",), "larger than 1 MiB"),
        (("key", "--passphrase", "hunter2"), "never the passphrase itself"),
        (("key", "--passphrase", "env:NOT_SET"), "NOT_SET is not set"),
        (("key", "--wirte"), "--write"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="devices and pipes are POSIX")
def test_what_can_t_be_used_ends_with_2_and_one_line(
    arguments: tuple[str, ...], words: str, program: Program, damaged: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with (tmp_path / "large").open("wb") as large:
        large.truncate(100 * 1024 * 1024)
    done = program("repair-key", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_of_the_key_is_ever_shown(program: Program, tmp_path: Path, good: bytes) -> None:
    secret = {line.decode() for line in good.splitlines()[1:-1]}
    for name in ("json-like", "crlf", "quoted", "newlines-lost", "en-dashes", "padding-lost", "corrupt"):
        data = b'{"key": "' + good + b'"}' if name == "json-like" else keys.DAMAGES[name](good)
        keys.write(tmp_path / "key", data)
        for options in ((), ("--json",)):
            done = program("repair-key", "key", *options)
            assert not any(line[:20] in done.stdout + done.stderr for line in secret)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_named(program: Program, damaged: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = program("repair-key", "key", "--write")
    tmp_path.chmod(0o700)
    assert done.returncode == 1
    assert "Permission denied" in done.stdout
