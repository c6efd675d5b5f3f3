"""What a person types who has the tunnel's configuration before them: options of ssh, a client of the database."""

from __future__ import annotations

from collections.abc import Iterator

from tunneldoctor.catalog.fill import Words
from tunneldoctor.model import Address, Database, Hop, Tunnel, Value


def by_hand(tunnel: Tunnel, hop: str) -> dict[str, Value]:
    """The fields that only commands to type need; those that there is nothing to say for are left out.

    ``ssh_options`` lead to *hop* through the hops in front of it. No secret is among them: who types is asked.
    """
    before = _in_front(tunnel, hop)
    server = tunnel.hops[len(before)] if len(before) < len(tunnel.hops) else tunnel.bastion
    values: dict[str, Value] = {
        "ssh_options": Words(tuple(_options(server, before))) if _sayable(server, *before) else None,
        "known_hosts_name": _known_hosts_name(server),
        "certificate": _file(server.certificate),
        "local_end": tunnel.local_port or (tunnel.remote.port if tunnel.remote else None),
    }
    if tunnel.database and values["local_end"]:
        client = _client(tunnel.database, int(str(values["local_end"])))
        values["database_client"] = Words(client) if client else None
    return values


def _in_front(tunnel: Tunnel, hop: str) -> tuple[Hop, ...]:
    names = [each.name for each in tunnel.hops]
    return tunnel.hops[: names.index(hop)] if hop in names else tunnel.hops[:-1]


def _sayable(*hops: Hop) -> bool:
    """A key that is no file, or a hop with a key of its own on the way, takes more than options (ssh_config(5))."""
    keys = {each.private_keys for each in hops}
    return len(keys) == 1 and all(key.scheme == "file" for each in hops for key in each.private_keys)


def _options(server: Hop, before: tuple[Hop, ...]) -> Iterator[str]:
    if server.port != 22:
        yield from ("-p", str(server.port))
    for key in server.private_keys:
        yield from ("-i", key.name)
    if server.private_keys and server.agent is None:
        yield from ("-o", "IdentitiesOnly=yes")
    if certificate := _file(server.certificate):
        yield from ("-o", f"CertificateFile={certificate}")
    if server.known_hosts:
        yield from ("-o", f"UserKnownHostsFile={' '.join(each.name for each in server.known_hosts)}")
    if before:
        yield from ("-J", ",".join(_jump(each) for each in before))


def _jump(hop: Hop) -> str:
    user = f"{hop.username}@" if hop.username else ""
    host = f"[{hop.host}]" if hop.host and ":" in hop.host else hop.host or ""
    return f"{user}{host}:{hop.port}"


def _known_hosts_name(server: Hop) -> str | None:
    """As known_hosts writes it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): another port than 22 stands behind brackets."""
    name = server.host_key_alias or server.host
    return f"[{name}]:{server.port}" if name and server.port != 22 and not server.host_key_alias else name


def _file(reference: object) -> str | None:
    return str(getattr(reference, "name", "")) if getattr(reference, "scheme", "") == "file" else None


def _client(database: Database, port: int) -> tuple[str, ...] | None:
    """The client, through the tunnel's own end; it asks for the password."""
    here = Address("127.0.0.1", port)
    match database.engine:
        case "postgresql":
            words = {"host": database.host, "hostaddr": here.host, "port": port, "user": database.user}
            words |= {
                "dbname": database.name,
                "sslmode": database.tls.mode,
                "sslrootcert": database.tls.root_certificate,
            }
            return ("psql", " ".join(f"{name}={_quoted(str(value))}" for name, value in words.items() if value))
        case "mysql" | "mariadb":
            user = ("--user", database.user) if database.user else ()
            name = (database.name,) if database.name else ()
            return ("mysql", "--host", here.host, "--port", str(port), *user, "--password", *name)
        case "redis":
            tls = ("--tls",) if database.tls.required else ()
            return ("redis-cli", "-h", here.host, "-p", str(port), *tls, "PING")
    return None


def _quoted(value: str) -> str:
    """As a connection string of libpq has it (PostgreSQL manual, 34.1.1.1)."""
    plain = value and not set(value) & set(" '\\")
    return value if plain else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
