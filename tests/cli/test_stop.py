"""An interrupted run still tells what it found, and ends with the signal's status."""

import json
import signal
import socket
import subprocess

import pytest

from .conftest import COMMAND

ENDINGS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


def start(arguments: list[str], environment: dict[str, str], cwd) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, *arguments], env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[str, str]:
    """Signal it; it must be gone long before the deadlines that it works under."""
    process.send_signal(number)
    try:
        return process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("number", "status"), ENDINGS, ids=lambda value: getattr(value, "name", str(value)))
def test_a_signal_ends_a_check_that_hangs(company, environment, tmp_path, number, status) -> None:
    command = [*company("time.sleep(60)\nreturn Outcome()"), "--timeout", "60s", "--format", "ndjson"]
    process = start(command, environment, tmp_path)
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["event"] != "check.started":
        pass
    out, error = end(process, number)
    report = json.loads(out.splitlines()[-1])["report"]
    assert (process.returncode, report["exit_code"], report["complete"], error) == (status, status, False, "")


@pytest.mark.parametrize(("number", "status"), ENDINGS, ids=lambda value: getattr(value, "name", str(value)))
def test_a_signal_ends_a_run_against_a_server_that_never_answers(environment, tmp_path, number, status) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ssh://tunnel@127.0.0.1:{silent.getsockname()[1]}"
        process = start(["check", "--ssh-url", url, "--timeout", "60s", "--json"], environment, tmp_path)
        silent.settimeout(30)
        with silent.accept()[0]:
            out, error = end(process, number)
    report = json.loads(out)
    assert (process.returncode, report["exit_code"], report["complete"], error) == (status, status, False, "")


def test_a_signal_ends_the_pause_between_two_looks(company, environment, tmp_path) -> None:
    body = "return found(Finding('config.company-fault', {'word': 'roof'}))"
    command = [*company(body, retry="while-waiting"), "--wait", "1h", "--json"]
    process = start(command, environment, tmp_path)
    assert process.stderr is not None
    assert "looking again" in process.stderr.readline()
    out, _ = end(process, signal.SIGTERM)
    assert (process.returncode, json.loads(out)["complete"]) == (143, False)


def test_tunnels_that_had_not_begun_are_in_the_document_too(company, environment, tmp_path) -> None:
    company("time.sleep(60)\nreturn Outcome()")
    names = ["one", "two", "three"]
    tables = (f'[tunnels.{name}]\nssh_url = "ssh://tunnel@{name}.example.com"\n' for name in names)
    (tmp_path / "tunneldoctor.toml").write_text("".join(tables))
    arguments = ["check", "--all", "--jobs", "1", "--only", "config.company", "--timeout", "60s", "-vv", "--json"]
    process = start([*arguments, "-o", "fleet.json"], environment, tmp_path)
    assert process.stderr is not None
    assert process.stderr.readline()
    end(process, signal.SIGTERM)
    fleet = json.loads((tmp_path / "fleet.json").read_text())
    assert [(report["tunnel"], report["complete"]) for report in fleet["reports"]] == [(name, False) for name in names]
    assert process.returncode == fleet["exit_code"] == 143


def test_a_signal_that_the_shell_ignores_stays_ignored(company, environment, tmp_path) -> None:
    """As under nohup: the hang-up does nothing, the SIGTERM after it ends the run."""
    command = [*company("time.sleep(60)\nreturn Outcome()"), "--timeout", "60s", "--format", "ndjson"]
    script = 'trap "" HUP; exec "$@"'
    process = subprocess.Popen(
        ["sh", "-c", script, "sh", *COMMAND, *command],
        env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    while json.loads(process.stdout.readline())["event"] != "check.started":
        pass
    process.send_signal(signal.SIGHUP)
    end(process, signal.SIGTERM)
    assert process.returncode == 143
