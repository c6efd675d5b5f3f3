"""Keys in every form that other programs write, made here: each is loaded or named, as the real ssh-keygen would say.

asyncssh, openssl, ssh-keygen and dropbearkey write what cryptography does not.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from tests.ssh.key_shapes import PASSPHRASE, openssh_loads, openssl
from tunneldoctor.model import Severity
from tunneldoctor.ssh.keys import examine

WORD = PASSPHRASE.decode()
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "ssh-rsa")
CIPHERS = {
    "openssh": (
        "aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-ctr", "aes192-ctr", "aes256-ctr", "3des-cbc",
        "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com",
    ),
    "pkcs1-pem": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "des-cbc", "des3-cbc"),
    "pkcs8-pem": ("aes128-cbc", "aes192-cbc", "aes256-cbc", "blowfish-cbc", "cast128-cbc", "des-cbc", "des3-cbc"),
}  # fmt: skip
PBES1 = (("des-cbc", "md5"), ("des-cbc", "sha1"), ("des3-cbc", "sha1"), ("des2-cbc", "sha1"), ("rc4-128", "sha1"))
#: openssl writes more: ciphers that cryptography lacks and OpenSSH opens.
OPENSSL = (("-camellia256",), ("-aria256",), ("-aes-256-ctr",))


def plain() -> Iterator[tuple[str, bytes]]:
    for kind, form in itertools.product((*KINDS, "ssh-dss", "ssh-ed448"), ("openssh", "pkcs1-pem", "pkcs8-pem")):
        if form != "pkcs1-pem" or kind not in ("ssh-ed25519", "ssh-ed448"):
            yield f"{kind} {form}", asyncssh.generate_private_key(kind).export_private_key(form)


def encrypted() -> Iterator[tuple[str, bytes]]:
    kinds = {"openssh": "ssh-ed25519", "pkcs1-pem": "ecdsa-sha2-nistp256", "pkcs8-pem": "ecdsa-sha2-nistp384"}
    for form, ciphers in CIPHERS.items():
        key = asyncssh.generate_private_key(kinds[form])
        for cipher in ciphers:
            yield f"{form} {cipher}", key.export_private_key(form, WORD, cipher, rounds=1)
    for cipher, digest in PBES1:
        yield f"PBES1 {cipher} {digest}", key.export_private_key("pkcs8-pem", WORD, cipher, digest, pbe_version=1)
    for options in OPENSSL:
        password = ("-passout", f"pass:{WORD}")
        yield f"pem {options[0]}", openssl("genrsa", "-traditional", *options, *password, "2048")


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    with warnings.catch_warnings():  # one round of bcrypt is not enough, it says
        warnings.simplefilter("ignore")
        return {**dict(plain()), **dict(encrypted())}


def test_each_form_is_loaded_or_named_and_an_error_means_that_openssh_fails(
    corpus: dict[str, bytes], tmp_path: Path
) -> None:
    for name, data in corpus.items():
        found = examine(data, PASSPHRASE)
        errors = {each.code for each in found.damages if each.severity is Severity.ERROR}
        named = {each.code for each in found.damages}
        reads = openssh_loads(data, PASSPHRASE, tmp_path)
        if "ssh-dss" in name:  # ssh-keygen still reads it; no server takes it by default (OpenSSH 7.0)
            assert errors == {"key.type-unsupported"}, name
        else:
            assert reads == (not errors and "key.openssh-cannot-load" not in named), (name, named)
        assert found.key is not None or named, name


def test_a_cipher_that_only_openssl_has_is_not_called_a_wrong_passphrase(corpus: dict[str, bytes]) -> None:
    for name, data in corpus.items():
        assert "key.passphrase-wrong" not in {each.code for each in examine(data, PASSPHRASE).damages}, name


def test_a_wrong_passphrase_is_called_so_whatever_the_cipher(corpus: dict[str, bytes]) -> None:
    for name, data in corpus.items():
        if examine(data, PASSPHRASE).key is not None and examine(data).key is None:
            assert "key.passphrase-wrong" in {each.code for each in examine(data, b"wrong").damages}, name


@pytest.mark.skipif(not shutil.which("dropbearkey"), reason="dropbear is not installed")
def test_dropbear_s_own_form_is_named(tmp_path: Path) -> None:
    for kind in ("ed25519", "ecdsa", "rsa"):
        subprocess.run(["dropbearkey", "-t", kind, "-f", tmp_path / kind], check=True, capture_output=True)
        (damage,) = examine((tmp_path / kind).read_bytes()).damages
        assert damage.code == "key.not-a-key"
        assert "Dropbear" in str(damage.params["what"])
