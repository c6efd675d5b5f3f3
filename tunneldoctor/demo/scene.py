"""The whole scene: keys, known_hosts, a bastion, a database, and the configuration file that describes the tunnel."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tunneldoctor.demo.bastion import Bastion, Rules
from tunneldoctor.demo.certificates import server_certificate
from tunneldoctor.demo.faults import Fault
from tunneldoctor.demo.postgres import Postgres
from tunneldoctor.demo.programs import find_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The tunnel's name in the configuration file.
TUNNEL = "demo"
DATABASE_HOST = "db.demo.internal"  # .internal is reserved for private use (ICANN, 29 July 2024)
_UNKNOWN_HOST = "db-old.demo.internal"
_USER, _DATABASE, _BASTION_USER = "app", "orders", "tunnel"


@contextlib.contextmanager
def scene(fault: Fault | None, tell: Callable[[str], None]) -> Iterator[Path]:
    """Set everything up, *tell* what was started, and give the path of the configuration file; then clean up.

    Raises :class:`~tunneldoctor.demo.programs.NoPostgres` where there is no database to show.
    """
    programs = find_programs()
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tunneldoctor-demo-", dir=_place()))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)  # root's PostgreSQL runs as another user and must be able to pass through
        password = secrets.token_hex(12)
        postgres = stack.enter_context(Postgres(folder / "postgres", programs, _USER, _DATABASE, password))
        certificate = server_certificate(DATABASE_HOST) if postgres.has_tls else None
        postgres.start(certificate)
        encrypted = "with TLS" if certificate else "without TLS"
        tell(f"started PostgreSQL {postgres.version} ({programs.folder}) on 127.0.0.1:{postgres.port}, {encrypted}")
        bastion = stack.enter_context(_bastion(folder, postgres.port, fault))
        tell(f"started a bastion on 127.0.0.1:{bastion.port}, which knows the database as {DATABASE_HOST}:5432")
        if certificate:
            (folder / "ca.pem").write_bytes(certificate.authority)
        wrong = "not-" if fault is Fault.WRONG_PASSWORD else ""
        _write_secret(folder / "db_password", f"{wrong}{password}\n".encode())
        yield _write_configuration(folder, bastion.port, fault, encrypted=certificate is not None)


def _place() -> str | None:
    """Where to make the folder: None for the usual place. Root's PostgreSQL must be able to get there as ``nobody``."""
    if os.geteuid() != 0:
        return None
    candidates = (tempfile.gettempdir(), "/tmp", "/var/tmp")  # noqa: S108 - mkdtemp makes a private folder in it
    return next((each for each in candidates if _open_to_all(Path(each))), None)


def _open_to_all(folder: Path) -> bool:
    return all(part.is_dir() and part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def _bastion(folder: Path, database_port: int, fault: Fault | None) -> Bastion:
    host_key = _new_key(folder / "host_key")
    user_key = _new_key(folder / "id_ed25519")
    authorized = _new_key(folder / "somebody_else") if fault is Fault.WRONG_KEY else user_key
    targets = {(DATABASE_HOST, 5432): ("127.0.0.1", database_port)}
    forwards = fault is not Fault.FORWARDING_REFUSED
    bastion = Bastion(host_key, Rules(_BASTION_USER, authorized, targets, forwards))
    pinned = _new_key(folder / "former_host_key") if fault is Fault.CHANGED_HOST_KEY else host_key
    line = f"[127.0.0.1]:{bastion.port} {pinned.get_name()} {pinned.get_base64()}\n"
    (folder / "known_hosts").write_text(line, encoding="ascii")
    return bastion


def _new_key(path: Path) -> paramiko.PKey:
    key = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH
    _write_secret(path, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return paramiko.Ed25519Key.from_private_key_file(str(path))


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _write_configuration(folder: Path, bastion_port: int, fault: Fault | None, *, encrypted: bool) -> Path:
    host = _UNKNOWN_HOST if fault is Fault.UNKNOWN_DATABASE_HOST else DATABASE_HOST
    tls = f"sslmode=verify-full&sslrootcert={folder / 'ca.pem'}" if encrypted else "sslmode=prefer"
    path = folder / "tunneldoctor.toml"
    path.write_text(
        f"""\
[tunnels.{TUNNEL}]
ssh_url = "ssh://{_BASTION_USER}@127.0.0.1:{bastion_port}"
private_key = "file:id_ed25519"
known_hosts = "./known_hosts"
database = "postgresql://{_USER}@{host}:5432/{_DATABASE}?{tls}"
database_password = "file:db_password"
keepalive = "30s"
""",
        encoding="utf-8",
    )
    return path
