"""tunneldoctor pin against a real sshd: what is shown, what is written, and what never is."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.test_to_json import validate
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd

pytestmark = needs_sshd
Program = Callable[..., "subprocess.CompletedProcess[str]"]
TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd(host_keys=("rsa", "ecdsa", "ed25519")) as running:
        generate(running.folder / "stranger")
        yield running


def public(server: Sshd, name: str) -> str:
    return " ".join((server.folder / f"{name}.pub").read_text().split()[:2])


def fingerprint(server: Sshd, name: str = "host_ed25519") -> str:
    command = ["ssh-keygen", "-lf", str(server.folder / f"{name}.pub")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]


class Pinning:
    """``tunneldoctor pin`` with a configuration of one tunnel, and its known_hosts."""

    def __init__(self, program: Program, server: Sshd, folder: Path) -> None:
        self._program, self._server, self._folder = program, server, folder
        self.file = folder / "known_hosts"
        self.name = f"[{server.host}]:{server.port}"
        self.more = ""

    def configure(self) -> None:
        lines = [
            "[tunnels.orders]",
            f'ssh_url = "ssh://{self._server.username}@{self._server.host}:{self._server.port}"',
            f'private_key = "{self._server.folder / "id_ed25519"}"',
            f'known_hosts = "{self.file}"',
            'database = "tcp://db.internal:5432"',
            self.more,
        ]
        (self._folder / "tunneldoctor.toml").write_text("\n".join(lines))

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.configure()
        return self._program("pin", "orders", *arguments)

    def json(self, *arguments: str) -> dict[str, Any]:
        document = json.loads(self(*arguments, "--json").stdout)
        assert document["schema"] == "tunneldoctor.pin/1"
        validate("pin", document)
        (only,) = document["servers"]
        return {**document, **only}

    @property
    def written(self) -> str:
        return self.file.read_text() if self.file.exists() else ""


@pytest.fixture
def pin(program: Program, server: Sshd, tmp_path: Path) -> Pinning:
    return Pinning(program, server, tmp_path)


def test_every_key_is_shown_and_without_a_confirmation_nothing_is_written(pin: Pinning, server: Sshd) -> None:
    done = pin()
    assert done.returncode == 1
    for name in ("host_ed25519", "host_ecdsa", "host_rsa"):
        assert fingerprint(server, name) in done.stdout
    assert "ssh-keygen -lf" in done.stdout
    assert "get-console-output" in done.stdout
    assert "--fingerprint" in done.stderr
    assert pin.written == ""


def test_the_provider_s_own_ways_alone_are_told(pin: Pinning) -> None:
    pin.more = 'provider = "azure"'
    done = pin()
    assert "az vm run-command" in done.stdout
    assert "aws" not in done.stdout


def test_a_confirmed_fingerprint_is_pinned_and_the_real_ssh_takes_it(pin: Pinning, server: Sshd) -> None:
    done = pin("--fingerprint", fingerprint(server))
    assert done.returncode == 0, done.stderr
    assert pin.written == f"{pin.name} {public(server, 'host_ed25519')}\n"
    command = [
        "ssh",
        "-F",
        "none",
        "-o",
        "BatchMode=yes",
        "-o",
        f"UserKnownHostsFile={pin.file}",
        "-p",
        str(server.port),
    ]
    said = subprocess.run([*command, f"nobody@{server.host}", "true"], capture_output=True, text=True, check=False)
    assert "Host key verification failed" not in said.stderr
    assert pin("--fingerprint", fingerprint(server)).returncode == 0
    assert pin.written.count("\n") == 1, "what is pinned is not pinned again"
    assert pin().returncode == 0


def test_a_fingerprint_that_no_key_has_writes_nothing(pin: Pinning, server: Sshd) -> None:
    done = pin("--fingerprint", fingerprint(server, "stranger"), "--fingerprint", fingerprint(server))
    assert done.returncode == 1
    assert "no server shows a key with" in done.stderr
    assert pin.written == ""


def test_the_keys_come_in_the_order_that_ssh_prefers(pin: Pinning, server: Sshd) -> None:
    document = pin.json("--fingerprint", fingerprint(server, "host_rsa"))
    assert [key["type"] for key in document["keys"]] == TYPES
    assert [key["written"] for key in document["keys"]] == [False, False, True]
    assert document["exit_code"] == 0
    assert pin.written.split()[1] == "ssh-rsa"


def test_a_changed_key_is_shown_with_the_old_one_and_replaced_only_on_demand(pin: Pinning, server: Sshd) -> None:
    before = f"other {public(server, 'stranger')}\n{pin.name} {public(server, 'stranger')}\n"
    pin.file.write_text(before)
    done = pin("--fingerprint", fingerprint(server))
    assert done.returncode == 1
    assert fingerprint(server) in done.stdout
    assert f"{fingerprint(server, 'stranger')}  is pinned now ({pin.file}:2)" in done.stdout
    assert "--replace" in done.stderr
    assert pin.written == before
    assert pin("--fingerprint", fingerprint(server), "--replace").returncode == 0
    assert pin.written == f"other {public(server, 'stranger')}\n{pin.name} {public(server, 'host_ed25519')}\n"


def test_a_revoked_key_is_never_pinned(pin: Pinning, server: Sshd) -> None:
    pin.file.write_text(f"@revoked * {public(server, 'host_ed25519')}\n")
    done = pin("--fingerprint", fingerprint(server), "--replace")
    assert done.returncode == 1
    assert "revoked" in done.stderr
    assert pin.written.count("\n") == 1


def test_a_pin_of_the_configuration_counts_instead(pin: Pinning, server: Sshd) -> None:
    pin.more = f'host_key = "{fingerprint(server, "host_rsa")}"'
    assert pin().returncode == 0
    done = pin("--fingerprint", fingerprint(server))
    assert done.returncode == 1
    assert "host_key in the configuration" in done.stderr
    assert pin.written == ""


@pytest.mark.parametrize("answer", ["yes", "no", "{fingerprint}", "what\nyes", ""])
def test_on_a_terminal_the_user_is_asked(
    answer: str, pin: Pinning, server: Sshd, tmp_path: Path, environment: dict[str, str]
) -> None:
    done = on_a_terminal(answer.format(fingerprint=fingerprint(server, "host_rsa")), pin, tmp_path, environment)
    assert "Type yes, no, or the fingerprint" in done.stderr
    types = [line.split()[1] for line in pin.written.splitlines()]
    expected = {"yes": TYPES, "what\nyes": TYPES, "{fingerprint}": ["ssh-rsa"]}.get(answer, [])
    assert types == expected
    assert done.returncode == (0 if expected else 1)


def test_where_one_key_has_changed_the_others_are_not_pinned_for_a_yes(
    pin: Pinning, server: Sshd, tmp_path: Path, environment: dict[str, str]
) -> None:
    pin.file.write_text(f"{pin.name} {public(server, 'stranger')}\n")
    done = on_a_terminal("yes", pin, tmp_path, environment)
    assert done.returncode == 1
    assert "Type yes" not in done.stderr
    assert pin.written.count("\n") == 1
    done = on_a_terminal("yes", pin, tmp_path, environment, "--replace")
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in pin.written.splitlines()] == TYPES
    assert public(server, "stranger") not in pin.written


def on_a_terminal(
    answer: str, pin: Pinning, folder: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    pin.configure()
    theirs, ours = pty.openpty()
    os.write(theirs, f"{answer}\n".encode())
    command = [sys.executable, "-m", "tunneldoctor", "pin", "orders", *arguments]
    try:
        return subprocess.run(
            command, stdin=ours, capture_output=True, text=True, cwd=folder, env=environment, timeout=60, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_server_that_does_not_answer_ends_with_its_trouble_and_status_3(pin: Pinning, server: Sshd) -> None:
    done = pin("--bastion-port", "1")
    assert done.returncode == 3
    assert "tcp.refused" in done.stdout


def test_mistakes_of_the_command_line_end_with_status_2(pin: Pinning) -> None:
    for arguments in (["--hop", "via-7"], ["--fingerprint", "MD5:aa"]):
        assert pin(*arguments).returncode == 2


def test_behind_a_jump_host_it_takes_a_login_that_only_a_pinned_jump_host_gets(
    pin: Pinning, server: Sshd, tmp_path: Path
) -> None:
    """The jump host and the bastion are the same server here: one name, one port, one line pins both."""
    with sshd(host_keys=("ed25519",), prepare=lambda folder: _let_in(folder, server)) as jump:
        pin.more = f'via = ["ssh://{jump.username}@{jump.host}:{jump.port}"]'
        done = pin()
        assert done.returncode == 3
        assert "hostkey.unknown, via-1" in done.stdout
        assert pin("--hop", "via-1", "--fingerprint", fingerprint(jump)).returncode == 0
        document = json.loads(pin("--fingerprint", fingerprint(server), "--json").stdout)
    assert [[key["type"] for key in each["keys"]] for each in document["servers"]] == [["ssh-ed25519"], TYPES]
    assert document["exit_code"] == 0
    assert f"{pin.name} {public(server, 'host_ed25519')}\n" in pin.written


def _let_in(folder: Path, server: Sshd) -> None:
    (folder / "authorized_keys").write_text((server.folder / "id_ed25519.pub").read_text())
