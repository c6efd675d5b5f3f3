"""PuTTY's key files: as puttygen writes them where it is installed, else as the manual says that they are written."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import subprocess
from pathlib import Path

import pytest

from fixtures import keys
from tunneldoctor.model import Severity
from tunneldoctor.ssh.keys import Examination, examine

PASSPHRASE = keys.PASSPHRASE


def codes(found: Examination) -> list[str]:
    return [damage.code for damage in found.damages]


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa", "ecdsa384", "ecdsa521"])
@pytest.mark.parametrize("version", [2, 3])
def test_each_kind_is_named_and_opened(kind: str, version: int) -> None:
    key = keys.make(kind)
    public = keys.fingerprint(keys.public_line(key))
    for passphrase in ("", PASSPHRASE):
        found = examine(keys.putty(key, version, passphrase), passphrase.encode() or None)
        assert codes(found) == ["key.putty-format"]
        assert found.key is not None
        assert found.public == found.key.fingerprint == public


@pytest.mark.skipif(not shutil.which("puttygen"), reason="puttygen is not installed")
@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_what_puttygen_itself_writes_is_opened(kind: str, tmp_path: Path) -> None:
    path = keys.write(tmp_path / "key", keys.encoded(keys.make(kind)))
    public = examine(path.read_bytes()).public
    (tmp_path / "word").write_text(PASSPHRASE)
    for version in ("2", "3"):
        for locked in ([], ["--new-passphrase", str(tmp_path / "word")]):
            made = ["-O", "private", "-o", str(tmp_path / "made"), "--ppk-param", f"version={version}"]
            subprocess.run(["puttygen", path, *made, *locked], check=True, capture_output=True)
            found = examine((tmp_path / "made").read_bytes(), PASSPHRASE.encode())
            assert (codes(found), found.public) == (["key.putty-format"], public)
            assert found.key is not None


def test_a_passphrase_that_is_missing_or_wrong_is_said_on_top() -> None:
    for version in (2, 3):
        file = keys.putty(keys.make(), version, PASSPHRASE)
        assert codes(examine(file)) == ["key.putty-format", "key.passphrase-missing"]
        assert codes(examine(file, b"wrong")) == ["key.putty-format", "key.passphrase-wrong"]
        assert examine(file).public == examine(file, PASSPHRASE.encode()).public


def test_a_comment_in_another_alphabet_and_windows_line_ends_do_no_harm() -> None:
    """PuTTY on Windows writes the comment in the system's code page, and the checksum covers it."""
    lines = keys.putty(keys.make(), 2).replace(b"Comment: lab", b"Comment: sch\xfcssel").splitlines()
    top, bottom = lines.index(b"Public-Lines: 2"), lines.index(b"Private-Lines: 1")
    public, private = base64.b64decode(b"".join(lines[top + 1 : top + 3])), base64.b64decode(lines[bottom + 1])
    parts = (b"ssh-ed25519", b"none", b"sch\xfcssel", public, private)
    signed = b"".join(len(each).to_bytes(4, "big") + each for each in parts)
    mac_key = hashlib.sha1(b"putty-private-key-file-mac-key").digest()
    lines[-1] = b"Private-MAC: " + hmac.new(mac_key, signed, "sha1").hexdigest().encode()
    found = examine(b"\r\n".join([*lines, b""]))
    assert codes(found) == ["key.putty-format"]
    assert found.key is not None


def test_a_changed_character_is_corruption_and_a_lost_end_a_mere_putty_file() -> None:
    file = keys.putty(keys.make())
    comment = file.replace(b"Comment: lab", b"Comment: bal")
    assert codes(examine(comment)) == ["key.putty-format", "key.corrupt"]
    assert codes(examine(file[: len(file) // 2])) == ["key.putty-format"]


def test_memory_and_passes_without_end_are_named_at_once() -> None:
    for argon2, words in (((4 * 1024 * 1024, 13, 1), "4096 MiB"), ((1024 * 1024, 2**31, 1), "2147483648 passes")):
        file = keys.putty(keys.make(), 3, PASSPHRASE, (1024 * 1024 + 1, *argon2[1:]))
        file = file.replace(b"Argon2-Memory: 1048577", b"Argon2-Memory: %d" % argon2[0])
        found = examine(file, PASSPHRASE.encode())
        assert codes(found) == ["key.putty-format", "key.cipher-unsupported"]
        assert found.damages[1].severity is Severity.ERROR
        assert words in str(found.damages[1].params["cipher"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Argon2id", b"Argon9"),
        (b"Argon2-Parallelism: 1", b"Argon2-Parallelism: 0"),
        (b"Argon2-Memory: 8192", b"Argon2-Memory: 0"),
        (b"Argon2-Salt: 61", b"Argon2-Salt: zz"),
        (b"Argon2-Passes: 13", b"Argon2-Passes: 0"),
    ],
)
def test_a_derivation_that_can_t_be_is_corruption(old: bytes, new: bytes) -> None:
    file = keys.putty(keys.make(), 3, PASSPHRASE)
    assert old in file
    assert codes(examine(file.replace(old, new), PASSPHRASE.encode())) == ["key.putty-format", "key.corrupt"]
