"""The demo's bastion refuses as sshd does, and forwards what it should."""

import socket
import threading
from collections.abc import Iterator

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tunneldoctor.demo.bastion import Bastion, Rules

DATABASE = ("db.demo.internal", 5432)


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back what the first client sends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(100))

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[:2]


def key(tmp_path, name: str) -> paramiko.PKey:
    private = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    (tmp_path / name).write_bytes(private)
    return paramiko.Ed25519Key.from_private_key_file(str(tmp_path / name))


def client(bastion: Bastion, user: str, user_key: paramiko.PKey) -> paramiko.Transport:
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", bastion.port), timeout=5))
    transport.start_client(timeout=5)
    try:
        transport.auth_publickey(user, user_key)
    except paramiko.SSHException:
        transport.close()
        raise
    return transport


def test_it_forwards_to_the_name_it_knows(tmp_path, echo) -> None:
    mine = key(tmp_path, "mine")
    with Bastion(key(tmp_path, "host"), Rules("tunnel", mine, {DATABASE: echo})) as bastion:
        transport = client(bastion, "tunnel", mine)
        channel = transport.open_channel("direct-tcpip", DATABASE, ("127.0.0.1", 1), timeout=5)
        channel.settimeout(5)
        channel.sendall(b"hello")
        assert channel.recv(100) == b"hello"
        transport.close()


@pytest.mark.parametrize("user", ["tunnel", "somebody"])
def test_it_refuses_another_key_and_another_user(tmp_path, user: str) -> None:
    mine, other = key(tmp_path, "mine"), key(tmp_path, "other")
    with (
        Bastion(key(tmp_path, "host"), Rules("tunnel", mine, {})) as bastion,
        pytest.raises(paramiko.AuthenticationException),
    ):
        client(bastion, user, other if user == "tunnel" else mine)


@pytest.mark.parametrize(
    ("forwards", "target", "reason", "words"),
    [
        (False, DATABASE, 1, "open failed"),
        (True, ("db-old.demo.internal", 5432), 2, "Name or service not known"),
        (True, DATABASE, 2, "Connection refused"),
    ],
    ids=["forwards nothing", "unknown name", "closed port"],
)
def test_its_refusals_carry_the_reason_and_the_words_of_sshd(tmp_path, forwards, target, reason, words, caplog) -> None:
    mine = key(tmp_path, "mine")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[:2]
    rules = Rules("tunnel", mine, {DATABASE: nobody}, forwards)
    with Bastion(key(tmp_path, "host"), rules) as bastion:
        transport = client(bastion, "tunnel", mine)
        with caplog.at_level("DEBUG", "paramiko"), pytest.raises(paramiko.ChannelException) as refused:
            transport.open_channel("direct-tcpip", target, ("127.0.0.1", 1), timeout=5)
        transport.close()
    assert refused.value.code == reason
    assert words in caplog.text  # paramiko logs the server's words and keeps only the number


def test_nothing_listens_after_the_end(tmp_path) -> None:
    with Bastion(key(tmp_path, "host"), Rules("tunnel", key(tmp_path, "mine"), {})) as bastion:
        port = bastion.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
