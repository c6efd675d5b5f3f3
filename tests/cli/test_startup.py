"""What is asked for often must not pay for what it does not use."""

import subprocess
import sys

import pytest

HEAVY = ("paramiko", "dns", "textual", "rich", "yaml", "cryptography", "psutil", "OpenSSL", "tunneldoctor_checks")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], [], ["check", "--help"], ["tui", "--help"], ["demo", "--list-faults"]],
)
def test_help_and_version_load_no_heavy_library(arguments: list[str], environment: dict[str, str]) -> None:
    script = (
        f"import sys; sys.argv[1:] = {arguments!r}\n"
        "from tunneldoctor.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_the_program_without_arguments_prints_its_help(program) -> None:
    done = program()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: tunneldoctor")


def test_the_version_is_one_line_on_stdout(program) -> None:
    done = program("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[0] == "tunneldoctor"
    assert len(done.stdout.splitlines()) == 1
