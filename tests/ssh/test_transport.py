"""The transport against a real sshd: what it learns, what it can do, and that it leaves nothing behind."""

from __future__ import annotations

import base64
import logging
import socket
import subprocess
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from tests.ssh.fake_servers import Handler, dripping, flooding, hanging_up, resetting, saying, serving, silent
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd
from tunneldoctor.model import Address, Secret
from tunneldoctor.ssh.blobs import key_type
from tunneldoctor.ssh.transport import HandshakeFailure, OpenFailure, Transport


def shake(server: Sshd, **options: object) -> Transport:
    made = Transport.handshake(server.connect(), timeout=5, **options)  # type: ignore[arg-type]
    assert isinstance(made, Transport), made
    return made


def fail(address: tuple[str, int], timeout: float = 5.0) -> HandshakeFailure:
    with socket.create_connection(address, 5) as stream:
        result = Transport.handshake(stream, timeout=timeout)
    assert isinstance(result, HandshakeFailure)
    return result


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd("Banner none") as running:
        yield running


@pytest.fixture
def session(server: Sshd) -> Iterator[Transport]:
    made = shake(server)
    assert made.authenticate(server.username, server.key, 5) is None
    yield made
    made.close()


@needs_sshd
def test_the_server_and_what_was_agreed_on_are_known_after_the_handshake(server: Sshd) -> None:
    made = shake(server)
    assert made.software.startswith("OpenSSH_")
    assert made.banner == f"SSH-2.0-{made.software}"
    assert base64.b64encode(made.host_key).decode() == server.public_host_key()
    assert key_type(made.host_key) == "ssh-ed25519"
    assert made.algorithms.kex in made.offered.kex
    assert made.algorithms.mac == "implicit"
    made.close()
    assert not made.is_active


@needs_sshd
def test_a_session_opens_channels_and_answers_round_trips(session: Transport, server: Sshd) -> None:
    stream = session.open(Address("127.0.0.1", server.port), 5)
    assert not isinstance(stream, OpenFailure)
    stream.settimeout(5)
    assert stream.recv(8) == b"SSH-2.0-"
    stream.close()
    assert session.round_trip(5) is not None
    assert session.may_listen(5) is True
    assert any("port-forwarding" in text for text in session.debug_messages)


@needs_sshd
@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Address("127.0.0.1", 1), "Connection refused"),
        (Address("nowhere.invalid", 5432), "Name or service not known"),
    ],
)
def test_a_channel_that_is_not_opened_comes_with_the_servers_reason(
    session: Transport, target: Address, text: str
) -> None:
    failure = session.open(target, 5)
    assert isinstance(failure, OpenFailure)
    assert (failure.code, failure.timed_out, failure.closed) == (2, False, False)
    assert text in failure.text or "Temporary failure" in failure.text


@needs_sshd
def test_channels_opened_at_the_same_time_get_their_own_reasons(session: Transport) -> None:
    results: dict[int, object] = {}

    def ask(number: int) -> None:
        host = "127.0.0.1" if number % 2 else "nowhere.invalid"
        results[number] = session.open(Address(host, 1), 5)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    for number, failure in results.items():
        assert isinstance(failure, OpenFailure)
        assert ("refused" in failure.text) is bool(number % 2)


@needs_sshd
def test_a_key_that_is_not_authorized_is_refused_with_what_is_still_offered(server: Sshd) -> None:
    made = shake(server)
    refusal = made.authenticate(server.username, paramiko.ECDSAKey.generate(), 5)
    assert refusal is not None
    assert refusal.kind == "refused"
    assert "publickey" in refusal.methods
    assert made.authenticate(server.username, server.key, 5) is None, "the same connection takes the right key"
    made.close()


@needs_sshd
def test_an_rsa_key_signs_with_sha2() -> None:
    with sshd() as running:
        path = generate(running.folder / "rsa", "rsa", "-b", "2048")
        (running.folder / "authorized_keys").write_text(path.with_suffix(".pub").read_text())
        made = shake(running)
        assert made.authenticate("root", paramiko.RSAKey.from_private_key_file(str(path)), 5) is None
        made.close()


