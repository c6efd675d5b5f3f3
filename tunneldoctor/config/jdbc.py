"""JDBC URLs, and the ``name=value;`` strings of SQL Server's drivers."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from tunneldoctor.config import other_databases
from tunneldoctor.config.database_parts import (
    DEFAULT_PORTS,
    DatabaseUrl,
    hosts,
    options_of,
    secret_option,
    take,
)
from tunneldoctor.config.errors import BadUrl

_FORM = {
    "postgresql": "write jdbc:postgresql://host:5432/name?user=…",
    "mysql": "write jdbc:mysql://host:3306/name?user=…",
    "mariadb": "write jdbc:mariadb://host:3306/name?user=…",
    "sqlserver": "write jdbc:sqlserver://host:1433;databaseName=name;user=…",
}
# jdbc:mysql:loadbalance://…, jdbc:mariadb:replication://…, jdbc:mysql+srv://…
_MYSQL = re.compile(r"(mysql|mariadb)(?:[:+][A-Za-z]+)?://", re.IGNORECASE)
_KEY_VALUE_HOST = re.compile(r"address=((?:\([^()]*\))+)", re.IGNORECASE)


def parse(text: str) -> DatabaseUrl:
    """Read what follows ``jdbc:``. Raises BadUrl."""
    if match := re.match(r"sqlserver://", text, re.IGNORECASE):
        return sqlserver(text[match.end() :], "jdbc")
    if match := re.match(r"postgresql:", text, re.IGNORECASE):
        return _postgresql(text[match.end() :])
    if match := _MYSQL.match(text):
        return _mysql(text[match.end() :], match[1].lower())
    if match := re.match(r"oracle:thin:", text, re.IGNORECASE):
        return other_databases.oracle_jdbc(text[match.end() :])
    named = re.match(r"[A-Za-z0-9]{1,20}:", text)
    what = f"jdbc:{named[0]}" if named else "what follows jdbc:"
    raise BadUrl("scheme", f"{what} is no database that is known", "postgresql, mysql, mariadb, sqlserver or oracle")


def _postgresql(rest: str) -> DatabaseUrl:
    """``//host1:port,host2/name?user=…`` (org.postgresql.Driver.parseURL); it takes no ``user:password@``."""
    if not rest.startswith("//"):
        raise BadUrl("host", "there is no // and host in it", _FORM["postgresql"])
    place, _, query = rest[2:].partition("?")
    authority, _, path = place.partition("/")
    if "@" in place:
        raise BadUrl("user", "pgjdbc takes no user and password before the host", "write ?user=…&password=… at the end")
    return _built("postgresql", authority, path, query, None, None)


def _mysql(rest: str, engine: str) -> DatabaseUrl:
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    userinfo, at, authority = authority.rpartition("@")
    if "@" in userinfo or "@" in path:
        raise BadUrl("password", "an @ or a / in the user name or the password is not escaped", "write @ as %40")
    user, colon, password = userinfo.partition(":")
    written = [_key_value(each) for each in _KEY_VALUE_HOST.findall(authority)]
    authority = ",".join(written) or authority
    return _built(engine, authority, path, query, unquote(user) if at else None, unquote(password) if colon else None)


def _key_value(group: str) -> str:
    """``(host=h)(port=3307)`` of Connector/J as ``h:3307``."""
    values = {name.lower(): value for name, value in re.findall(r"\(\s*(\w+)\s*=\s*([^()]*?)\s*\)", group)}
    return f"{values.get('host', '')}:{values.get('port', '3306')}"


def _built(engine: str, authority: str, path: str, query: str, user: str | None, password: str | None) -> DatabaseUrl:
    if not authority.split(",")[0]:
        raise BadUrl("host", "there is no host in it", _FORM[engine])
    first, *others = hosts(authority.split(","), DEFAULT_PORTS[engine])
    options = options_of(query, plus=True)
    url = DatabaseUrl(engine, "jdbc", *first, options=options)
    url.user = take(options, "user", "username") or user
    given = take(options, "password")
    url.password = password if given is None else given
    url.name = unquote(path) or None
    url.others = tuple(f"{host}:{port}" for host, port in others)
    url.further_secrets = tuple(filter(secret_option, options))
    return url


def sqlserver(rest: str, dialect: str) -> DatabaseUrl:
    """``host\\instance:port;databaseName=…;user=…;password={…}`` (Microsoft JDBC driver, Building the URL)."""
    place, _, written = rest.partition(";")
    if "@" in place:
        raise BadUrl("user", "there are a user and a password before the host", "write ;user=…;password=… at the end")
    options = _pairs(written)
    place = place.rstrip("/") or take(options, "serverName", "server") or ""
    port = take(options, "portNumber", "port")
    instance = take(options, "instanceName")
    place = place + (f"\\{instance}" if instance else "")
    url = DatabaseUrl("sqlserver", dialect, *_sqlserver_host(place, port), options=options)
    return _sqlserver_fields(url)


def odbc(text: str, driver: str) -> DatabaseUrl:
    """``Driver={…};Server=tcp:host,1433;UID=…;PWD=…``, as SQLAlchemy's ``odbc_connect`` holds it."""
    options = _pairs(text)
    server = take(options, "server", "address", "addr", "data source") or ""
    server = re.sub(r"^(?:tcp|np|lpc|admin):", "", server.strip(), flags=re.IGNORECASE)
    name, _, port = server.partition(",")
    url = DatabaseUrl("sqlserver", "sqlalchemy", *_sqlserver_host(name, port.strip() or None), options=options)
    url.driver = driver
    return _sqlserver_fields(url)


def _sqlserver_fields(url: DatabaseUrl) -> DatabaseUrl:
    url.user = take(url.options, "user", "username", "user id", "uid")
    url.password = take(url.options, "password", "pwd")
    url.name = take(url.options, "databaseName", "database", "initial catalog")
    url.further_secrets = tuple(filter(secret_option, url.options))
    return url


def _sqlserver_host(place: str, port: str | None) -> tuple[str, int]:
    match = re.fullmatch(r"([^\\]*?)(?:\\([^:\\]*))?(?::([^:\]]*))?", place.strip())
    if match is None or not match[1]:
        raise BadUrl("host", "there is no host in it", _FORM["sqlserver"])
    port = port or match[3]
    if match[2] and not port:
        # The port of a named instance is asked for at UDP 1434 (SQL Server Browser); SSH carries TCP alone.
        raise BadUrl("port", "a named instance has no port that a tunnel can lead to", "write its TCP port: host:1433")
    (found,) = hosts([f"{match[1]}:{port}" if port else match[1]], DEFAULT_PORTS["sqlserver"])
    return found


def _pairs(text: str) -> dict[str, str]:
    return dict(_each_pair(text))


def _each_pair(text: str) -> Iterator[tuple[str, str]]:
    """Names and values; a value in braces may hold anything, with ``}}`` for a brace."""
    for match in re.finditer(r"([^=;{}]+)=\s*(?:\{((?:[^}]|\}\})*)\}|([^;]*))[^;]*(?:;|\Z)", text):
        braced = match[2]
        yield match[1].strip(), match[3].strip() if braced is None else braced.replace("}}", "}")
