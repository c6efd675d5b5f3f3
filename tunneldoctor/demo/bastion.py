"""A bastion in this process: paramiko's server side on loopback, one user, one key, forwarding to one name."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_OPEN_FAILURE,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = "SSH-2.0-tunneldoctor_demo"
_CONNECT_SECONDS = 5.0
_BLOCK = 32768


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may come in and where to: ``targets`` are the names that the bastion can resolve, with where they lead."""

    username: str
    authorized_key: paramiko.PKey
    targets: Mapping[tuple[str, int], tuple[str, int]]
    forwards: bool = True


class Bastion:
    """Listens on a free port of 127.0.0.1 from the start until :meth:`close`. Use as a context manager."""

    def __init__(self, host_key: paramiko.PKey, rules: Rules) -> None:
        self._host_key = host_key
        self._rules = rules
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._transports: list[paramiko.Transport] = []
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="demo-bastion", daemon=True).start()

    def close(self) -> None:
        """Stop listening and drop every connection."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept(); close() alone does not on Linux
        self._listener.close()
        for transport in self._transports:
            transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="demo-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        transport = _Transport(connection)
        transport.local_version = _VERSION
        transport.add_server_key(self._host_key)
        self._transports.append(transport)
        server = _Server(self._rules, transport)
        # EOFError, SSHException: the client went away in the middle, as a look at the port does
        with contextlib.suppress(EOFError, OSError, paramiko.SSHException):
            transport.start_server(server=server)
            while transport.is_active():
                channel = transport.accept(timeout=1)
                if channel is not None:
                    _join(channel, server.connected.pop(channel.get_id()))
        transport.close()


class _Server(paramiko.ServerInterface):
    def __init__(self, rules: Rules, transport: _Transport) -> None:
        self._rules = rules
        self._transport = transport
        self.connected: dict[int, socket.socket] = {}

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == self._rules.username and key.asbytes() == self._rules.authorized_key.asbytes()
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return self._refuse(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, "open failed")

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """The reasons are sshd's: channels.c (channel_connect_to_port) and getaddrinfo's words for an unknown name."""
        if not self._rules.forwards:
            return self._refuse(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, "open failed")
        if destination not in self._rules.targets:
            return self._refuse(OPEN_FAILED_CONNECT_FAILED, "Name or service not known")
        try:
            target = self._rules.targets[destination]
            self.connected[chanid] = socket.create_connection(target, timeout=_CONNECT_SECONDS)
        except OSError as error:
            return self._refuse(OPEN_FAILED_CONNECT_FAILED, error.strerror or "Connection timed out")
        return OPEN_SUCCEEDED

    def _refuse(self, reason: int, words: str) -> int:
        self._transport.refusal = words
        return reason


class _Transport(paramiko.Transport):
    """paramiko leaves the description of SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254 §5.1) empty; sshd does not."""

    refusal = ""

    def _send_message(self, data: Any) -> None:
        if data.asbytes()[0] == MSG_CHANNEL_OPEN_FAILURE:
            data = self._with_words(paramiko.Message(data.asbytes()[1:]))
        super()._send_message(data)  # type: ignore[misc]  # private, and so not in the stubs

    def _with_words(self, refused: paramiko.Message) -> paramiko.Message:
        message = paramiko.Message()
        message.add_byte(bytes([MSG_CHANNEL_OPEN_FAILURE]))
        message.add_int(refused.get_int())
        message.add_int(refused.get_int())
        message.add_string(self.refusal)
        message.add_string("en")
        return message


#: What paramiko raises once the client is gone.
_ENDED = (OSError, EOFError, paramiko.SSHException)


def _join(channel: paramiko.Channel, connection: socket.socket) -> None:
    connection.settimeout(None)
    for pump in (_to_client, _to_server):
        threading.Thread(target=pump, args=(channel, connection), name="demo-forward", daemon=True).start()


def _to_client(channel: paramiko.Channel, connection: socket.socket) -> None:
    with contextlib.suppress(*_ENDED), contextlib.closing(channel), connection:
        while data := connection.recv(_BLOCK):
            channel.sendall(data)


def _to_server(channel: paramiko.Channel, connection: socket.socket) -> None:
    with contextlib.suppress(*_ENDED):
        while data := channel.recv(_BLOCK):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
