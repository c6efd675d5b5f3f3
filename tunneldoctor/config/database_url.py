"""The database's connection string, in each of the forms that clients take."""

import re
from urllib.parse import unquote

from tunneldoctor.config import database_tls, jdbc, other_databases
from tunneldoctor.config.database_elsewhere import Elsewhere, left_out
from tunneldoctor.config.database_keywords import looks_like_keywords, parse_keywords
from tunneldoctor.config.database_parts import (
    DEFAULT_PORTS,
    Client,
    DatabaseUrl,
    hosts,
    options_of,
    secret_option,
    take,
)
from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.ssh_url import decode

_ENGINES = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "sqlserver": "sqlserver",
    "mssql": "sqlserver",
    "redis": "redis",
    "rediss": "redis",
    "mongodb": "mongodb",
    "oracle": "oracle",
    "tcp": "tcp",
}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.-]{0,30})(?:\+([A-Za-z0-9_]{1,30}))?://")
#: Longest connection string that is read, in characters.
LONGEST = 4096
_FORM = (
    "write it as postgresql://user@host:5432/name, mysql://…, sqlserver://…, redis://…, mongodb://…, oracle://…, "
    "jdbc:… or tcp://host:port"
)
_ESCAPE = "write @ in a user name or a password as %40, / as %2F, : as %3A, ? as %3F and # as %23"
# sqlalchemy/engine/url.py, _parse_url: the password ends at the first @ and may hold a slash.
_SQLALCHEMY_USER = re.compile(r"([^:/@]*)(?::([^@]*))?@")

_OPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_.%+ -]*")


def parse(text: str, elsewhere: Elsewhere | None = None) -> DatabaseUrl:
    """Read *text*, and what its client adds from *elsewhere*.

    Raises BadUrl, whose words never hold what may be a password.
    """
    if len(text) > LONGEST:
        raise BadUrl("whole", f"it is longer than {LONGEST} characters", _FORM)
    if text[:5].lower() == "jdbc:":
        return _with_tls(jdbc.parse(text[5:]))
    scheme = _SCHEME.match(text)
    if scheme is None and looks_like_keywords(text):
        return _with_tls(_database(parse_keywords(text), Client("postgresql", "libpq"), elsewhere))
    if scheme is None:
        raise BadUrl("scheme", "it does not start with a scheme and ://", _FORM)
    engine = _ENGINES.get(scheme[1].lower())
    if engine is None:
        raise BadUrl("scheme", f"{scheme[1]}:// is no database that is known", _FORM)
    rest = text[scheme.end() :]
    if engine == "tcp":
        return _tcp(rest)
    if engine == "sqlserver" and ";" in rest:
        return _with_tls(jdbc.sqlserver(rest, "url"))
    if engine == "mongodb" and scheme[2]:
        why = "mongodb+srv:// asks DNS for its hosts, and a tunnel leads to one of them"
        raise BadUrl(
            "scheme", why, "write mongodb://host:27017/name?directConnection=true with tls=true where it is on"
        )
    dialect = "sqlalchemy" if scheme[2] else "libpq" if engine == "postgresql" else "url"
    url = _uri(rest, Client(engine, dialect, (scheme[2] or "").lower()), elsewhere)
    if scheme[1].lower() == "rediss":
        url.options["tls"] = "true"
    return _with_tls(other_databases.oracle_name(url) if engine == "oracle" else url)


def _with_tls(url: DatabaseUrl) -> DatabaseUrl:
    url.tls = database_tls.wanted(url)
    return url


def _tcp(rest: str) -> DatabaseUrl:
    place, _, path = rest.partition("/")
    if path or "@" in rest:
        raise BadUrl("path", "tcp:// takes a host and a port, nothing else", "write tcp://host:port")
    ((host, port),) = hosts([place], None)
    return DatabaseUrl("tcp", "tcp", host, port, tls=database_tls.NONE)


