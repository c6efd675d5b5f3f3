"""Writing to known_hosts: the real ssh-keygen finds what was written, and nothing else of the file is changed."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.ssh.real_sshd import generate
from tunneldoctor.ssh import pinning
from tunneldoctor.ssh.known_hosts import read
from tunneldoctor.ssh.pinning import CannotPin, KnownHostsFile
from tunneldoctor.ssh.pins import Pin

NAME = "[bastion.example.com]:2222"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    folder = tmp_path_factory.mktemp("keys")
    yield [" ".join(Path(f"{generate(folder / str(n))}.pub").read_text().split()[:2]) for n in range(3)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".ssh" / "known_hosts"


def found_by_ssh_keygen(path: Path, name: str = NAME) -> list[str]:
    done = subprocess.run(["ssh-keygen", "-F", name, "-f", str(path)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    return [" ".join(line.split()[1:3]) for line in lines]


def pins(path: Path) -> tuple[Pin, ...]:
    return read([path]).pins("bastion.example.com", 2222).lines


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(file: Path, keys: list[str]) -> None:
    KnownHostsFile(file).pin([f"{NAME} {keys[0]}"])
    assert file.read_text() == f"{NAME} {keys[0]}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert found_by_ssh_keygen(file) == [keys[0]]


@pytest.mark.parametrize("before", ["other {key}", "other {key}\n", "", "# a comment without an end"])
def test_a_line_is_added_behind_what_is_there(before: str, file: Path, keys: list[str]) -> None:
    file.parent.mkdir()
    text = before.format(key=keys[1])
    file.write_text(text)
    file.chmod(0o644)
    KnownHostsFile(file).pin([f"{NAME} {keys[0]}", f"{NAME} {keys[2]}"])
    assert file.read_text().startswith(text)
    assert found_by_ssh_keygen(file) == [keys[0], keys[2]]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644, "an existing file keeps its mode"


def test_names_are_hashed_where_the_others_are(file: Path, keys: list[str]) -> None:
    file.parent.mkdir()
    file.write_text(f"other {keys[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    KnownHostsFile(file).pin([f"{NAME} {keys[0]}"])
    assert "bastion" not in file.read_text()
    assert found_by_ssh_keygen(file) == [keys[0]]
    assert len(pins(file)) == 1


def test_an_old_key_makes_place_for_the_new_one_and_other_hosts_keep_theirs(file: Path, keys: list[str]) -> None:
    file.parent.mkdir()
    before = f"first {keys[1]}\na,{NAME},b {keys[1]} comment\n{NAME} {keys[1]}\nlast {keys[1]}\n"
    file.write_text(before)
    file.chmod(0o640)
    KnownHostsFile(file).pin([f"{NAME} {keys[0]}"], pins(file))
    assert file.read_text() == f"first {keys[1]}\na,b {keys[1]} comment\nlast {keys[1]}\n{NAME} {keys[0]}\n"
    assert Path(f"{file}.old").read_text() == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_hashed_old_key_makes_place_too(file: Path, keys: list[str]) -> None:
    file.parent.mkdir()
    file.write_text(f"{NAME} {keys[1]}\nother {keys[1]}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    KnownHostsFile(file).pin([f"{NAME} {keys[0]}"], pins(file))
    assert found_by_ssh_keygen(file) == [keys[0]]
    assert found_by_ssh_keygen(file, "other") == [keys[1]]


def test_a_link_stays_a_link(file: Path, keys: list[str], tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text(f"{NAME} {keys[1]}\n")
    file.parent.mkdir()
    file.symlink_to(real)
    KnownHostsFile(file).pin([f"{NAME} {keys[0]}"], pins(file))
    assert file.is_symlink()
    assert real.read_text() == f"{NAME} {keys[0]}\n"


def test_a_pattern_is_left_to_a_person(file: Path, keys: list[str]) -> None:
    file.parent.mkdir()
    file.write_text(f"[*.example.com]:* {keys[1]}\n")
    with pytest.raises(CannotPin, match="by a pattern"):
        KnownHostsFile(file).pin([f"{NAME} {keys[0]}"], pins(file))
    assert file.read_text() == f"[*.example.com]:* {keys[1]}\n"


def test_a_key_that_another_file_pins_is_left_to_a_person(file: Path, keys: list[str], tmp_path: Path) -> None:
    (tmp_path / "global").write_text(f"{NAME} {keys[1]}\n")
    with pytest.raises(CannotPin, match="global:1, another file"):
        KnownHostsFile(file).pin([f"{NAME} {keys[0]}"], pins(tmp_path / "global"))


def test_what_is_no_file_is_not_written_to(tmp_path: Path, keys: list[str]) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, tmp_path / "fifo" / "known_hosts"):
        with pytest.raises(CannotPin):
            KnownHostsFile(path).pin([f"{NAME} {keys[0]}"])


def test_two_programs_at_once_lose_nothing(file: Path, keys: list[str]) -> None:
    file.parent.mkdir()
    file.write_text("".join(f"{NAME} {keys[1]}\n" for _ in range(3)))
    old = pins(file)

    def one(number: int) -> None:
        KnownHostsFile(file).pin([f"host{number} {keys[0]}"], old[:1] if number == 5 else ())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(20)))
    assert sum(line.startswith("host") for line in file.read_text().splitlines()) == 20


def test_a_file_that_somebody_else_holds_is_waited_for_and_given_up(
    file: Path, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pinning, "_PATIENCE", 0.1)
    file.parent.mkdir()
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(CannotPin, match="another program"):
            KnownHostsFile(file).pin([f"{NAME} {keys[0]}"])
    assert file.read_text() == ""
