"""A real PostgreSQL for the session of tests, with TLS by an authority made here, and servers that behave badly."""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.database.lab_mariadb import mariadb, mysql, servers  # noqa: F401 - fixtures

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
NAME = "db.internal.example"
PASSWORD = "correct horse"
_OTHERS = "app,stranger,expired,no_password,md5_secret,no_login,one_only,reader,sleepy"
_HBA = f"""
local all postgres trust
hostssl all tls_only 127.0.0.1/32 scram-sha-256
hostnossl all clear_only 127.0.0.1/32 scram-sha-256
hostssl all with_certificate 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
hostssl all by_certificate 127.0.0.1/32 cert
host all asks_ident 127.0.0.1/32 ident
host all asks_md5 127.0.0.1/32 md5
host all asks_clear 127.0.0.1/32 password
host all trusted,nobody_here,trusted_nologin 127.0.0.1/32 trust
host all rejected 127.0.0.1/32 reject
host app,nowhere,closed,forbidden {_OTHERS} 127.0.0.1/32 scram-sha-256
"""
_SQL = f"""
create role app login password '{PASSWORD}';
create role tls_only login password '{PASSWORD}';
create role clear_only login password '{PASSWORD}';
create role with_certificate login password '{PASSWORD}';
create role by_certificate login;
create role asks_md5 login;
set password_encryption = 'md5';
alter role asks_md5 password '{PASSWORD}';
create role md5_secret login password '{PASSWORD}';
set password_encryption = 'scram-sha-256';
create role asks_clear login password '{PASSWORD}';
create role asks_ident login;
create role trusted login;
create role trusted_nologin;
create role expired login password '{PASSWORD}' valid until '2001-01-01';
create role no_password login;
create role no_login password '{PASSWORD}';
create role one_only login password '{PASSWORD}' connection limit 0;
create role reader login password '{PASSWORD}';
alter role reader set default_transaction_read_only = on;
create role sleepy login password '{PASSWORD}';
alter role sleepy set idle_session_timeout = '300ms';
create database app;
create database closed;
alter database closed allow_connections false;
create database forbidden;
revoke connect on database forbidden from public;
"""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, with the files they are in."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    file: Path
    key_file: Path


