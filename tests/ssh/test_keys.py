"""Examining a key's bytes: the damage is named, weighed as the real OpenSSH weighs it, and undone in memory."""

from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ssh.key_shapes import (
    PASSPHRASE,
    SHAPES,
    generate,
    make_keys,
    openssh_loads,
    openssl,
    passphrase_for,
)
from tunneldoctor.model import Severity
from tunneldoctor.ssh.keys import Examination, examine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, bytes]:
    return make_keys(folder)


def codes(examination: Examination) -> list[str]:
    return [damage.code for damage in examination.damages]


def fingerprint(key: bytes, passphrase: bytes | None, folder: Path) -> str:
    path = folder / "plain"
    path.write_bytes(key)
    path.chmod(0o600)
    command = ["ssh-keygen", "-y", "-P", (passphrase or b"").decode(), "-f", str(path)]
    public = subprocess.run(command, check=True, capture_output=True).stdout
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=public, check=True, capture_output=True)
    return shown.stdout.split()[1].decode()


@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_is_claimed_exactly_where_openssh_fails(shape: str, keys: dict[str, bytes], folder: Path) -> None:
    for kind, key in keys.items():
        data = SHAPES[shape](key)
        passphrase = passphrase_for(kind)
        examination = examine(data, passphrase)
        errors = [damage for damage in examination.damages if damage.severity is Severity.ERROR]
        claimed = not errors and "key.openssh-cannot-load" not in codes(examination)
        assert claimed == openssh_loads(data, passphrase, folder), (kind, codes(examination))


def test_every_good_key_is_loaded_without_a_word(keys: dict[str, bytes], folder: Path) -> None:
    for kind in set(keys) - {"pkcs8-ed25519", "openssh-gcm-locked", "openssh-chacha-locked"}:
        examination = examine(keys[kind], passphrase_for(kind))
        assert codes(examination) == [], kind
        assert examination.key is not None
        assert examination.key.fingerprint == fingerprint(keys[kind], passphrase_for(kind), folder)


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ("crlf", "key.crlf-line-endings"),
        ("cr", "key.crlf-line-endings"),
        ("escaped", "key.escaped-newlines"),
        ("escaped-crlf", "key.escaped-newlines"),
        ("flattened", "key.newlines-lost"),
        ("flattened-with-blanks", "key.newlines-lost"),
        ("indented", "key.stray-text"),
        ("no-final-newline", "key.missing-final-newline"),
        ("bom", "key.stray-text"),
        ("double-quotes", "key.stray-text"),
        ("single-quotes", "key.stray-text"),
        ("text-first", "key.stray-text"),
        ("en-dashes", "key.stray-text"),
        ("quoted-mail", "key.stray-text"),
        ("zero-width-space-first", "key.stray-text"),
        ("utf-16", "key.wrong-encoding"),
        ("utf-16-be-without-bom", "key.wrong-encoding"),
        ("encoded-twice", "key.encoded-twice"),
        ("no-begin", "key.truncated"),
        ("no-end", "key.truncated"),
    ],
)
def test_damage_is_named_and_undone(shape: str, code: str, keys: dict[str, bytes], folder: Path) -> None:
    for kind in ("openssh-ed25519", "openssh-rsa", "openssh-locked"):
        examination = examine(SHAPES[shape](keys[kind]), passphrase_for(kind))
        assert codes(examination) == [code], kind
        assert examination.key is not None
        assert examination.key.fingerprint == fingerprint(keys[kind], passphrase_for(kind), folder)


def test_what_json_does_to_a_key_is_named_twice_and_undone(keys: dict[str, bytes]) -> None:
    examination = examine(SHAPES["json"](keys["openssh-ed25519"]), None)
    assert set(codes(examination)) == {"key.escaped-newlines", "key.stray-text"}
    assert examination.key is not None