@needs_sshd
def test_a_second_factor_is_told_from_a_refusal() -> None:
    with sshd("AuthenticationMethods publickey,keyboard-interactive") as running:
        made = shake(running)
        refusal = made.authenticate("root", running.key, 5)
        assert refusal is not None
        assert refusal.partial
        assert refusal.methods == ("keyboard-interactive",)
        made.close()


@needs_sshd
def test_a_password_that_is_wrong_is_refused() -> None:
    with sshd("PasswordAuthentication yes\nKbdInteractiveAuthentication no") as running:
        made = shake(running)
        refusal = made.authenticate("nobody-such", Secret.of("wrong"), 5)
        assert refusal is not None
        assert (refusal.kind, refusal.method) == ("refused", "password")
        made.close()


@needs_sshd
def test_too_many_tries_end_with_the_servers_words() -> None:
    with sshd("MaxAuthTries 1") as running:
        made = shake(running)
        made.authenticate("root", paramiko.ECDSAKey.generate(), 5)
        refusal = made.authenticate("root", paramiko.ECDSAKey.generate(), 5)
        assert refusal is not None
        assert refusal.disconnect is not None
        assert "Too many authentication failures" in refusal.disconnect[1]
        made.close()


@needs_sshd
def test_the_pinned_type_of_host_key_is_asked_for_first() -> None:
    with sshd(host_keys=("ed25519", "rsa")) as running:
        made = shake(running, preferred_host_key_types=("ssh-rsa",))
        assert key_type(made.host_key) == "ssh-rsa"
        assert made.algorithms.host_key == "rsa-sha2-512"
        made.close()


def certify_host(folder: Path) -> None:
    generate(folder / "ca")
    command = ["ssh-keygen", "-q", "-s", str(folder / "ca"), "-h", "-I", "host", str(folder / "host_ed25519.pub")]
    subprocess.run(command, check=True, capture_output=True)


@needs_sshd
def test_a_host_certificate_is_presented_whole_where_its_type_is_asked_for() -> None:
    kind = "ssh-ed25519-cert-v01@openssh.com"
    with sshd("HostCertificate {folder}/host_ed25519-cert.pub", prepare=certify_host) as running:
        made = shake(running, preferred_host_key_types=(kind,))
        certificate = (running.folder / "host_ed25519-cert.pub").read_text().split()[1]
        assert key_type(made.host_key) == kind
        assert base64.b64encode(made.host_key).decode() == certificate
        assert base64.b64encode(made.plain_host_key).decode() == running.public_host_key()
        made.close()


@needs_sshd
@pytest.mark.parametrize(
    "config",
    [
        "KexAlgorithms curve25519-sha256",
        "Ciphers aes256-gcm@openssh.com\nMACs umac-128@openssh.com",
        "Ciphers aes256-ctr\nMACs hmac-sha2-512-etm@openssh.com",
    ],
)
def test_hardened_servers_that_ssh_can_talk_to_are_talked_to(config: str) -> None:
    with sshd(config) as running:
        made = shake(running)
        assert made.authenticate("root", running.key, 5) is None
        made.close()


@needs_sshd
@pytest.mark.parametrize(
    ("config", "stage"),
    [
        ("Ciphers chacha20-poly1305@openssh.com", "no-common-cipher"),
        ("Ciphers aes256-ctr\nMACs umac-128@openssh.com", "no-common-mac"),
        ("KexAlgorithms sntrup761x25519-sha512@openssh.com", "no-common-kex"),
    ],
)
def test_nothing_in_common_is_said_with_both_lists(config: str, stage: str) -> None:
    with sshd(config) as running:
        failure = fail((running.host, running.port))
        kind = stage.removeprefix("no-common-")
        assert failure.stage == stage
        assert failure.offered is not None
        assert list(failure.offered.of(kind)) == [config.split()[-1]]
        assert failure.ours.of(kind)


@needs_sshd
def test_closing_ends_every_thread_of_the_connection(session: Transport, server: Sshd) -> None:
    stream = session.open(Address("127.0.0.1", server.port), 5)
    assert not isinstance(stream, OpenFailure)
    session.close()
    session.close()
    for thread in threading.enumerate():
        if type(thread).__name__ == "Peer":
            thread.join(5)
            assert not thread.is_alive()
    assert session.round_trip(1) is None


