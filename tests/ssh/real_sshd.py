"""A real sshd on loopback, with a configuration and an authorized_keys of the test's own (needs root)."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or ""

needs_sshd = pytest.mark.skipif(not SSHD or os.geteuid() != 0, reason="needs root and OpenSSH's sshd")


@dataclass(frozen=True)
class Sshd:
    """Where it listens, who may log in, and with what."""

    host: str
    port: int
    username: str
    folder: Path
    log: list[str]

    @property
    def key(self) -> paramiko.PKey:
        return paramiko.Ed25519Key.from_private_key_file(str(self.folder / "id_ed25519"))

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), 5)

    def public_host_key(self, kind: str = "ed25519") -> str:
        return (self.folder / f"host_{kind}.pub").read_text().split()[1]


def generate(path: Path, kind: str = "ed25519", *options: str) -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", str(path), *options]
    subprocess.run(command, check=True)
    return path


@contextmanager
def sshd(
    config: str = "",
    *,
    key_options: str = "",
    username: str = "root",
    host_keys: tuple[str, ...] = ("ed25519",),
    prepare: Callable[[Path], object] = lambda folder: None,
) -> Iterator[Sshd]:
    """Run sshd with *config* in front of the usual lines; ``{folder}`` in it is the server's folder.

    *prepare* is called with that folder, which then holds host keys, a client's key and authorized_keys.
    """
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tunneldoctor-sshd-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _prepare(folder, key_options, host_keys)
        prepare(folder)
        port = _free_port()
        lines = [config.replace("{folder}", name), _usual(folder, port, host_keys)]
        (folder / "sshd_config").write_text("\n".join(lines))
        server = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")],
            stderr=subprocess.PIPE,
            text=True,
        )
        log: list[str] = []
        _read_until_listening(server, log)
        try:
            yield Sshd("127.0.0.1", port, username, folder, log)
        finally:
            server.terminate()
            server.wait(5)


@contextmanager
def throw_away_user(*options: str) -> Iterator[pwd.struct_passwd]:
    """An account of this machine for the time of a test."""
    name = f"td{os.getpid() % 100000}{threading.get_ident() % 1000}"
    subprocess.run(["useradd", "--create-home", "--password", "*", *options, name], check=True, capture_output=True)
    try:
        yield pwd.getpwnam(name)
    finally:
        subprocess.run(["userdel", "--remove", "--force", name], check=False, capture_output=True)


def _prepare(folder: Path, key_options: str, host_keys: tuple[str, ...]) -> None:
    for kind in host_keys:
        generate(folder / f"host_{kind}", kind)
    generate(folder / "id_ed25519")
    line = (folder / "id_ed25519.pub").read_text()
    (folder / "authorized_keys").write_text(f"{key_options} {line}".lstrip())


def _usual(folder: Path, port: int, host_keys: tuple[str, ...]) -> str:
    settings: Mapping[str, object] = {
        "ListenAddress": f"127.0.0.1:{port}",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "LogLevel": "DEBUG",
        "AuthorizedKeysFile": f"{folder}/authorized_keys",
        "PasswordAuthentication": "no",
    }
    keys = [f"HostKey {folder}/host_{kind}" for kind in host_keys]
    return "\n".join([*keys, *(f"{key} {value}" for key, value in settings.items())])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _read_until_listening(server: subprocess.Popen[str], log: list[str]) -> None:
    """Start to read the log. Sessions that outlive the server write to it too: whoever reads it closes it."""
    listening = threading.Event()

    def read() -> None:
        assert server.stderr
        with server.stderr:
            for line in server.stderr:
                log.append(line.rstrip())
                if "Server listening" in line:
                    listening.set()
        listening.set()

    threading.Thread(target=read, daemon=True).start()
    assert listening.wait(10), log
    assert server.poll() is None, "\n".join(log)
