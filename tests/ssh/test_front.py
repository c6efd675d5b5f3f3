"""Looks at what stands in front of a port."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from pathlib import Path

from tests.ssh.fake_servers import hanging_up, saying, serving, silent
from tunneldoctor.ssh import front


def certificate(folder: Path) -> Path:
    subject = ["-subj", "/CN=bastion.example.com", "-days", "2", "-nodes"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *subject]
    both = folder / "both.pem"
    subprocess.run([*command, "-keyout", str(both), "-out", str(folder / "c.pem")], check=True, capture_output=True)
    both.write_text(both.read_text() + (folder / "c.pem").read_text())
    return both


def test_tls_with_ssh_inside_is_seen(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))

    def stunnel(connection: socket.socket, done: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            done.wait(5)

    with serving(stunnel) as address:
        seen = front.tls(address, "bastion.example.com", 5)
    assert seen.there is True
    assert seen.first.startswith(b"SSH-2.0-")


def test_what_hangs_up_on_a_tls_hello_does_not_speak_tls() -> None:
    with serving(hanging_up) as address:
        assert front.tls(address, "", 5).there is False


def test_silence_tells_nothing() -> None:
    with serving(silent) as address:
        assert front.tls(address, "", 0.3).there is None
        assert front.proxy(address, 0.3).there is None
        assert front.postgresql(address, 0.3).there is None


def test_an_ssh_server_behind_a_proxy_header_answers_it() -> None:
    with serving(saying(b"SSH-2.0-OpenSSH_9.2\r\n")) as address:
        assert front.proxy(address, 5).there is True


def test_postgresql_answers_its_ssl_request_with_one_letter() -> None:
    with serving(saying(b"N")) as address:
        assert front.postgresql(address, 5).there is True
    with serving(saying(b"HTTP/1.1 400\r\n")) as address:
        assert front.postgresql(address, 5).there is False
