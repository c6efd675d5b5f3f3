"""The ssh-agent: what it holds, and why it holds nothing. Every wait is bounded, which paramiko's own client is not."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from dataclasses import dataclass

import paramiko
from paramiko.agent import AgentSSH

from tunneldoctor.ssh.blobs import Malformed, Reader, key_type
from tunneldoctor.ssh.certificates import CertificateError, from_blob
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.key_loading import LIBRARY_ERRORS

#: OpenSSH's agent sends no longer answer (AGENT_MAX_LEN in authfd.h), in bytes.
LARGEST_ANSWER = 256 * 1024
#: How long a signature may take, in seconds: a person may have to confirm it or to touch a token.
SIGNING = 60.0


class AgentUnreachable(Exception):
    """No agent answers.

    ``kind`` is ``no-socket-named``, ``absent``, ``not-allowed``, ``dead``, ``silent`` or ``no-agent``.
    """

    def __init__(self, kind: str, socket_path: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.socket_path = socket_path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent that answered. ``identities`` may be empty: none were added, or it is locked (they look the same)."""

    socket_path: str
    identities: tuple[Identity, ...]
    connection: BoundedAgent

    def pick(self, fingerprint: str) -> Identity | None:
        """The identity with this ``SHA256:…`` fingerprint, or None."""
        wanted = fingerprint.rstrip("=")
        return next((each for each in self.identities if each.fingerprint == wanted), None)

    def close(self) -> None:
        """End the connection; its keys can't sign any more."""
        self.connection.close()


class BoundedAgent(AgentSSH):
    """paramiko's agent client over a socket of ours, with a bound on every wait and on the length of an answer.

    ``_send_message`` is private to paramiko 5 and is what its AgentKey signs with; a test says whether it still is.
    """

    def __init__(self, connection: socket.socket, patience: float) -> None:
        """*patience* bounds each question with its answer, in seconds."""
        super().__init__()
        self.patience = patience
        self._socket = connection
        self._asking = threading.Lock()

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send *request*; the answer's type and the rest of it. Raises OSError, Malformed.

        One question at a time: a signature that nobody waits for any more may still be under way. After one that went
        wrong the connection is closed, or the next question would get the answer to the last.
        """
        with self._asking:
            try:
                return self._exchange(request)
            except (OSError, Malformed):
                self._socket.close()
                raise

    def _exchange(self, request: bytes) -> tuple[int, bytes]:
        deadline = time.monotonic() + self.patience
        self._socket.settimeout(self.patience)
        self._socket.sendall(struct.pack(">I", len(request)) + request)
        size = struct.unpack(">I", self._exactly(4, deadline))[0]
        if not 1 <= size <= LARGEST_ANSWER:
            raise Malformed(f"an answer of {size} bytes")
        answer = self._exactly(size, deadline)
        return answer[0], answer[1:]

    def _send_message(self, msg: object) -> tuple[int, paramiko.Message]:
        try:
            kind, answer = self.ask(msg.asbytes() if isinstance(msg, paramiko.Message) else b"")
        except (OSError, Malformed) as error:
            raise paramiko.SSHException(f"the agent does not answer: {error}") from error
        return kind, paramiko.Message(answer)

    def _exactly(self, size: int, deadline: float) -> bytes:
        """*size* bytes, also from one that sends a byte at a time."""
        parts = bytearray()
        while len(parts) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(size - len(parts))
            if not part:
                raise ConnectionResetError("the agent closed the connection")
            parts += part
        return bytes(parts)

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._socket.close()


def reach(timeout: float, socket_path: str | None = None) -> Agent:
    """Ask the agent at *socket_path* (default ``$SSH_AUTH_SOCK``) what it holds; *timeout* in seconds.

    Raises :class:`AgentUnreachable`.
    """
    path = socket_path if socket_path is not None else os.environ.get("SSH_AUTH_SOCK", "")
    if not path:
        raise AgentUnreachable(
            "no-socket-named", "", "SSH_AUTH_SOCK is not set: no agent was started, or it was not passed on"
        )
    connection = _connected(path, timeout)
    agent = BoundedAgent(connection, timeout)
    try:
        identities = _identities(agent)
    except TimeoutError as error:
        agent.close()
        raise AgentUnreachable(
            "silent", path, f"the agent took the connection and gave no answer for {timeout:.0f} s"
        ) from error
    except (OSError, Malformed) as error:
        agent.close()
        raise AgentUnreachable("no-agent", path, f"what listens there is not a working agent: {error}") from error
    agent.patience = SIGNING
    return Agent(path, identities, agent)


def _connected(path: str, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        kind = _kind(error)
        named_by = "SSH_AUTH_SOCK" if path == os.environ.get("SSH_AUTH_SOCK") else "IdentityAgent"
        raise AgentUnreachable(kind, path, _REASONS[kind].format(named_by=named_by)) from error
    return connection


_REASONS = {
    "absent": "{named_by} names a socket that is not there: the agent has ended, or runs elsewhere",
    "not-allowed": "this user may not use the agent's socket",
    "dead": "the agent's socket is there, but no agent listens on it any more",
    "silent": "the agent does not take the connection",
    "no-agent": "{named_by} names something that is not a usable socket",
}


def _kind(error: OSError) -> str:
    if isinstance(error, TimeoutError | BlockingIOError):
        return "silent"
    kinds: dict[type[OSError], str] = {
        FileNotFoundError: "absent",
        NotADirectoryError: "absent",
        PermissionError: "not-allowed",
        ConnectionRefusedError: "dead",
    }
    return kinds.get(type(error), "no-agent")


def _identities(agent: BoundedAgent) -> tuple[Identity, ...]:
    """SSH_AGENTC_REQUEST_IDENTITIES (11) and its answer (12): draft-ietf-sshm-ssh-agent §3.5."""
    kind, answer = agent.ask(b"\x0b")
    if kind != 12:
        raise Malformed(f"it answers with message {kind}")
    reader = Reader(answer)
    held = [(reader.string(), reader.string()) for _ in range(min(reader.uint32(), 2048))]
    return _paired(agent, held)


def _paired(agent: BoundedAgent, held: list[tuple[bytes, bytes]]) -> tuple[Identity, ...]:
    """Plain keys in the agent's order, each with its certificate where the agent holds one; then lone certificates."""
    certificates: dict[str, Identity] = {}
    plain: dict[str, Identity] = {}
    for blob, comment in held:
        identity = _identity(agent, blob, comment)
        if identity is not None:
            kind = plain if identity.certificate is None else certificates
            kind.setdefault(identity.fingerprint, identity)
    alone = [each for name, each in certificates.items() if name not in plain]
    return (*(_together(each, certificates.get(name)) for name, each in plain.items()), *alone)


def _identity(agent: BoundedAgent, blob: bytes, comment: bytes) -> Identity | None:
    """None for what no key or certificate can be read from: the agent's others are good all the same."""
    try:
        key = paramiko.AgentKey(agent, blob, comment.decode("utf-8", "replace"))
        if "-cert-v01@" not in key_type(blob):
            return Identity.of("agent", key)
        certificate = from_blob(blob)
    except (CertificateError, *LIBRARY_ERRORS):
        return None
    return Identity("agent", key, certificate.fingerprint, certificate.plain_type, certificate)


def _together(plain: Identity, certified: Identity | None) -> Identity:
    return plain.certified(certified.certificate, first=True) if certified and certified.certificate else plain