def _uri(rest: str, client: Client, elsewhere: Elsewhere | None) -> DatabaseUrl:
    user, password, rest = _userinfo(rest, client.dialect)
    authority, path, query = _rest(rest, password)
    options = options_of(query, plus=client.dialect != "libpq")
    if "odbc_connect" in {name.lower() for name in options}:
        return jdbc.odbc(take(options, "odbc_connect") or "", client.driver)
    asked = take(options, "password")
    stated = {
        "user": take(options, "user", "username") or user,
        "password": password if asked is None else asked,
        "dbname": take(options, "dbname", "database") or _name(path),
    }
    options |= {name: value for name, value in stated.items() if value}
    return _database(options, client, elsewhere, authority)


def _database(stated: dict[str, str], client: Client, elsewhere: Elsewhere | None, authority: str = "") -> DatabaseUrl:
    """What *stated* comes to: libpq's keywords, or a URL's options in their words. *authority*: a URL's hosts."""
    found = left_out(elsewhere(client, stated) if elsewhere else {}, stated, authority)
    options = {name: each.value for name, each in found.items()} | stated
    first, *others = _hosts(authority, options, client.engine)
    url = DatabaseUrl(
        client.engine,
        client.dialect,
        first[0],
        first[1],
        take(options, "user") or None,
        take(options, "password"),
        take(options, "dbname") or None,
        options,
        tuple(f"{host}:{port}" for host, port in others),
        client.driver,
        origins={name: each.origin for name, each in found.items()},
    )
    url.further_secrets = tuple(name for name in options if secret_option(name) and name not in found)
    return url


def _userinfo(rest: str, dialect: str) -> tuple[str | None, str | None, str]:
    """Split the user and the password off, where the dialect's own parser does."""
    if dialect == "sqlalchemy":
        match = _SQLALCHEMY_USER.match(rest)
        written, after = (match[0][:-1], rest[match.end() :]) if match else (None, rest)
    else:
        # fe-connect.c, conninfo_uri_parse_options: the first @ before any / ends the user. Others end at ? and # too.
        stop = re.search(r"/" if dialect == "libpq" else r"[/?#]", rest)
        written, at, after = rest[: stop.start() if stop else len(rest)].partition("@")
        after = after + (rest[stop.start() :] if stop else "")
        written, after = (written, after) if at else (None, rest)
    if written is None:
        return None, None, rest
    if "@" in re.split(r"[/?#]", after, maxsplit=1)[0]:
        raise BadUrl("password", "an @ in the user name or the password is not escaped", _ESCAPE)
    user, colon, password = written.partition(":")
    if dialect == "sqlalchemy":  # its parser leaves a % alone that starts no code
        return unquote(user), unquote(password) if colon else None, after
    return decode(user, "user"), decode(password, "password") if colon else None, after


def _rest(rest: str, password: str | None) -> tuple[str, str, str]:
    match = re.match(r"([^/?#]*)(?:/([^?]*))?(?:\?(.*))?\Z", rest, re.DOTALL)
    if match is None:
        raise BadUrl("path", "a # follows the host", _ESCAPE)
    authority, path, query = match[1], match[2] or "", match[3] or ""
    names = (pair.partition("=")[0] for pair in query.split("&") if pair)
    if password is None and ("@" in path or not all(map(_OPTION.fullmatch, names))):
        raise BadUrl("password", "there is a /, ? or # before the @, or an option without a name", _ESCAPE)
    return authority, path, query


def _hosts(authority: str, options: dict[str, str], engine: str) -> list[tuple[str, int]]:
    """Every host with its port. Those in the options win, as libpq and SQLAlchemy have it."""
    named = take(options, "host") or ("" if authority.strip(",") else options.get("hostaddr"))
    ports = (take(options, "port") or "").split(",")
    written = (named or authority).split(",")
    if not written[0]:
        raise BadUrl("host", "there is no host in it", _FORM)
    joined = [_joined(host, ports[min(at, len(ports) - 1)]) for at, host in enumerate(written)]
    return hosts(joined, DEFAULT_PORTS[engine])


def _joined(host: str, port: str) -> str:
    if host.startswith("/"):
        raise BadUrl("host", "it names a Unix socket, which no tunnel leads to", "write the database's host and port")
    if ":" in host.partition("]")[2] or host.count(":") == 1 or not port:
        return host
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _name(path: str) -> str:
    return decode(path, "path").rstrip("/")
