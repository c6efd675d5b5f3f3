"""The real ssh-agent, and sockets behind which no agent is: each is told apart, and nothing waits for ever."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from paramiko.agent import AgentSSH

from tunneldoctor.ssh.agent import AgentUnreachable, BoundedAgent, reach


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ca")], check=True)
    for kind in ("ed25519", "rsa", "ecdsa"):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(tmp_path / kind)], check=True)
    return tmp_path


@pytest.fixture
def agent(folder: Path) -> Iterator[str]:
    path = folder / "socket"
    started = subprocess.run(["ssh-agent", "-a", str(path)], check=True, capture_output=True, text=True)
    process = int(started.stdout.split("SSH_AGENT_PID=")[1].split(";")[0])
    yield str(path)
    os.kill(process, 15)


def add(agent: str, *arguments: str, cwd: Path) -> None:
    environment = {**os.environ, "SSH_AUTH_SOCK": agent}
    subprocess.run(["ssh-add", "-q", *arguments], cwd=cwd, env=environment, check=True, capture_output=True)


def test_an_empty_agent_is_an_agent(agent: str) -> None:
    reached = reach(5, agent)
    assert reached.identities == ()
    reached.close()


def test_every_key_of_the_agent_signs_what_its_public_half_verifies(agent: str, folder: Path) -> None:
    add(agent, "ed25519", "rsa", "ecdsa", cwd=folder)
    reached = reach(5, agent)
    assert [each.type for each in reached.identities] == ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"]
    for each in reached.identities:
        algorithm = "rsa-sha2-512" if each.type == "ssh-rsa" else None
        signature = each.key.sign_ssh_data(b"data", algorithm)
        signature = signature.asbytes() if isinstance(signature, paramiko.Message) else signature
        public = paramiko.PKey.from_type_string(each.type, each.key.asbytes())
        assert public.verify_ssh_sig(b"data", paramiko.Message(signature))
    reached.close()


def test_a_key_is_picked_by_its_fingerprint(agent: str, folder: Path) -> None:
    add(agent, "ed25519", "rsa", cwd=folder)
    shown = subprocess.run(["ssh-keygen", "-lf", "rsa.pub"], cwd=folder, capture_output=True, text=True, check=True)
    reached = reach(5, agent)
    picked = reached.pick(shown.stdout.split()[1])
    assert picked is not None
    assert picked.type == "ssh-rsa"
    assert reached.pick("SHA256:" + "A" * 43) is None
    reached.close()


def test_a_key_with_its_certificate_is_one_identity(agent: str, folder: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-s", "ca", "-I", "x", "-n", "u", "ed25519.pub"], cwd=folder, check=True)
    add(agent, "ed25519", cwd=folder)
    reached = reach(5, agent)
    (identity,) = reached.identities
    assert identity.certificate is not None
    assert identity.certificate.principals == ("u",)
    certified, plain = identity.offers()
    assert certified.public_blob.key_blob == identity.certificate.blob
    assert plain.public_blob is None
    reached.close()


def test_a_certificate_that_the_agent_holds_alone_is_offered(agent: str, folder: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-s", "ca", "-I", "x", "-n", "u", "ed25519.pub"], cwd=folder, check=True)
    add(agent, "ed25519", cwd=folder)
    (folder / "ed25519-cert.pub").rename(folder / "other")
    add(agent, "-d", "ed25519", cwd=folder)
    reached = reach(5, agent)
    (identity,) = reached.identities
    (offer,) = identity.offers()
    assert offer.get_name() == "ssh-ed25519-cert-v01@openssh.com"
    assert identity.type == "ssh-ed25519"
    reached.close()


def kind_of(path: str, timeout: float = 5) -> str:
    with pytest.raises(AgentUnreachable) as caught:
        reach(timeout, path)
    return caught.value.kind


def test_no_socket_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(AgentUnreachable) as caught:
        reach(5)
    assert caught.value.kind == "no-socket-named"


def test_a_socket_that_is_not_there_and_one_that_nobody_serves(tmp_path: Path) -> None:
    assert kind_of(str(tmp_path / "absent")) == "absent"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    assert kind_of(str(tmp_path / "dead")) == "dead"
    (tmp_path / "file").write_text("")
    assert kind_of(str(tmp_path / "file")) == "dead"
    assert kind_of("/" + "x" * 200) == "no-agent"


def test_an_agent_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        assert kind_of(str(tmp_path / "silent"), 0.2) == "silent"


@pytest.mark.parametrize(
    "answer", [b"", b"\xff\xff\xff\xff", b"\0\0\0\x01\x05", b"\0\0\0\x05\x0c\0\0\0\x01", b"\0\0\0\0"]
)
def test_what_is_no_agent_is_not_taken_for_one(answer: bytes, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "other"))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(5)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert kind_of(str(tmp_path / "other")) == "no-agent"
        thread.join(5)


def test_an_agent_that_drips_its_answer_is_given_up_all_the_same(tmp_path: Path) -> None:
    over = threading.Event()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "dripping"))
        server.listen()

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"\0\3\xff\xff\x0c")
                while not over.wait(0.02):
                    connection.sendall(b"\0")

        thread = threading.Thread(target=drip)
        thread.start()
        assert kind_of(str(tmp_path / "dripping"), 0.2) == "silent"
        over.set()
        thread.join(5)


def test_what_no_key_can_be_read_from_does_not_hide_the_agent_s_keys(folder: Path, tmp_path: Path) -> None:
    def field(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    good = base64.b64decode((folder / "ed25519.pub").read_text().split()[1])
    held = [b"", b"\0\0", field(b"ssh-rsa") + b"junk", field(b"ssh-ed25519-cert-v01@openssh.com"), good]
    answer = b"\x0c" + len(held).to_bytes(4, "big") + b"".join(field(blob) + field(b"\xff") for blob in held)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "mixed"))
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(5)
                connection.sendall(field(answer))

        thread = threading.Thread(target=serve)
        thread.start()
        reached = reach(5, str(tmp_path / "mixed"))
        thread.join(5)
        reached.close()
    assert [each.type for each in reached.identities] == ["ssh-ed25519"]


def test_paramiko_still_signs_through_the_method_that_is_overridden() -> None:
    assert callable(AgentSSH._send_message)


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        agent = BoundedAgent(ours, 0.05)
        with pytest.raises(TimeoutError):
            agent.ask(b"\x0b")
        with contextlib.suppress(OSError):  # nobody is there to take it any more
            theirs.sendall(b"\0\0\0\x05\x0c\0\0\0\0")
        with pytest.raises(OSError, match="Bad file descriptor"):
            agent.ask(b"\x0b")
