"""The command line of a database's own client for the near end of a tunnel: psql, mariadb, redis-cli."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_POSTGRESQL = re.compile(r"(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://")
#: Where there is no client to run: whether the connection is closed again within seconds.
_KNOCK = "exec 3<>/dev/tcp/127.0.0.1/{port}; read -r -t 4 -N 1 -u 3; [ $? != 1 ]"


def command(url: str, port: int, seconds: float, idle: float) -> list[str]:
    """One question through the local *port*, or two with a pause of *idle* seconds between them.

    Passwords are in the environment. A *url* of no known kind that is not ``tcp:`` is given to psql, as it stands.
    """
    parts = urlsplit(url.removeprefix("jdbc:"))
    if not url or parts.scheme == "tcp":
        return ["bash", "-c", _KNOCK.format(port=port)]
    if parts.scheme in {"mysql", "mariadb"}:
        return _mariadb(parts, port, seconds)
    if parts.scheme in {"redis", "rediss"}:
        return _redis(parts, port)
    return _psql(url, port, seconds, idle)


def _psql(url: str, port: int, seconds: float, idle: float) -> list[str]:
    url = _POSTGRESQL.sub("postgresql://", url, count=1)
    ours = f"hostaddr=127.0.0.1&port={port}&connect_timeout={max(2, round(seconds))}"
    psql = ["psql", "-X", "-w", "-v", "ON_ERROR_STOP=1", "-d", f"{url}{'&' if '?' in url else '?'}{ours}"]
    if idle:
        psql += ["-c", "select 1", "-c", f"\\! sleep {idle:g}"]
    return [*psql, "-c", "select 1"]


def _mariadb(parts: SplitResult, port: int, seconds: float) -> list[str]:
    """It can't be told to connect to one name and verify another: the certificate's name is not looked at."""
    query = {name.lower().replace("sslmode", "ssl-mode"): values[-1] for name, values in parse_qs(parts.query).items()}
    user = unquote(parts.username or query.get("user", ""))
    argv = [
        "mariadb",
        "--no-defaults",
        "-h",
        "127.0.0.1",
        "-P",
        str(port),
        f"--connect-timeout={max(2, round(seconds))}",
    ]
    argv += [f"--user={user}"] if user else []
    argv += [f"--{name}={query[name]}" for name in ("ssl-ca", "ssl-cert", "ssl-key") if name in query]
    mode = query.get("ssl-mode", "").upper()
    argv += ["--skip-ssl"] if mode == "DISABLED" else ["--ssl"] if mode else []
    return [*argv, "-e", "select 1", parts.path.lstrip("/")]


def _redis(parts: SplitResult, port: int) -> list[str]:
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    argv = ["redis-cli", "-e", "--no-auth-warning", "-h", "127.0.0.1", "-p", str(port)]
    argv += ["--user", unquote(parts.username)] if parts.username else []
    argv += ["-n", parts.path.lstrip("/") or "0"]
    if parts.scheme == "rediss":
        argv += ["--tls", "--sni", parts.hostname or ""]
        argv += ["--cacert", query["ssl_ca_certs"]] if "ssl_ca_certs" in query else []
    return [*argv, "PING"]