@pytest.mark.parametrize("shape", ["a-line-lost", "half"])
def test_a_key_cut_short_is_not_loaded(shape: str, keys: dict[str, bytes]) -> None:
    for kind in ("openssh-ed25519", "pem-rsa", "pkcs8-rsa"):
        examination = examine(SHAPES[shape](keys[kind]), None)
        assert codes(examination) == ["key.truncated"], kind
        assert examination.key is None


def test_a_line_lost_from_an_encrypted_pem_key_is_not_called_a_wrong_passphrase(keys: dict[str, bytes]) -> None:
    """Lines are whole blocks of the cipher, so what is left opens well and lacks its end."""
    cut = SHAPES["a-line-lost"](keys["pem-locked"])
    assert codes(examine(cut, PASSPHRASE)) == ["key.truncated"]
    assert codes(examine(cut, b"wrong")) == ["key.passphrase-wrong"]


def test_crlf_in_a_pem_key_is_only_a_warning(keys: dict[str, bytes]) -> None:
    (damage,) = examine(SHAPES["crlf"](keys["pem-rsa"]), None).damages
    assert (damage.code, damage.severity) == ("key.crlf-line-endings", Severity.WARNING)


def test_ed25519_in_pkcs8_is_loaded_with_a_warning(keys: dict[str, bytes]) -> None:
    examination = examine(keys["pkcs8-ed25519"], None)
    assert codes(examination) == ["key.openssh-cannot-load"]
    assert examination.key is not None
    assert examination.damages[0].severity is Severity.WARNING


def test_openssh_s_own_ciphers_are_opened_with_a_warning(keys: dict[str, bytes]) -> None:
    for kind in ("openssh-gcm-locked", "openssh-chacha-locked"):
        examination = examine(keys[kind], PASSPHRASE)
        assert codes(examination) == ["key.cipher-unsupported"], kind
        assert examination.damages[0].severity is Severity.WARNING
        assert examination.key is not None


def test_a_missing_and_a_wrong_passphrase_are_told_apart(keys: dict[str, bytes]) -> None:
    for kind in (kind for kind in keys if kind.endswith("locked")):
        assert codes(examine(keys[kind], None)) == ["key.passphrase-missing"], kind
        assert codes(examine(keys[kind], b"")) == ["key.passphrase-missing"], kind
        assert codes(examine(keys[kind], b"wrong")) == ["key.passphrase-wrong"], kind


def test_a_passphrase_with_a_line_break_is_named_and_tried_without(keys: dict[str, bytes]) -> None:
    examination = examine(keys["openssh-locked"], PASSPHRASE + b"\r\n")
    assert codes(examination) == ["key.passphrase-wrong"]
    assert "line break" in str(examination.damages[0].params["hint"])
    assert examination.key is not None


def test_a_passphrase_that_is_not_needed_does_no_harm(keys: dict[str, bytes]) -> None:
    for kind in ("openssh-ed25519", "pem-rsa", "pkcs8-rsa"):
        assert codes(examine(keys[kind], b"superfluous")) == [], kind


def test_the_public_half_of_a_locked_key_is_known(keys: dict[str, bytes], folder: Path) -> None:
    examination = examine(keys["openssh-locked"], None)
    assert examination.public == fingerprint(keys["openssh-locked"], PASSPHRASE, folder)


def flipped(key: bytes) -> Iterator[bytes]:
    """The key with one bit of each byte of its contents changed, in turn."""
    first, *body, last = key.splitlines()
    inside = base64.b64decode(b"".join(body))
    for at in range(0, len(inside), 7):
        changed = inside[:at] + bytes([inside[at] ^ 1]) + inside[at + 1 :]
        yield b"\n".join([first, base64.b64encode(changed), last, b""])


