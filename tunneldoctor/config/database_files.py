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

from tunneldoctor.config.database_parts import DatabaseUrl
from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.secrets import read_secret
from tunneldoctor.config.settings import Surroundings
from tunneldoctor.model import Reference, Secret, SecretUnavailable, visible

#: Where Debian's libpq has its system-wide service file; others are told by PGSYSCONFDIR.
_SYSTEM = "/etc/postgresql-common"
#: How deep option files include each other (MySQL's own limit), and how many of one folder are read.
_DEEPEST, _MOST_FILES = 10, 100
_DEFINE = "define it in ~/.pg_service.conf, or write postgresql://user@host:5432/name"
_FIELD = re.compile(r"((?:\\.|[^:\\])*)(?::|\Z)", re.DOTALL)


def mysql_options(path: Path, group: str, *, includes: bool) -> dict[str, str]:
    """The options of *group*, ``database`` as ``dbname``. Raises BadUrl where the file does not have it.

    Later lines win, and the group may come more than once (mysys/my_default.c); *includes*: as does what
    ``!include`` and ``!includedir`` name.
    """
    lines = [line for name, line in _mysql_lines(path, includes, 0) if name == group]
    found = dict(map(_option, filter(None, lines)))
    if not lines:
        raise BadUrl("file", f"{visible(str(path), 100)} has no group [{visible(group, 40)}]", "name a group it has")
    return {("dbname" if key == "database" else key): value for key, value in found.items()}


def _option(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.strip().replace("_", "-"), value.strip().strip("\"'")


def _mysql_lines(path: Path, includes: bool, depth: int) -> Iterator[tuple[str, str]]:
    """Each line with the group that it is in; the line that opens a group is an empty one of it."""
    group = ""
    for line in map(str.strip, _text(path).splitlines()):
        if line.startswith("!"):
            for included in _included(line, path) if includes and depth < _DEEPEST else ():
                yield from _mysql_lines(included, includes, depth + 1)
        elif line.startswith("["):
            group = line[1:].partition("]")[0].strip()
            yield group, ""
        elif line and line[0] not in "#;":
            yield group, line


def _included(line: str, path: Path) -> list[Path]:
    """The files that a line names: all ``*.cnf`` of a folder, in the order of their names. Raises BadUrl."""
    word, _, name = line.partition(" ")
    target = path.parent / name.strip()
    if word == "!include":
        return [target]
    try:
        return sorted(target.glob("*.cnf"))[:_MOST_FILES] if word == "!includedir" else []
    except OSError as error:
        raise BadUrl("file", f"{visible(str(target), 100)}: {error.strerror}", "let this user read it") from None


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
    path = _passfile(url, surroundings)
    if not url.client.is_libpq or not url.user or not path.exists():
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
