"""A SQL Server written by hand after MS-TDS: no real one runs here. One connection, one scripted conversation.

Sections: §2.2.3.1 (packet header), §2.2.6.5 (PRELOGIN, and TLS inside it), §2.2.6.4 (LOGIN7), §2.2.7 (tokens).
"""

from __future__ import annotations

import socket
import ssl
import struct
from dataclasses import dataclass, field
from pathlib import Path

OFF, ON, NOT_SUPPORTED, REQUIRED = 0, 1, 2, 3
DONE = b"\xfd" + bytes(12)


def text(words: str, size: int = 2) -> bytes:
    """A US_VARCHAR (or, of one byte, B_VARCHAR)."""
    return len(words).to_bytes(size, "little") + words.encode("utf-16-le")


def error(number: int, words: str, state: int = 1) -> bytes:
    body = struct.pack("<iBB", number, state, 14) + text(words) + text("srv", 1) + text("", 1) + bytes(4)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def acknowledged() -> bytes:
    body = b"\x01\x74\x00\x00\x04" + text("Microsoft SQL Server", 1) + bytes((16, 0)) + struct.pack("!H", 4085)
    return b"\xad" + struct.pack("<H", len(body)) + body


def routing(host: str, port: int) -> bytes:
    value = b"\x00" + struct.pack("<H", port) + text(host)
    body = b"\x14" + struct.pack("<H", len(value)) + value + b"\x00\x00"
    return b"\xe3" + struct.pack("<H", len(body)) + body


def row(*values: str | None) -> bytes:
    column = bytes(6) + b"\xe7" + struct.pack("<H", 128) + bytes(5) + text("", 1)
    cells = [b"\xff\xff" if value is None else text(value) for value in values]
    sizes = [
        b"\xff\xff" if value is None else struct.pack("<H", 2 * len(value)) + value.encode("utf-16-le")
        for value in values
    ]
    assert len(cells) == len(sizes)
    return b"\x81" + struct.pack("<H", len(values)) + column * len(values) + b"\xd1" + b"".join(sizes)


#: Further tokens that a login brings: database, language, packet size, features.
EXTRAS = (
    b"\xe3\x03\x00\x01\x00\x00" + b"\xab" + struct.pack("<H", 0x10) + bytes(16) + b"\xae\x0a\x01\x00\x00\x00\x01\xff"
)


def packet(payload: bytes, kind: int = 4, *, last: bool = True) -> bytes:
    return struct.pack("!BBHHBB", kind, int(last), len(payload) + 8, 0, 1, 0) + payload


def prelogin(encryption: int) -> bytes:
    return (
        struct.pack("!BHHBHHB", 0, 11, 6, 1, 17, 1, 255)
        + bytes((16, 0))
        + struct.pack("!HH", 4085, 0)
        + bytes((encryption,))
    )


@dataclass
class Tds:
    """Behaviour of one connection. ``seen`` keeps what the client said."""

    encryption: int = ON
    login: bytes = EXTRAS + acknowledged() + DONE
    answers: tuple[bytes, ...] = (row("10.0.0.7", "READ_WRITE") + DONE, row("1") + DONE)
    certificate: tuple[Path, Path] | None = None
    strict: bool = False
    tls_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    seen: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, connection: socket.socket) -> None:
        self.socket, self.tls, self.bare = connection, None, False
        self.held = b""
        if self.strict:
            self.bare = True
            self._shake_hands()
        self.seen["prelogin"] = self._message()
        self._send(packet(prelogin(self.encryption)))
        wish = self.seen["prelogin"][17]
        tls = not self.strict and self.encryption != NOT_SUPPORTED and wish != NOT_SUPPORTED
        if tls:
            self._shake_hands()
            self.bare = True
        self.seen["login"] = self._message()
        if tls and self.encryption == OFF:
            self.tls = None
        self._send(packet(self.login))
        for answer in self.answers:
            self.seen["batch"] = self._message()
            self._send(packet(answer))
        connection.recv(1000)

    def _shake_hands(self) -> None:
        assert self.certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = self.tls_version
        context.load_cert_chain(*self.certificate)
        context.set_alpn_protocols(["tds/8.0"])
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self.incoming.write(self.socket.recv(16384) if self.bare else self._packet())
            else:
                break
        self._flush()
        self.seen["alpn"] = (tls.selected_alpn_protocol() or "").encode()
        self.tls = tls

    def _flush(self) -> None:
        if data := self.outgoing.read():
            self.socket.sendall(data if self.bare else packet(data, 0x12))

    def _send(self, data: bytes) -> None:
        if self.tls is None:
            self.socket.sendall(data)
            return
        self.tls.write(data)
        self._flush()

    def _raw(self) -> bytes:
        if self.tls is None:
            return self.socket.recv(16384)
        while True:
            try:
                return self.tls.read(16384)
            except ssl.SSLWantReadError:
                data = self.socket.recv(16384)
                if not data:
                    return b""
                self.incoming.write(data)

    def _packet(self) -> bytes:
        return self._take()[1]

    def _message(self) -> bytes:
        whole = b""
        while True:
            last, payload = self._take()
            whole += payload
            if last:
                return whole

    def _take(self) -> tuple[bool, bytes]:
        head = self._exactly(8)
        return bool(head[1] & 1), self._exactly(int.from_bytes(head[2:4], "big") - 8)

    def _exactly(self, count: int) -> bytes:
        while len(self.held) < count:
            data = self._raw()
            if not data:
                raise OSError("gone")
            self.held += data
        taken, self.held = self.held[:count], self.held[count:]
        return taken