def test_a_changed_bit_is_found_and_never_escapes_as_another_exception(keys: dict[str, bytes]) -> None:
    named = set()
    for key in flipped(keys["openssh-ed25519"]):
        examination = examine(key, None)
        assert examination.key is None or codes(examination) == []  # the comment may change unnoticed
        named.update(codes(examination))
    assert "key.corrupt" in named
    assert named <= {"key.corrupt", "key.truncated", "key.type-unsupported", "key.cipher-unsupported"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "key.empty"),
        (b" \n\t\r\n", "key.empty"),
        (b"\xef\xbb\xbf\n", "key.empty"),
        (b"PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n", "key.putty-format"),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: aes256-cbc\r\n", "key.putty-format"),
        (b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAA\n", "key.sshcom-format"),
        (b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "key.public-key-given"),
        (b"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n", "key.public-key-given"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "key.not-a-key"),
        (b"~/.ssh/id_ed25519\n", "key.path-given"),
        (b"C:\\Users\\me\\key.pem", "key.path-given"),
        (b"/run/secrets/key", "key.path-given"),
        (b"hunter2", "key.not-a-key"),
        (b"<html><body>404</body></html>", "key.not-a-key"),
        (b'{"error": "not found"}', "key.not-a-key"),
        (bytes(range(256)), "key.not-a-key"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "key.not-a-key"),
        (b"x" * 2_000_000, "key.not-a-key"),
    ],
)
def test_what_is_no_private_key_is_called_what_it_is(data: bytes, code: str) -> None:
    examination = examine(data, None)
    assert codes(examination) in ([code], ["key.stray-text", code])  # a byte-order mark in front of nothing
    assert examination.key is None


def test_a_key_in_binary_is_loaded_and_what_only_looks_like_one_is_not(folder: Path) -> None:
    for options in (
        ("-algorithm", "rsa"),
        ("-algorithm", "ed25519"),
        ("-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"),
    ):
        pem = openssl("genpkey", *options)
        found = examine(openssl("pkey", "-outform", "DER", data=pem))
        assert codes(found) == ["key.not-a-key"] or codes(found) == ["key.not-a-key", "key.openssh-cannot-load"]
        assert found.public == examine(pem).public
    request = (
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=x",
        "-outform",
        "DER",
        "-keyout",
        "/dev/null",
    )
    for data in (openssl(*request), b"\x30\x82\x01\x00\x02\x01\x00\x02\x01\x00" + bytes(250)):
        found = examine(data)
        assert (codes(found), found.key) == (["key.not-a-key"], None)


def test_lost_padding_is_put_back(keys: dict[str, bytes]) -> None:
    padded = 0
    for kind, key in keys.items():
        found = examine(key.replace(b"=", b""), passphrase_for(kind))
        assert found.public == examine(key, passphrase_for(kind)).public
        if b"=" in key:
            padded += 1
            assert codes(found)[0] == "key.truncated", kind
            assert "padding" in str(found.damages[0].params["missing"])
    assert padded > 3


def test_a_key_without_comment_that_needs_no_padding_is_loaded(folder: Path) -> None:
    """Half of the ECDSA keys without comment are such: paramiko alone can't read them."""
    for number in range(6):
        found = examine(generate(folder, f"bare{number}", "-t", "ecdsa", "-C", ""))
        assert (codes(found), found.key is None) == ([], False)


def test_an_ecdsa_key_whose_halves_do_not_belong_together_is_corrupt(keys: dict[str, bytes]) -> None:
    """cryptography does not compare them, and every signature would fail."""
    first, *body, last = keys["openssh-ecdsa"].splitlines()
    inside = bytearray(base64.b64decode(b"".join(body)))
    inside[-25] ^= 1  # in the private number: behind it are a comment of 4 letters with its length, and the padding
    found = examine(b"\n".join([first, base64.b64encode(bytes(inside)), last, b""]))
    assert (codes(found), found.key) == (["key.corrupt"], None)