@needs_sshd
def test_paramiko_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as address:
        fail(address)
    captured = capfd.readouterr()
    assert captured.err + captured.out == ""
    assert logging.getLogger("paramiko").handlers


@pytest.mark.parametrize(
    ("handler", "stage", "what"),
    [
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not-ssh", "HTTP"),
        (saying(b"\x15\x03\x01\x00\x02\x02\x46"), "not-ssh", "TLS"),
        (saying(b"J\x00\x00\x00\x0a8.0.35\x00", then_close=False), "not-ssh", "MySQL"),
        (saying(b"-ERR unknown command 'SSH-2.0-x'\r\n"), "not-ssh", "Redis"),
        (saying(b"SSH-1.5-OldBox\r\n"), "protocol-too-old", None),
        (saying(b"SSH-2.0-x\r\n"), "closed-during-kex", None),
        (saying(b"Exceeded MaxStartups\r\n"), "closed-before-banner", None),
        (hanging_up, "closed-before-banner", None),
    ],
)
def test_what_is_no_ssh_server_is_named(handler: Handler, stage: str, what: str | None) -> None:
    with serving(handler) as address:
        failure = fail(address)
    assert (failure.stage, failure.what) == (stage, what)


def test_a_reset_is_told_from_a_close() -> None:
    with serving(resetting) as address:
        assert str(fail(address).end).startswith("reset")
    with serving(hanging_up) as address:
        assert str(fail(address).end).startswith("closed")


@pytest.mark.parametrize(
    ("handler", "stage"),
    [
        (silent, "no-banner"),
        (dripping(b"S" * 1000, 0.05), "no-banner"),
        (saying(b"Welcome\r\nto nowhere\r\n", then_close=False), "no-banner"),
        (saying(b"SSH-2.0-x\r\n", then_close=False), "no-kexinit"),
    ],
)
def test_silence_ends_at_the_deadline_and_half_time_is_told(handler: Handler, stage: str) -> None:
    told: list[str] = []
    with serving(handler) as address, socket.create_connection(address, 5) as stream:
        result = Transport.handshake(stream, timeout=0.6, half_time=0.3, on_half_time=told.append)
        assert isinstance(result, HandshakeFailure)
        assert (result.stage, told) == (stage, [stage])
        assert result.end is None


@pytest.mark.parametrize(
    ("handler", "stage"),
    [
        (saying(b"x" * 10_000_000, then_close=False), "not-ssh"),
        (flooding(b"line after line\r\n"), "not-ssh"),
        (saying(b"SSH-2.0-" + b"x" * 10_000_000, then_close=False), "not-ssh"),
        (saying(b"SSH-2.0-x\r\n\xff\xff\xff\xf8" + b"x" * 10_000_000, then_close=False), "garbled"),
    ],
)
def test_a_hostile_greeting_takes_little_memory_and_is_given_up_before_the_deadline(
    handler: Handler, stage: str
) -> None:
    with serving(handler) as address:
        tracemalloc.start()
        try:
            failure = fail(address, timeout=20)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert failure.stage == stage
    assert len(failure.first) <= 4096
    assert peak < 64 * 1024 * 1024, "the server's own 10 MB count too: it lives in this process"


@needs_sshd
def test_a_proxy_header_in_front_of_ours_shows_in_the_first_bytes(server: Sshd) -> None:
    with server.connect() as stream:
        stream.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
        result = Transport.handshake(stream, timeout=5)
    assert isinstance(result, HandshakeFailure)
    assert b"Invalid SSH identification string." in result.first
    assert result.software is not None


@needs_sshd
def test_a_connection_that_ends_while_a_channel_is_asked_for_says_so() -> None:
    with sshd() as running:
        made = shake(running)
        assert made.authenticate("root", running.key, 5) is None
        made.close()
        failure = made.open(Address("127.0.0.1", 1), 5)
        assert isinstance(failure, OpenFailure)
        assert failure.closed
