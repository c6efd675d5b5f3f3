"""What a connection string leaves out and its client finds elsewhere: a file that the string names, variables of libpq.

The order is libpq's (fe-connect.c, conninfo_add_defaults): the string, its service, the environment.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tunneldoctor.config.database_files import mysql_options, read_service
from tunneldoctor.config.database_parts import Client, bare, take
from tunneldoctor.config.references import expand
from tunneldoctor.config.settings import Surroundings
from tunneldoctor.model import visible

#: Drivers that read an option file and leave alone what it includes (pymysql/optionfile.py).
_WITHOUT_INCLUDES = {"pymysql", "aiomysql"}
#: https://www.postgresql.org/docs/current/libpq-envars.html, as far as it matters to a tunnel.
_VARIABLES = {
    "PGHOST": "host",
    "PGHOSTADDR": "hostaddr",
    "PGPORT": "port",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGDATABASE": "dbname",
    "PGOPTIONS": "options",
    "PGSSLMODE": "sslmode",
    "PGSSLNEGOTIATION": "sslnegotiation",
    "PGSSLROOTCERT": "sslrootcert",
    "PGSSLCERT": "sslcert",
    "PGSSLKEY": "sslkey",
    "PGCHANNELBINDING": "channel_binding",
    "PGTARGETSESSIONATTRS": "target_session_attrs",
}


class Found(NamedTuple):
    """A value that does not stand in the string, and where it stands, in words."""

    value: str
    origin: str


#: Takes those options of a client's string that name files out of them, and gives what is found there and elsewhere.
#: Raises BadUrl.
Elsewhere = Callable[[Client, dict[str, str]], Mapping[str, Found]]


def elsewhere(client: Client, options: dict[str, str], surroundings: Surroundings) -> dict[str, Found]:
    """What *client* adds to *options*, in libpq's words; what names a file is taken out of them. Raises BadUrl."""
    if client.engine in {"mysql", "mariadb"}:
        return _option_file(client, options, surroundings)
    if client.engine != "postgresql":
        return {}
    variables = _variables(surroundings.environ) if client.is_libpq else {}
    name = options.pop("service", "") or (surroundings.environ.get("PGSERVICE", "") if client.is_libpq else "")
    if not name:
        return variables
    origin = f"the service {visible(name, 60)}"
    return variables | {key: Found(value, origin) for key, value in read_service(name, surroundings).items()}


def left_out(found: Mapping[str, Found], stated: Mapping[str, str], authority: str) -> dict[str, Found]:
    """What of *found* the string does not state itself, in its options or in a URL's *authority*.

    A host that it states is not mixed with an address from elsewhere.
    """
    known = {bare(name) for name in stated}
    if authority.strip(",") or {"host", "hostaddr"} & stated.keys():
        known |= {"host", "hostaddr"}
    if ":" in authority.rpartition("]")[2]:
        known.add("port")
    return {name: each for name, each in found.items() if bare(name) not in known}


def _variables(environ: Mapping[str, str]) -> dict[str, Found]:
    return {option: Found(environ[name], f"${name}") for name, option in _VARIABLES.items() if environ.get(name)}


def _option_file(client: Client, options: dict[str, str], surroundings: Surroundings) -> dict[str, Found]:
    """One group of the file that ``read_default_file`` names (PyMySQL, mysqlclient)."""
    named = take(options, "read_default_file", "defaults_file")
    group = take(options, "read_default_group") or "client"
    if not named:
        return {}
    path = expand(named, surroundings.cwd, surroundings)
    found = mysql_options(path, group, includes=client.driver not in _WITHOUT_INCLUDES)
    return {name: Found(value, f"[{visible(group, 40)}] of {visible(str(path), 100)}") for name, value in found.items()}