@pytest.mark.parametrize("rounds", [2**31, 2**32 - 1])
def test_a_key_that_asks_for_endless_rounds_is_named_at_once(rounds: int, keys: dict[str, bytes]) -> None:
    first, *body, last = keys["openssh-locked"].splitlines()
    blob = base64.b64decode(b"".join(body))
    at = blob.index(b"bcrypt") + 6 + 4 + 4 + 16
    blob = blob[:at] + rounds.to_bytes(4, "big") + blob[at + 4 :]
    (damage,) = examine(b"\n".join([first, base64.b64encode(blob), last, b""]), PASSPHRASE).damages
    assert (damage.code, damage.severity) == ("key.cipher-unsupported", Severity.ERROR)
    assert f"{rounds} rounds" in str(damage.params["cipher"])


def test_more_rounds_than_there_is_time_for_are_no_fault_of_the_key(folder: Path) -> None:
    key = generate(folder, "slow", "-t", "ed25519", "-a", "100", passphrase=PASSPHRASE.decode())
    found = examine(key, PASSPHRASE, patience=0.5)
    assert [(each.code, each.severity) for each in found.damages] == [("key.cipher-unsupported", Severity.WARNING)]
    assert found.key is None
    assert examine(key, PASSPHRASE).key is not None


def _der(tag: int, *contents: bytes) -> bytes:
    inside = b"".join(contents)
    size = bytes([len(inside)]) if len(inside) < 128 else b"\x82" + len(inside).to_bytes(2, "big")
    return bytes([tag]) + size + inside


def _number(number: int) -> bytes:
    return _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


@pytest.mark.parametrize(
    ("derivation", "parameters", "words"),
    [
        ("2a864886f70d01050c", (2**32 - 1,), "4294967295 rounds"),  # PBKDF2
        ("2b06010401da47040b", (2**22, 8, 1), "scrypt with 4096 MiB"),
    ],
)
def test_pkcs8_that_asks_for_too_much_is_named_at_once(
    derivation: str, parameters: tuple[int, ...], words: str
) -> None:
    costs = _der(0x30, _der(4, bytes(8)), *map(_number, parameters))
    how = _der(0x30, _der(6, bytes.fromhex(derivation)), costs)
    cipher = _der(0x30, _der(6, bytes.fromhex("60864801650304012a")), _der(4, bytes(16)))  # AES-256-CBC
    scheme = _der(0x30, _der(6, bytes.fromhex("2a864886f70d01050d")), _der(0x30, how, cipher))  # PBES2
    body = base64.encodebytes(_der(0x30, scheme, _der(4, bytes(160))))
    key = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + body + b"-----END ENCRYPTED PRIVATE KEY-----\n"
    (damage,) = examine(key, PASSPHRASE).damages
    assert (damage.code, damage.severity) == ("key.cipher-unsupported", Severity.ERROR)
    assert words in str(damage.params["cipher"])


def test_contents_that_are_no_key_are_never_shown() -> None:
    assert "hunter2" not in str(examine(b"hunter2", None).damages)


def test_a_public_key_is_shown_by_its_fingerprint(keys: dict[str, bytes], folder: Path) -> None:
    (damage,) = examine((folder / "a.pub").read_bytes(), None).damages
    assert damage.code == "key.public-key-given"
    assert damage.params["fingerprint"] == fingerprint(keys["openssh-ed25519"], None, folder)


def test_a_certificate_in_the_key_s_place_is_named(keys: dict[str, bytes], folder: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-s", "b", "-I", "x", "-n", "u", "a.pub"], cwd=folder, check=True)
    assert codes(examine((folder / "a-cert.pub").read_bytes(), None)) == ["key.certificate-given"]
    (folder / "a-cert.pub").unlink()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ecparam", "-name", "secp256k1", "-genkey", "-noout"), "key.type-unsupported"),
        (("genpkey", "-algorithm", "ed448"), "key.type-unsupported"),
        (("genpkey", "-algorithm", "x25519"), "key.type-unsupported"),
        (("genrsa", "-traditional", "512"), "key.too-short"),
    ],
)
def test_keys_that_openssh_refuses_are_errors(arguments: tuple[str, ...], code: str, folder: Path) -> None:
    key = openssl(*arguments)
    examination = examine(key, None)
    assert codes(examination) == [code]
    assert examination.damages[0].severity is Severity.ERROR
    assert not openssh_loads(key, None, folder)


