"""What the client's own settings make of a server's certificate: which roots, which name, which of its own.

libpq: https://www.postgresql.org/docs/current/libpq-ssl.html; pgjdbc: its ``LibPQFactory`` and ``SslMode``.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunneldoctor.net import scope
from tunneldoctor.net.resolve import is_localhost

if TYPE_CHECKING:
    from tunneldoctor.model import Database

#: Where libpq and pgjdbc look when ``sslrootcert``, ``sslcert`` and ``sslkey`` are not given.
DEFAULT_FOLDER = Path("~/.postgresql")


@dataclass(frozen=True, slots=True)
class Roots:
    """The authorities that the client trusts: ``system``'s, those in the file ``path``, or none at all."""

    system: bool = False
    path: Path | None = None

    @property
    def missing(self) -> bool:
        """A file was named, and is not there."""
        return self.path is not None and not self.path.is_file()

    @property
    def usable(self) -> bool:
        """There is something to judge an issuer by."""
        return self.system or (self.path is not None and not self.missing)

    def __str__(self) -> str:
        return "the system's trusted authorities" if self.system else str(self.path or "none")


def roots_of(database: Database) -> Roots:
    """The roots that the client of *database* would use, whether or not its mode makes it look at them."""
    given = database.tls.root_certificate
    if given == "system" or database.options.get("sslfactory", "").endswith("DefaultJavaSSLFactory"):
        return Roots(system=True)
    if given:
        return Roots(path=Path(given).expanduser())
    if database.engine != "postgresql":
        return Roots(system=True)
    default = (DEFAULT_FOLDER / "root.crt").expanduser()
    return Roots(path=default) if database.tls.mode.startswith("verify-") or default.is_file() else Roots()


def verifies_issuer(database: Database, roots: Roots) -> bool:
    """Whether the client rejects an issuer it does not know.

    With a root file in place libpq's ``require`` is ``verify-ca``; pgjdbc's is not (``SslMode.verifyCertificate``).
    """
    if database.tls.mode == "require":
        return database.engine == "postgresql" and database.dialect != "jdbc" and roots.usable and not roots.system
    return database.tls.verifies_issuer


def name_to_verify(database: Database) -> str:
    """The name that the client compares with the certificate."""
    return database.tls.server_name or database.host


def server_name_to_send(database: Database) -> str | None:
    """The name for TLS's server_name extension; libpq sends none for an address."""
    name = name_to_verify(database).rstrip(".")
    return None if scope.is_literal(name) or not name.isascii() else name


def is_loopback(host: str) -> bool:
    """True for localhost, its subdomains (RFC 6761 §6.3) and addresses of this very machine."""
    return scope.is_loopback(host) or is_localhost(host)


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """The client's own certificate and key, both PEM files."""

    certificate: Path
    key: Path

    def problem(self) -> str | None:
        """Why libpq would not use them, or None (fe-secure-openssl.c, initialize_SSL)."""
        for path in (self.certificate, self.key):
            if not path.is_file():
                return f"{path} does not exist"
        try:
            mode = self.key.stat()
            self.key.open("rb").close()
            self.certificate.open("rb").close()
        except OSError as error:
            return f"{error.filename} can't be read: {error.strerror}"
        allowed = stat.S_IRWXU | (stat.S_IRGRP if mode.st_uid == 0 else 0)
        if stat.S_IMODE(mode.st_mode) & ~allowed:
            return f"{self.key} may be read by others (mode {stat.S_IMODE(mode.st_mode):04o}); it must be 0600"
        return None


def client_certificate(database: Database) -> ClientCertificate | None:
    """The certificate that the client presents when it is asked for one, or None."""
    tls = database.tls
    folder = DEFAULT_FOLDER.expanduser()
    if tls.client_certificate:
        key = Path(tls.client_key).expanduser() if tls.client_key else folder / "postgresql.key"
        return ClientCertificate(Path(tls.client_certificate).expanduser(), key)
    default = folder / "postgresql.crt"
    if database.engine == "postgresql" and default.is_file():
        return ClientCertificate(default, Path(tls.client_key or folder / "postgresql.key").expanduser())
    return None
