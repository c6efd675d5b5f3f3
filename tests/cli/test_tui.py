"""``tunneldoctor tui`` from the outside: where it may not start, and what it says of a file it can't use."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND


def in_a_terminal(arguments: list[str], environment: dict[str, str], cwd: Path) -> tuple[int, str]:
    """Run the program in a terminal of its own until it ends; its exit status and all that it wrote."""
    ours, theirs = pty.openpty()
    env = {**environment, "TERM": "xterm-256color"}
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # EIO: nobody holds the other end any more
                break
            if not data:
                break
            written += data
    os.close(ours)
    return process.returncode, written.decode()


def test_without_a_terminal_it_says_what_to_use_and_draws_nothing(program) -> None:
    done = program("tui", "orders")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tunneldoctor: error: stdin and stdout and stderr are no terminal: use tunneldoctor check orders\n"
    )


@pytest.mark.parametrize(("variable", "value"), [("TERM", "dumb"), ("CI", "true")])
def test_in_a_ci_job_or_on_a_dumb_terminal_neither(variable, value, environment, tmp_path) -> None:
    script = f"import os, sys; os.environ[{variable!r}] = {value!r}; from tunneldoctor.cli import main; main()"
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", script, "tui"], env=environment | {"TERM": "xterm"}, cwd=tmp_path, stdin=theirs,
        stdout=theirs, stderr=theirs, timeout=30, check=False,
    )  # fmt: skip
    os.close(theirs)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 2
    assert "use tunneldoctor check" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('rnu = "g"', "nothing is called 'rnu' (did you mean run?)"),
        ('run = "nokey"', "there is no key 'nokey'"),
        ('run = "x"', "run and cancel would both be x"),
        ("run = 3", "run must be a key or a list of keys"),
    ],
)
def test_a_wrong_key_in_the_file_is_named(keys, words, environment, tmp_path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(f'[keys]\n{keys}\n[tunnels.orders]\nssh_url = "ssh://a@b"\n')
    status, text = in_a_terminal(["tui", "orders"], environment, tmp_path)
    assert status == 2, text
    assert words in text
    assert "\x1b[?1049h" not in text, "no screen is drawn first"


def test_keys_are_no_trouble_to_check(program, tmp_path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text('[keys]\nrun = ["g", "f5"]\n[tunnels.orders]\nssh_url = "ssh://a@b"\n')
    done = program("check", "orders", "--only", "config", "--json")
    assert json.loads(done.stdout)["tunnel"] == "orders"


def test_a_file_that_is_no_report_can_not_be_opened(environment, tmp_path) -> None:
    (tmp_path / "other.json").write_text("{}")
    status, text = in_a_terminal(["tui", "--open", "other.json"], environment, tmp_path)
    assert status == 2, text
    assert "other.json" in text
    assert "\x1b[?1049h" not in text


def test_json_loads_no_textual(environment, tmp_path) -> None:
    script = (
        "import sys; sys.argv[1:] = ['check', '--ssh-url', 'ssh://a@127.0.0.1:1', '--only', 'config', '--json']\n"
        "from tunneldoctor.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('textual', 'tunneldoctor.tui') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "[]"


def test_it_ends_when_its_terminal_goes_without_a_signal(environment, tmp_path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text('[tunnels.orders]\nssh_url = "ssh://a@127.0.0.1:1"\n')
    ours, theirs = pty.openpty()
    env = {**environment, "TERM": "xterm-256color"}
    with subprocess.Popen(
        [*COMMAND, "tui", "orders"], cwd=tmp_path, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        while b"bastion" not in seen:
            seen += os.read(ours, 65536)
        os.close(ours)
        try:
            assert process.wait(20) == 128 + signal.SIGHUP
        finally:
            process.kill()
