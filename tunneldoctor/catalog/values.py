"""The values of a tunnel that advice may name."""

from collections.abc import Mapping

from tunneldoctor.catalog.fill import Words
from tunneldoctor.model import Address, Database, Hop, Tunnel, Value

#: Kinds of database as their makers spell them.
PRODUCTS = {
    "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlserver": "SQL Server", "redis": "Redis",
    "mongodb": "MongoDB", "oracle": "Oracle",
}  # fmt: skip


def tunnel_values(tunnel: Tunnel, hop: str, measured: Mapping[str, Value]) -> dict[str, Value]:
    """Every field that a page may use without a parameter of its own; what is not known is left out.

    ``bastion_*`` are those of *hop*, so that a jump host is spoken of as a bastion of its own.
    """
    server = next((each for each in tunnel.hops if each.name == hop), tunnel.bastion)
    values: dict[str, Value] = {
        "tunnel": tunnel.name,
        "this_tunnel": Words(tunnel.words or (tunnel.name,)),
        "hop": hop,
        "local_port": tunnel.local_port or None,
        "connect_timeout": round(tunnel.connect_timeout),
        "provider": tunnel.provider,
        "egress_address": measured.get("egress_address"),
        **_server(server),
        **_remote(tunnel.remote),
        **(_database(tunnel.database) if tunnel.database else {}),
    }
    return {name: value for name, value in values.items() if value is not None}


def _server(server: Hop) -> dict[str, Value]:
    key = next((each.name for each in server.private_keys if each.scheme == "file"), None)
    known = next((each.name for each in server.known_hosts or () if each.scheme == "file"), "~/.ssh/known_hosts")
    return {
        "bastion_host": server.host,
        "bastion_port": server.port,
        "bastion_username": server.username,
        "private_key": key,
        "known_hosts": known,
    }


def _remote(remote: Address | None) -> dict[str, Value]:
    return {"remote_host": remote.host, "remote_port": remote.port} if remote else {}


def _database(database: Database) -> dict[str, Value]:
    return {
        "database_engine": database.engine,
        "database_product": PRODUCTS.get(database.engine, database.engine),
        "database_host": database.host,
        "database_port": database.port,
        "database_user": database.user,
        "database_name": database.name,
        "client_certificate": database.tls.client_certificate or "~/.postgresql/postgresql.crt",  # libpq's default
    }
