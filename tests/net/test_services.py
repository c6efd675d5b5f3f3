"""First bytes as the services themselves send them."""

from __future__ import annotations

import pytest

from tunneldoctor.net.services import described, identify


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"<!DOCTYPE html>", "HTTP"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>", "HTTPS"),
        (b"HTTP/1.0 200 OK\r\n\r\nIt looks like you are trying to access MongoDB over HTTP on the", "MongoDB"),
        (b"AMQP\x00\x00\x09\x01", "AMQP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"\x16\x03\x03\x00\x7a\x02", "TLS"),
        (b"J\x00\x00\x00\x0a8.0.35\x00\x08\x00\x00", "MySQL"),
        (b"n\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\x00", "MariaDB"),
        (b"E\x00\x00\x00\xff\x6a\x04Host '10.0.0.1' is not allowed", "MySQL"),
        (b"-ERR unknown command 'SSH-2.0-x', with args", "Redis"),
        (b"-DENIED Redis is running in protected mode", "Redis"),
        (b"E\x00\x00\x00\x8bSFATAL\x00VFATAL\x00C0A000\x00", "PostgreSQL"),
        (b"220 mail.example.com ESMTP Postfix\r\n", "SMTP"),
        (b"220 (vsFTPd 3.0.3) FTP\r\n", "FTP"),
        (b"RFB 003.008\n", "VNC"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07", "a binary protocol"),
    ],
)
def test_a_service_is_known_by_its_first_bytes(first: bytes, name: str) -> None:
    assert identify(first) == name


@pytest.mark.parametrize("first", [b"", b"S", b"Welcome to the bastion\r\n", "Grüß Gott\r\n".encode(), b"\x1b[1mHello"])
def test_text_that_may_stand_before_an_identification_tells_nothing(first: bytes) -> None:
    assert identify(first) is None


def test_bytes_are_described_as_text_where_they_are_text() -> None:
    assert described(b"") == "no bytes"
    assert described(b"HTTP/1.1 400") == "HTTP/1.1 400"
    assert described(b"\x15\x03\x01") == "15 03 01 (hexadecimal)"