@dataclass
class Authority:
    """Signs certificates into *folder*."""

    folder: Path
    name: str = "Test authority"
    root: Pair = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.issue(self.name, authority=True)

    def issue(
        self,
        name: str = NAME,
        *,
        days: tuple[float, float] = (-2, 365),
        authority: bool = False,
        self_signed: bool = False,
        issuer: Pair | None = None,
        names: bool = True,
        address: str = "",
    ) -> Pair:
        """A certificate for *name*, good between *days* from now; with an *address* that alone is listed."""
        key = ec.generate_private_key(ec.SECP256R1())
        own = (authority and issuer is None) or self_signed
        signer = issuer or (None if own else self.root)
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signer.certificate.subject if signer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        listed = x509.IPAddress(ipaddress.ip_address(address)) if address else x509.DNSName(name)
        if names and not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([listed]), critical=False)
        signed = builder.sign(signer.key if signer else key, hashes.SHA256())
        return self._keep(signed, key)

    def _keep(self, signed: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
        stem = self.folder / f"{signed.serial_number:x}"[:24]
        file, key_file = stem.with_suffix(".crt"), stem.with_suffix(".key")
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Pair(signed, key, file, key_file)


class Postgres:
    """One cluster in *folder*; ``port`` on 127.0.0.1."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self._data = folder / "data"
        self._authority = authority
        self._log = folder / "log"
        self._as = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
        self.certificate = authority.issue()
        self.port = _free_port()
        self._own(folder)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        (self._data / "pg_hba.conf").write_text(_HBA)
        self._run("postgres", "--single", "-j", "-D", str(self._data), "postgres", stdin=_SQL.replace(";\n", ";\n\n"))
        self._install(self.certificate)

    def start(self, **settings: str) -> None:
        """Start it; *settings* go on the command line."""
        self._launch(settings)
        self._await("ready to accept connections")

    def _launch(self, settings: dict[str, str]) -> None:
        options = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": str(self._data),
            "fsync": "off", "ssl": "on", "ssl_ca_file": str(self._data / "root.crt"), "max_connections": "12",
        } | settings  # fmt: skip
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(PROGRAMS / "postgres"), "-D", str(self._data), *(f"--{k}={v}" for k, v in options.items())],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", **self._as,
            )  # fmt: skip

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(10)

    @contextmanager
    def restarted(self, **settings: str) -> Iterator[None]:
        """Run it with other *settings* for a while."""
        self.stop()
        self.start(**settings)
        try:
            yield
        finally:
            self.stop()
            self.start()

    @contextmanager
    def starting_up(self) -> Iterator[None]:
        """It waits for an archive that does not answer, for a while."""
        self.stop()
        signal_file = self._data / "recovery.signal"
        signal_file.touch()
        self._own(signal_file)
        self._launch({"restore_command": "sleep 60"})
        try:
            self._await("database system was interrupted")
            yield
        finally:
            self.stop()
            signal_file.unlink()
            self.start()

    @contextmanager
    def shutting_down(self) -> Iterator[None]:
        """It waits for a session that does not end, for a while: there must be one."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._await("received smart shutdown request")
            yield
        finally:
            self.stop()
            self.start()

    @contextmanager
    def in_recovery(self) -> Iterator[None]:
        """One session's process has crashed, and another's does not hear that it must end; there must be two."""
        crashed, deaf = (int(pid) for pid in self.sql("select pid from pg_stat_activity where usename = 'app'").split())
        os.kill(deaf, signal.SIGSTOP)
        os.kill(crashed, signal.SIGKILL)
        try:
            self._await("terminating any other active server processes")
            yield
        finally:
            os.kill(deaf, signal.SIGCONT)
            self.stop()
            self.start()

    @contextmanager
    def presenting(self, pair: Pair, *above: Pair) -> Iterator[None]:
        """Serve another certificate (with what is *above* it) for a while."""
        self._reload(pair, *above)
        try:
            yield
        finally:
            self._reload(self.certificate)

    def sql(self, statement: str) -> str:
        """Run *statement* as the superuser."""
        return self._run("psql", "-h", str(self._data), "-p", str(self.port), "-U", "postgres", "-XAtc", statement)

    def _reload(self, pair: Pair, *above: Pair) -> None:
        self._install(pair, *above)
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while _serial(self.port) != pair.certificate.serial_number:
            assert time.monotonic() < deadline, self._log.read_text()

    def _install(self, pair: Pair, *above: Pair) -> None:
        chain = b"".join(each.file.read_bytes() for each in (pair, *above))
        files = {"server.crt": chain, "server.key": pair.key_file.read_bytes()}
        for name, content in (files | {"root.crt": self._authority.root.file.read_bytes()}).items():
            path = self._data / name
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(content)
            self._own(path)

    def _own(self, path: Path) -> None:
        if self._as:
            shutil.chown(path, **self._as)

    def _run(self, program: str, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [str(PROGRAMS / program), *arguments], input=stdin, capture_output=True, text=True, timeout=60, cwd="/",
            check=False, **self._as,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _await(self, words: str) -> None:
        deadline = time.monotonic() + 10
        while words not in self._log.read_text():
            assert self._process.poll() is None and time.monotonic() < deadline, self._log.read_text()
            threading.Event().wait(0.01)


def _serial(port: int) -> int:
    from tunneldoctor.database.postgresql import prepare
    from tunneldoctor.model import Database

    with closing(socket.create_connection(("127.0.0.1", port), 5)) as stream:
        ready = prepare(stream, Database("postgresql", NAME, port, "app", "app"), 5, encrypt=True)
        return ready.tls.leaf.serial_number if ready.tls else 0


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres(authority: Authority) -> Iterator[Postgres]:
    """Not below pytest's own folder: that is closed to the other user whom root lets PostgreSQL run as."""
    with tempfile.TemporaryDirectory(prefix="tunneldoctor-postgres-") as folder:
        server = Postgres(Path(folder), authority)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's ~/.postgresql is to be read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


Behaviour = Callable[[socket.socket], object]


@pytest.fixture
def server() -> Iterator[Callable[..., int]]:
    """Start a server that does *behaviour* with each connection; gives its port. Misbehaviour that no real one has."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def behave(connection: socket.socket, behaviour: Behaviour) -> None:
        with suppress(OSError):
            behaviour(connection)

    def serve(listener: socket.socket, behaviours: tuple[Behaviour, ...]) -> None:
        for behaviour in behaviours:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            connection.settimeout(10)
            threads.append(threading.Thread(target=behave, args=(connection, behaviour), daemon=True))
            threads[-1].start()

    def start(*behaviours: Behaviour) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        thread = threading.Thread(target=serve, args=(listener, behaviours), daemon=True)
        thread.start()
        threads.append(thread)
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
        listener.close()
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    for thread in threads:
        thread.join(5)
