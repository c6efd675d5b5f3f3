"""Files that clients read beside a connection string: libpq's pg_service.conf and .pgpass, MySQL's option files.

https://www.postgresql.org/docs/current/libpq-pgservice.html and …/libpq-pgpass.html; details from fe-connect.c
(parseServiceFile, passwordFromFile). https://dev.mysql.com/doc/refman/8.4/en/option-files.html
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunneldoctor.config.database_parts import DatabaseUrl, take
from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.references import expand
from tunneldoctor.config.secrets import read_secret
from tunneldoctor.config.settings import Surroundings
from tunneldoctor.model import Reference, Secret, SecretUnavailable, visible

#: Where Debian's libpq has its system-wide service file; others are told by PGSYSCONFDIR.
_SYSTEM = "/etc/postgresql-common"
_DEFINE = "define it in ~/.pg_service.conf, or write postgresql://user@host:5432/name"
_LIBPQ_DRIVERS = {"", "psycopg", "psycopg2", "psycopg_async", "asyncpg"}
_FIELD = re.compile(r"((?:\\.|[^:\\])*)(?::|\Z)", re.DOTALL)


def from_files(engine: str, options: dict[str, str], surroundings: Surroundings) -> dict[str, str]:
    """Take what names a file out of *options*; the options in that file, in libpq's words. Raises BadUrl."""
    if engine == "postgresql":
        service = options.pop("service", "")
        return read_service(service, surroundings) if service else {}
    named = take(options, "read_default_file", "defaults_file") if engine in {"mysql", "mariadb"} else None
    if not named:
        return {}
    group = take(options, "read_default_group") or "client"
    return _mysql_options(expand(named, surroundings.cwd, surroundings), group)


def _mysql_options(path: Path, group: str) -> dict[str, str]:
    """One group of the file that ``read_default_file`` names (PyMySQL, mysqlclient); what it includes is not read."""
    found = _section(_text(path), group)
    if found is None:
        raise BadUrl("file", f"{visible(str(path), 100)} has no group [{visible(group, 40)}]", "name a group it has")
    plain = {key.strip().replace("_", "-"): value.strip().strip("\"'") for key, value in found.items()}
    return {("dbname" if key == "database" else key): value for key, value in plain.items()}


def read_service(name: str, surroundings: Surroundings) -> dict[str, str]:
    """The options of service *name*, from the user's own file or the system's. Raises BadUrl."""
    for path in _service_files(surroundings):
        section = _section(_text(path), name) if path.exists() else None
        if section is not None:
            return section
    raise BadUrl("service", f"there is no definition of the service {visible(name, 60)}", _DEFINE)


def _service_files(surroundings: Surroundings) -> tuple[Path, Path]:
    environ = surroundings.environ
    own = environ.get("PGSERVICEFILE")
    system = Path(environ.get("PGSYSCONFDIR") or _SYSTEM)
    return Path(own) if own else surroundings.home / ".pg_service.conf", system / "pg_service.conf"


def _text(path: Path) -> str:
    try:
        return read_secret(Reference("file", str(path))).reveal().decode("utf-8", "replace")
    except SecretUnavailable as error:
        raise BadUrl("file", error.reason, "let this user read it") from None


def _section(text: str, name: str) -> dict[str, str] | None:
    """The lines below ``[name]``, or None where there is no such; the first line of a key counts, as with libpq."""
    found: dict[str, str] | None = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            if found is not None:
                break
            found = {} if line == f"[{name}]" else None
        elif found is not None and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, value)
    return found


@dataclass(frozen=True, slots=True)
class Passfile:
    """A file of passwords that libpq would look into: the ``password`` that fits, or why it looks at none of it."""

    path: Path
    password: Reference | None = None
    ignored: str = ""


def look_up(url: DatabaseUrl, surroundings: Surroundings) -> Passfile | None:
    """What *url*'s client finds in .pgpass; None where there is no such file, or the client is not libpq."""
    libpq = url.dialect == "libpq" or (url.dialect == "sqlalchemy" and url.driver in _LIBPQ_DRIVERS)
    path = _passfile(url, surroundings)
    if url.engine != "postgresql" or not libpq or not url.user or not path.exists():
        return None
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            return Passfile(path, ignored=f"libpq ignores it: others may read it (mode {stat.S_IMODE(mode):04o})")
        text = read_secret(Reference("file", str(path))).reveal().decode("utf-8", "replace")
    except (OSError, SecretUnavailable) as error:
        why = error.reason if isinstance(error, SecretUnavailable) else str(error.strerror)
        return Passfile(path, ignored=why)
    found = next(_passwords(text, (url.host, str(url.port), url.name or url.user, url.user)), None)
    return Passfile(path, Reference("pgpass", str(path), Secret.of(found)) if found else None)


def _passfile(url: DatabaseUrl, surroundings: Surroundings) -> Path:
    environ: Mapping[str, str] = surroundings.environ
    given = url.said("passfile") or environ.get("PGPASSFILE")
    if given:
        return Path(given)
    folder = environ.get("APPDATA") if os.name == "nt" else None
    return Path(folder) / "postgresql" / "pgpass.conf" if folder else surroundings.home / ".pgpass"


def _passwords(text: str, wanted: tuple[str, str, str, str]) -> Iterator[str]:
    """The passwords of the lines ``host:port:database:user:password`` that fit, the first of which counts."""
    for line in text.splitlines():
        fields, at = [], 0
        for _ in wanted:
            match = _FIELD.match(line, at)
            if match is None or match.end() == len(line):
                break
            fields.append(match[1])
            at = match.end()
        complete = len(fields) == len(wanted)
        if complete and all(one == "*" or _plain(one) == other for one, other in zip(fields, wanted, strict=True)):
            yield _plain(line[at:])


def _plain(field: str) -> str:
    return re.sub(r"\\(.)", r"\1", field)
