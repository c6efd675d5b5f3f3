"""A private PostgreSQL on loopback.

PostgreSQL refuses to run as root (``src/backend/main/main.c``, check_root), so for root everything runs as ``nobody``.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from tunneldoctor.demo.programs import WHEEL, NoPostgres, Programs

if TYPE_CHECKING:
    from pathlib import Path

    from tunneldoctor.demo.certificates import ServerCertificate

_SETUP_SECONDS = 60.0  # for creating or starting a cluster; a slow disk takes several
_STOP_SECONDS = 3.0


class Postgres:
    """One cluster in *folder*, with one user and one database. Use as a context manager: it is stopped at the end."""

    def __init__(self, folder: Path, programs: Programs, user: str, database: str, password: str) -> None:
        self._as = _other_user() if os.geteuid() == 0 else {}
        self._folder = folder
        self._data = folder / "data"
        folder.mkdir(mode=0o700)
        self._programs = self._reachable(programs)
        self._own(folder)
        self._process: subprocess.Popen[str] | None = None
        self._said: deque[str] = deque(maxlen=20)
        self.port = 0
        self._initialise(password)
        self._single_user(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'", f"CREATE DATABASE {database} OWNER {user}")
        self.version = self._setting("server_version")
        self.has_tls = bool(self._setting("ssl_library"))

    def start(self, certificate: ServerCertificate | None) -> Self:
        """Start it on a free port of 127.0.0.1, with TLS where there is a *certificate*. Raises :class:`NoPostgres`."""
        self.port = _free_port()
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "fsync": "off"}
        if certificate:
            key = self._write("server.key", certificate.key)
            options |= {"ssl": "on", "ssl_key_file": key}
            options["ssl_cert_file"] = self._write("server.crt", certificate.certificate)
        self._process = subprocess.Popen(
            self._command("postgres", "-D", str(self._data), *(f"--{name}={value}" for name, value in options.items())),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            # a session of its own: Ctrl-C at the terminal must reach us alone, so that the order of ending is ours
            start_new_session=True, env=_environment(), cwd="/", **self._as,
        )  # fmt: skip
        self._wait_until_ready(self._process)
        return self

    def stop(self) -> None:
        """Stop it at once, whatever is connected. May be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGQUIT)  # "immediate" (postgres(1)): nothing in it is worth a checkpoint
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _initialise(self, password: str) -> None:
        superuser = self._write("superuser-password", f"{password}-of-postgres\n".encode())
        options = ("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
        self._run("initdb", "-D", str(self._data), "-U", "postgres", f"--pwfile={superuser}", *options)

    def _wait_until_ready(self, process: subprocess.Popen[str]) -> None:
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(process, ready), name="demo-postgres", daemon=True).start()
        if not ready.wait(_SETUP_SECONDS) or process.poll() is not None:
            self.stop()
            raise NoPostgres(f"PostgreSQL does not start: {self._said[-1] if self._said else 'it says nothing'}")

    def _listen(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self._said.append(line.strip())
                if "ready to accept connections" in line:
                    ready.set()
        process.wait()
        ready.set()

    def _run(self, program: str, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            self._command(program, *arguments), input=stdin, capture_output=True, text=True, errors="replace",
            timeout=_SETUP_SECONDS, check=False, env=_environment(), cwd="/", start_new_session=True, **self._as,
        )  # fmt: skip
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[-1]
            raise NoPostgres(f"{program} of {self._programs.folder} fails: {last}")
        return str(done.stdout)

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [str(self._programs.folder / program), *arguments]

    def _single_user(self, *statements: str) -> None:
        """Run SQL without a server: nothing listens yet, and no password goes over anything."""
        lines = "".join(f"{sql}\n" for sql in statements)
        self._run("postgres", "--single", "-D", str(self._data), "postgres", stdin=lines)

    def _setting(self, name: str) -> str:
        return self._run("postgres", "-C", name, "-D", str(self._data)).strip()

    def _write(self, name: str, content: bytes) -> str:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        self._own(path)
        return str(path)

    def _own(self, path: Path) -> None:
        if self._as:
            shutil.chown(path, self._as["user"], self._as["group"])

    def _reachable(self, programs: Programs) -> Programs:
        """For root, a copy of the wheel that ``nobody`` can read: the user's packages may lie where it can't go."""
        if not self._as or programs.package is None:
            return programs
        copy = self._folder / "programs" / programs.package.name
        shutil.copytree(programs.package / "pginstall", copy / "pginstall", ignore=shutil.ignore_patterns("include"))
        libraries = programs.package.with_name(f"{WHEEL}.libs")  # the programs look for them beside their package
        if libraries.is_dir():
            shutil.copytree(libraries, copy.with_name(libraries.name))
        return Programs(copy / "pginstall" / "bin", copy)


def _other_user() -> dict[str, Any]:
    """What :mod:`subprocess` needs to run something as ``nobody``."""
    import pwd

    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Without the caller's PG variables, and in English, since the log is read."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