def test_a_short_rsa_key_is_loaded_with_a_warning(folder: Path) -> None:
    examination = examine(generate(folder, "short", "-t", "rsa", "-b", "1024"), None)
    assert codes(examination) == ["key.too-short"]
    assert examination.damages[0].severity is Severity.WARNING
    assert examination.key is not None


def test_a_dsa_key_is_of_no_use() -> None:
    parameters = openssl("dsaparam", "1024")
    key = openssl("gendsa", "/dev/stdin", data=parameters)
    assert codes(examine(key, None)) == ["key.type-unsupported"]


def test_a_security_key_is_named() -> None:
    def field(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    public = field(b"sk-ssh-ed25519@openssh.com") + field(bytes(32)) + field(b"ssh:")
    private = bytes(8) + public + b"\x01" + field(b"handle") + field(b"") + field(b"comment")
    private += bytes(range(1, 9 - len(private) % 8)) if len(private) % 8 else b""
    inside = b"openssh-key-v1\0" + field(b"none") * 2 + field(b"") + b"\0\0\0\1" + field(public) + field(private)
    key = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(inside) + b"-----END OPENSSH PRIVATE KEY-----\n"
    (damage,) = examine(key, None).damages
    assert damage.code == "key.security-key"
    assert damage.params["type"] == "sk-ssh-ed25519@openssh.com"


def test_the_representation_of_an_examination_holds_no_key(keys: dict[str, bytes]) -> None:
    examination = examine(SHAPES["crlf"](keys["openssh-ed25519"]), None)
    assert "PRIVATE KEY" not in repr(examination)


def test_a_short_initialisation_vector_is_no_panic(keys: dict[str, bytes]) -> None:
    cut = re.sub(rb"(DEK-Info: AES-128-CBC,[0-9A-F]{20})[0-9A-F]*", rb"\1", keys["pem-locked"])
    assert codes(examine(cut, PASSPHRASE)) == ["key.corrupt"]


def test_a_curve_point_in_another_form_is_no_exception(keys: dict[str, bytes]) -> None:
    first, *body, last = keys["openssh-ecdsa"].splitlines()
    inside = base64.b64decode(b"".join(body)).replace(b"\0\0\0\x41\x04", b"\0\0\0\x41\x02")
    assert codes(examine(b"\n".join([first, base64.b64encode(inside), last, b""]))) == ["key.corrupt"]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.binary(max_size=400), passphrase=st.none() | st.binary(max_size=8))
def test_no_bytes_whatever_raise_an_exception(data: bytes, passphrase: bytes | None) -> None:
    assert examine(data, passphrase).damages


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["openssh-ed25519", "openssh-ecdsa", "pem-rsa", "pem-ecdsa", "pkcs8-rsa", "pem-locked"]),
    cuts=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), min_size=1, max_size=4),
)
def test_no_mutation_of_a_key_raises_an_exception(
    kind: str, cuts: list[tuple[int, bytes]], keys: dict[str, bytes]
) -> None:
    data = keys[kind]
    for at, new in cuts:
        data = data[:at] + new + data[at + len(new) + 1 :]
    examination = examine(data, passphrase_for(kind))
    assert examination.damages or examination.key


@settings(max_examples=300, deadline=None)
@given(inside=st.binary(max_size=300), label=st.sampled_from(["OPENSSH ", "RSA ", "EC ", "", "ENCRYPTED "]))
def test_no_contents_of_an_envelope_raise_an_exception(inside: bytes, label: str) -> None:
    start = b"openssh-key-v1\0" if label == "OPENSSH " else b"\x30\x82\x01\x00"
    body = base64.encodebytes(start + inside)
    key = f"-----BEGIN {label}PRIVATE KEY-----\n".encode() + body + f"-----END {label}PRIVATE KEY-----\n".encode()
    assert examine(key, b"x").damages
