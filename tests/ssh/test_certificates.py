"""Certificates as the real ssh-keygen makes them: read, judged, and never trusted when damaged."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunneldoctor.ssh.blobs import fingerprint, string
from tunneldoctor.ssh.certificates import LARGEST, Certificate, CertificateError, from_blob, problems, read
from tunneldoctor.ssh.identity import Identity
from tunneldoctor.ssh.keys import examine

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name, kind in (("ca", "ed25519"), ("ed25519", "ed25519"), ("rsa", "rsa"), ("ecdsa", "ecdsa")):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(folder / name)], check=True)
    return folder


def signed(folder: Path, *options: str, key: str = "ed25519", ca: str = "ca") -> bytes:
    arguments = ["ssh-keygen", "-q", "-s", ca, "-I", "the id", *options, f"{key}.pub"]
    subprocess.run(arguments, cwd=folder, check=True)
    path = folder / f"{key}-cert.pub"
    data = path.read_bytes()
    path.unlink()
    return data


def codes(certificate: Certificate, username: str = "tunnel", moment: datetime = NOW) -> list[str]:
    return [problem.code for problem in problems(certificate, username, moment)]


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_everything_that_a_certificate_says_is_read(kind: str, folder: Path) -> None:
    options = ("-n", "tunnel,other", "-V", "20250101000000Z:20990101000000Z", "-O", "source-address=10.0.0.0/8,::1/128")
    certificate = read(signed(folder, *options, "-z", "7", key=kind))
    assert (certificate.type, certificate.key_id) == ("user", "the id")
    assert certificate.principals == ("tunnel", "other")
    assert certificate.valid_after == datetime(2025, 1, 1, tzinfo=UTC)
    assert certificate.valid_before == datetime(2099, 1, 1, tzinfo=UTC)
    assert certificate.source_addresses == ("10.0.0.0/8", "::1/128")
    assert certificate.permits_port_forwarding
    assert certificate.signature_algorithm == "ssh-ed25519"
    assert certificate.ca_fingerprint == fingerprint(base64.b64decode((folder / "ca.pub").read_text().split()[1]))
    assert certificate.fingerprint == fingerprint(base64.b64decode((folder / f"{kind}.pub").read_text().split()[1]))
    assert codes(certificate) == []


@pytest.mark.parametrize(("ca", "algorithm"), [("rsa", "rsa-sha2-512"), ("ecdsa", "ecdsa-sha2-nistp256")])
def test_the_authority_s_signature_is_named(ca: str, algorithm: str, folder: Path) -> None:
    assert read(signed(folder, "-n", "u", ca=ca)).signature_algorithm == algorithm


def test_one_without_an_end_is_valid_for_ever(folder: Path) -> None:
    certificate = read(signed(folder, "-n", "tunnel"))
    assert (certificate.valid_after, certificate.valid_before) == (None, None)
    assert codes(certificate, moment=NOW + timedelta(days=36500)) == []


def test_the_window_ends_with_its_last_second(folder: Path) -> None:
    certificate = read(signed(folder, "-n", "tunnel", "-V", "20250101000000Z:20250102000000Z"))
    first, last = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert codes(certificate, moment=first - second) == ["key.certificate-not-yet-valid"]
    assert codes(certificate, moment=first) == []
    assert codes(certificate, moment=last - second) == []
    assert codes(certificate, moment=last) == ["key.certificate-expired"]


def test_each_unsuitable_certificate_is_named(folder: Path) -> None:
    assert codes(read(signed(folder, "-n", "somebody"))) == ["key.certificate-wrong-principal"]
    assert codes(read(signed(folder))) == ["key.certificate-no-principals"]
    assert codes(read(signed(folder, "-h", "-n", "host"))) == ["key.certificate-is-host-certificate"]
    assert codes(read(signed(folder, "-n", "tunnel", "-O", "clear"))) == ["key.certificate-no-port-forwarding"]


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_an_explicit_certificate_is_offered_before_the_plain_key_and_a_neighbour_after(kind: str, folder: Path) -> None:
    key = examine((folder / kind).read_bytes()).key
    assert key is not None
    certificate = read(signed(folder, "-n", "tunnel", key=kind))
    identity = Identity.of("file:k", key)
    explicit, neighbour = (
        identity.certified(certificate, True).offers(),
        identity.certified(certificate, False).offers(),
    )
    assert [offer.public_blob is not None for offer in explicit] == [True, False]
    assert [offer.public_blob is not None for offer in neighbour] == [False, True]
    assert explicit[0].public_blob.key_blob == certificate.blob
    assert key.public_blob is None
    assert [offer.public_blob for offer in identity.offers()] == [None]


def test_a_changed_certificate_is_refused(folder: Path) -> None:
    blob = read(signed(folder, "-n", "tunnel")).blob
    at = blob.index(b"tunnel")
    with pytest.raises(CertificateError, match="signature"):
        from_blob(blob[:at] + b"tunnex" + blob[at + 6 :])


def test_what_is_no_certificate_is_called_what_it_is(folder: Path) -> None:
    certificate = signed(folder, "-n", "tunnel")
    for data, words in (
        (b"", "empty"),
        (b"# a comment alone", "empty"),
        ((folder / "ed25519.pub").read_bytes(), "plain public key of type ssh-ed25519"),
        ((folder / "ed25519").read_bytes(), "private key"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n", "X.509"),
        (b"hello world", "not an SSH certificate"),
        (certificate[:200], "cut short"),
        (b"x" * 1_000_000, "far more"),
    ):
        with pytest.raises(CertificateError, match=words):
            read(data)


def test_a_certificate_with_windows_line_ends_and_a_comment_is_read(folder: Path) -> None:
    data = signed(folder, "-n", "tunnel")
    assert read(b"# signed today\n" + data.replace(b"\n", b"\r\n")).principals == ("tunnel",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: b"\xef\xbb\xbf" + data, "byte-order mark"),
        (lambda data: b'"' + data.strip() + b'"', "quotation marks"),
        (lambda data: data.decode().encode("utf-16"), "UTF-16"),
        (lambda data: base64.b64encode(data), "encoded once too often"),
        (lambda data: b"restrict " + data, "other words stand before"),
        (lambda data: data[: len(data) // 2], "cut short"),
        (lambda data: b"ssh-ed25519 " + data.split()[1], "plain public key"),
        (lambda data: b"-----BEGIN CERTIFICATE-----\nMIIB\n", "X.509"),
        (lambda data: b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "a private key"),
        (lambda data: b"", "empty"),
        (lambda data: data * 1000, "far more than a certificate"),
    ],
)
def test_what_openssh_does_not_read_as_a_certificate_is_said_to_be_what_it_is(
    change: Callable[[bytes], bytes], words: str, folder: Path, tmp_path: Path
) -> None:
    data = change(signed(folder, "-n", "tunnel"))
    with pytest.raises(CertificateError, match=words):
        read(data)
    (tmp_path / "cert").write_bytes(data)
    if len(data) < LARGEST:
        assert subprocess.run(["ssh-keygen", "-Lf", tmp_path / "cert"], capture_output=True, check=False).returncode


@pytest.mark.parametrize(("count", "words"), [(257, "257 principals"), (100_000, "far more than a certificate")])
def test_more_principals_than_openssh_reads_are_counted(count: int, words: str, folder: Path) -> None:
    """No library signs so many, so the list is put into a certificate whose signature no longer fits."""
    kind, body, *_ = signed(folder, "-n", "tunnel").split()
    blob = base64.b64decode(body)
    many = string(string(b"somebody") * count)
    line = kind + b" " + base64.b64encode(blob.replace(string(string(b"tunnel")), many))
    with pytest.raises(CertificateError, match=words):
        read(line)


def test_an_rsa_authority_that_signs_with_sha_1_is_named(folder: Path) -> None:
    old = read(signed(folder, "-t", "ssh-rsa", "-n", "tunnel", ca="rsa"))
    assert codes(old) == ["key.certificate-signed-with-sha1"]
    assert codes(read(signed(folder, "-t", "rsa-sha2-256", "-n", "tunnel", ca="rsa"))) == []


def test_a_critical_option_that_sshd_does_not_know_is_named_and_those_that_it_knows_are_not(folder: Path) -> None:
    known = ("-O", "force-command=/bin/false", "-O", "source-address=10.0.0.0/8", "-O", "verify-required")
    assert problems(read(signed(folder, "-n", "tunnel", *known)), "tunnel", NOW) == ()
    unknown = read(signed(folder, "-n", "tunnel", "-O", "critical:colour@example.com=red"))
    (problem,) = problems(unknown, "tunnel", NOW)
    assert (problem.code, problem.params) == ("key.certificate-unknown-option", {"options": "colour@example.com"})


def test_hostile_texts_in_a_certificate_are_made_visible(folder: Path) -> None:
    assert read(signed(folder, "-n", "a\x1b[31mb")).principals == ("a\\x1b[31mb",)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_certificate_errors(data: bytes) -> None:
    line = b"ssh-ed25519-cert-v01@openssh.com " + base64.b64encode(b"\0\0\0\x20ssh-ed25519-cert-v01@openssh.com" + data)
    for given_data in (data, line):
        with pytest.raises(CertificateError):
            read(given_data)
