"""Servers that send what no server should, after their identification: named, in time, with little memory.

In-process, because no real server can be brought to do it.
"""

from __future__ import annotations

import io
import socket
import struct
import threading
import tracemalloc

import paramiko
import pytest

from fixtures import keys
from tests.ssh.fake_servers import Handler, dripping, saying, serving
from tunneldoctor.ssh.algorithms import listed
from tunneldoctor.ssh.handshake import HandshakeFailure
from tunneldoctor.ssh.transport import Transport

HELLO = b"SSH-2.0-OpenSSH_9.2p1\r\n"
LISTS = (
    b"curve25519-sha256",
    b"ssh-ed25519",
    *[b"aes128-ctr"] * 2,
    *[b"hmac-sha2-256"] * 2,
    b"none",
    b"none",
    b"",
    b"",
)


def packet(payload: bytes) -> bytes:
    padding = 16 - (len(payload) + 5) % 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def kexinit(*lists: bytes) -> bytes:
    return b"\x14" + bytes(16) + b"".join(map(string, lists)) + bytes(5)


def names(count: int) -> bytes:
    return b",".join(b"%x" % number for number in range(count))


def failed(handler: Handler, timeout: float = 10.0) -> HandshakeFailure:
    with serving(handler) as address, socket.create_connection(address, 5) as stream:
        result = Transport.handshake(stream, timeout=timeout)
    assert isinstance(result, HandshakeFailure)
    return result


@pytest.mark.parametrize(
    ("payload", "stage"),
    [
        (kexinit(names(40_000), *LISTS[1:]), "no-common-kex"),
        (kexinit(LISTS[0], names(40_000), *LISTS[2:]), "no-common-host-key"),
        (kexinit(*LISTS[:2], names(20_000), names(20_000), *LISTS[4:]), "no-common-cipher"),
        (kexinit(*LISTS[:4], names(20_000), names(20_000), *LISTS[6:]), "no-common-mac"),
    ],
)
def test_lists_as_long_as_a_packet_are_compared_and_shown_in_short(payload: bytes, stage: str) -> None:
    tracemalloc.start()
    try:
        failure = failed(saying(HELLO + packet(payload), then_close=False))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failure.stage == stage
    assert failure.offered is not None
    assert failure.disputed is not None
    assert len(listed(failure.offered.of(failure.disputed))) < 4000
    assert peak < 64 * 1024 * 1024


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(packet(b"\x14" + bytes(16) + b"\xff\xff\xff\xff" + b"abc"), id="a list of 4 GiB is announced"),
        pytest.param(packet(b"\x14"), id="a message without its lists"),
        pytest.param(packet(kexinit(b"\xff\xfe", *LISTS[1:])), id="names that are no text"),
        pytest.param(b"\xff\xff\xff\xff" + bytes(100), id="a packet of 4 GiB is announced"),
        pytest.param(struct.pack(">IB", 12, 200) + bytes(11), id="more padding than packet"),
        pytest.param(packet(b"\xfa" * 40), id="a message that does not exist"),
        pytest.param(b"\x00\x01\x02 garbage \xff" * 100, id="garbage"),
    ],
)
def test_what_is_no_valid_packet_is_called_garbled(sent: bytes) -> None:
    assert failed(saying(HELLO + sent, then_close=False)).stage == "garbled"


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff" * 100, id="no key at all"),
        pytest.param(string(b"ssh-ed25519") + string(bytes(31)), id="a byte short"),
        pytest.param(string(b"ssh-ed25519") + b"\xff\xff\xff\xff", id="4 GiB are announced"),
        pytest.param(string(b"ssh-rsa") + string(b"\x03") + string(b"\x01"), id="another type"),
        pytest.param(string(b"ssh-ed25519-cert-v01@openssh.com") + bytes(40), id="half a certificate"),
        pytest.param(bytes(200_000), id="200 kB of nothing"),
    ],
)
def test_a_damaged_host_key_is_called_garbled(blob: bytes) -> None:
    """paramiko's own server, with a key whose public half is not what it should be."""

    class Damaged(paramiko.Ed25519Key):
        def asbytes(self) -> bytes:
            return blob

    def serve(connection: socket.socket, done: threading.Event) -> None:
        server = paramiko.Transport(connection)
        server.add_server_key(Damaged.from_private_key(io.StringIO(keys.encoded(keys.make()).decode())))
        try:
            server.start_server(event=threading.Event(), server=paramiko.ServerInterface())
            done.wait(10)
        finally:
            server.close()

    assert failed(serve).stage == "garbled"


@pytest.mark.parametrize(
    ("start", "stage"), [(b"", "no-banner"), (HELLO, "no-kexinit"), (HELLO + packet(kexinit(*LISTS)), "kex-stalled")]
)
def test_a_byte_at_a_time_ends_with_the_deadline_wherever_it_is(start: bytes, stage: str) -> None:
    def serve(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(start)
        slowly = struct.pack(">IB", 1020, 10) + bytes(1000) if start else b"S" * 1000
        dripping(slowly, 0.05)(connection, done)

    assert failed(serve, timeout=0.8).stage == stage
