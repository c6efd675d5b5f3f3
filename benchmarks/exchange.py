"""The bare exchange: the least that a tunnel's client has to say, with the libraries that the program stands on.

One TCP connection, one SSH login with a key, one channel to the database, TLS, one login there, goodbye. paramiko is
used as it comes; the database's protocol is the program's own (:mod:`tunneldoctor.database`), without the query that
follows a login there.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import paramiko

from fixtures.lab import postgres
from tunneldoctor.database import postgresql
from tunneldoctor.database import postgresql_messages as messages
from tunneldoctor.database.postgresql_login import Login

if TYPE_CHECKING:
    from pathlib import Path

    from tunneldoctor.model import Database, Tunnel

_SECONDS = 10.0


def bare_exchange(tunnel: Tunnel, key: Path, host_key: str) -> None:
    """Go through *tunnel* once. Raises whatever goes wrong: it is healthy."""
    bastion, remote, database = tunnel.bastion, tunnel.remote, tunnel.database
    assert bastion.address and bastion.username and remote and database
    sock = socket.create_connection((bastion.address.host, bastion.port), _SECONDS)
    transport = paramiko.Transport(sock)
    try:
        transport.start_client(timeout=_SECONDS)
        if transport.get_remote_server_key().get_base64() != host_key.split()[1]:
            raise OSError("another host key")
        transport.auth_publickey(bastion.username, paramiko.Ed25519Key.from_private_key_file(str(key)))
        _log_in(transport.open_channel("direct-tcpip", (remote.host, remote.port), ("127.0.0.1", 0)), database)
    finally:
        transport.close()


def _log_in(channel: paramiko.Channel, database: Database) -> None:
    prepared = postgresql.prepare(channel, database, _SECONDS, encrypt=True)
    Login(prepared, lambda _: postgres.PASSWORD.encode()).run(postgresql.parameters(database))
    prepared.wire.send(messages.TERMINATE)
    channel.close()
