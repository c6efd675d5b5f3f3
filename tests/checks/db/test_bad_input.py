"""What no honest server sends: it is named or cut short, in time, and harmless to read.

The servers here are in-process, because a real one can't be brought to any of it.
"""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.checks.db.conftest import NAME, Examine, codes, database, the_finding, tunnel
from tunneldoctor.model import FindingReport, Report, Tls

_READY = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def _row(value: bytes) -> bytes:
    return _message(b"D", b"\0\x01" + len(value).to_bytes(4, "big") + value)


def _drain(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


@pytest.fixture
def examined(examine: Examine, server: Callable[..., int]) -> Callable[..., Report]:
    """The report on a server that behaves so, asked without TLS unless *mode* says otherwise."""

    def run(behave: Callable[[socket.socket], object], mode: str = "disable", seconds: float = 3.0) -> Report:
        port = server(behave)
        wanted = database(port, tls=Tls(mode))
        return examine(tunnel(wanted, connect_timeout=seconds))

    return run


def _worst(report: Report) -> FindingReport:
    found = [each for check in report.checks for each in check.findings if each.code != "db.tls-off"]
    assert len(found) == 1, codes(report)
    return found[0]


def _answering(*words: bytes) -> Callable[[socket.socket], object]:
    def behave(connection: socket.socket) -> None:
        for word in words:
            connection.recv(65536)
            connection.sendall(word)
        _drain(connection)

    return behave


def test_endless_rows_end(examined: Callable[..., Report]) -> None:
    sent: list[int] = []

    def pour(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(_READY)
        connection.recv(65536)
        block = _row(b"x" * 1000) * 60
        with suppress(OSError):
            while len(sent) < 10_000:
                connection.sendall(block)
                sent.append(len(block))

    assert _worst(examined(pour)).code == "db.wrong-service"
    assert sum(sent) < 16 * 1024 * 1024


def test_a_row_that_claims_columns_it_does_not_have_is_no_row(examined: Callable[..., Report]) -> None:
    row = _message(b"D", b"\xff\xff" + b"\0\0\0\x01a" * 3)
    assert _worst(examined(_answering(_READY, row))).code == "db.wrong-service"


@pytest.mark.parametrize("length", [b"\x01\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\x03"])
def test_a_length_that_no_message_of_a_login_has_is_not_waited_for(
    examined: Callable[..., Report], length: bytes
) -> None:
    assert _worst(examined(_answering(b"R" + length + b"\0" * 64))).code == "db.wrong-service"


@pytest.mark.parametrize("half", [b"R", b"R\0\0", b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA"])
def test_half_a_message_and_then_silence_is_no_answer(examined: Callable[..., Report], half: bytes) -> None:
    found = _worst(examined(_answering(half), seconds=1.0))
    assert found.code == "db.no-answer"
    assert found.params["received"] == len(half)


def test_half_a_tls_handshake_and_then_silence_is_a_stall(examined: Callable[..., Report]) -> None:
    half = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
    found = the_finding(examined(_answering(b"S", half), mode="require", seconds=1.0))
    assert (found.code, found.params["received"]) == ("db.tls-stalled", len(half))


def test_controls_in_an_error_are_made_visible(examined: Callable[..., Report]) -> None:
    nasty = "\x1b[2J\x1b]8;;http://x\x07\r\nFAKE: healthy\u202e\u2028\x9b31m"
    body = f"SFATAL\0VFATAL\0C57P03\0M{nasty}\0D{nasty}\0Rroutine\0\0".encode()
    found = _worst(examined(_answering(_message(b"E", body))))
    assert found.code == "db.not-ready"
    shown = found.summary + found.title + "".join(each.text for each in found.evidence)
    assert not {"\x1b", "\x07", "\r", "\u202e", "\u2028", "\x9b"} & set(shown)
    assert "FAKE: healthy" in shown


def test_fields_without_an_end_or_a_letter_are_read_as_far_as_they_go(examined: Callable[..., Report]) -> None:
    for body in (b"", b"\0", b"S", b"\0\0\0\0", b"C53300", b"\xff\xfe\xfd"):
        code = _worst(examined(_answering(_message(b"E", body)))).code
        assert code == ("db.too-many-connections" if body == b"C53300" else "db.unclassified"), body


def certificate_of_many_names(folder: Path, count: int) -> ssl.SSLContext:
    """A server's context with a self-signed certificate for *count* names."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    listed = [x509.DNSName(f"n{number}.example") for number in range(count)]
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=300))
        .add_extension(x509.SubjectAlternativeName(listed), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "server.pem"
    file.write_bytes(signed.public_bytes(encoding) + key.private_bytes(encoding, form, serialization.NoEncryption()))
    (folder / "root.pem").write_bytes(signed.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize(
    ("count", "code"),
    [(3000, "db.tls-name-mismatch"), (10_000, "db.tls-handshake-failed")],  # OpenSSL's own limit: 100 KiB
)
def test_a_certificate_with_thousands_of_names_is_judged_and_shown_in_short(
    examine: Examine, server: Callable[..., int], tmp_path: Path, count: int, code: str
) -> None:
    context = certificate_of_many_names(tmp_path, count)

    def shake_hands(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"S")
        with context.wrap_socket(connection, server_side=True) as tls:
            _drain(tls)

    wanted = database(server(shake_hands), tls=Tls("verify-full", root_certificate=str(tmp_path / "root.pem")))
    report = examine(tunnel(wanted))
    found = next(each for check in report.checks for each in check.findings if each.code == code)
    assert "n20.example" not in str(found)
    assert len(found.summary) + sum(len(each.text) for each in found.evidence) < 5000
