"""Repairing a key: every shape of damage on every kind of key, held against the real ssh-keygen."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from fixtures import keys as samples
from tests.ssh.key_shapes import PASSPHRASE, SHAPES, make_keys, openssh_loads, openssl, passphrase_for
from tunneldoctor.ssh.keys import examine
from tunneldoctor.ssh.repair import Plan, plan

#: What is lost in these shapes nobody can make up.
LOST = ("a-line-lost", "half")
#: Without the passphrase nobody knows whether the inside of such a key is whole.
UNSEEN = {("pem-locked", "no-begin"), ("pem-locked", "no-end")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def keys(folder: Path) -> dict[str, bytes]:
    """Each form once; RSA where it alone has the form, for it is slow."""
    made = make_keys(folder)
    slow = ("openssh-rsa", "openssh-gcm-locked", "pkcs8-locked", "openssh-ecdsa521", "pem-ecdsa")
    return {kind: key for kind, key in made.items() if kind not in slow}


def left(made: Plan) -> list[str]:
    return [damage.code for damage in made.left]


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape not in LOST])
def test_what_is_repaired_is_read_by_openssh_as_the_same_key(shape: str, keys: dict[str, bytes], folder: Path) -> None:
    for kind, key in keys.items():
        damaged, passphrase = SHAPES[shape](key), passphrase_for(kind)
        made = plan(damaged, passphrase)
        assert made.sound, (kind, left(made))
        assert openssh_loads(damaged if made.content is None else made.content, passphrase, folder), kind
        assert made.public == examine(key, passphrase).public, kind
        assert bool(made.steps) == (made.content is not None), kind


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape not in LOST])
def test_the_text_of_an_encrypted_key_is_repaired_without_the_passphrase(
    shape: str, keys: dict[str, bytes], folder: Path
) -> None:
    for kind in (kind for kind in keys if kind.endswith("locked")):
        damaged = SHAPES[shape](keys[kind])
        made = plan(damaged)
        assert made.locked
        if (kind, shape) in UNSEEN:
            assert (made.sound, made.content) == (False, None), kind
        else:
            assert made.sound, (kind, left(made))
            assert openssh_loads(damaged if made.content is None else made.content, PASSPHRASE, folder), kind


def test_the_body_of_a_repaired_key_is_the_very_same(keys: dict[str, bytes]) -> None:
    def body(key: bytes) -> bytes:
        return b"".join(key.split(b"KEY-----")[1].split(b"-----END")[0].split())

    for kind in ("openssh-ed25519", "openssh-locked", "pem-rsa", "pkcs8-rsa"):
        content = plan(SHAPES["json"](keys[kind])).content
        assert content is not None
        assert body(content) == body(keys[kind])


def test_a_good_key_is_left_alone(keys: dict[str, bytes]) -> None:
    for kind in set(keys) - {"pkcs8-ed25519", "openssh-chacha-locked"}:
        made = plan(keys[kind], passphrase_for(kind))
        assert (made.damages, made.steps, made.content) == ((), (), None), kind


@pytest.mark.parametrize("shape", LOST)
def test_lost_bytes_are_not_made_up(shape: str, keys: dict[str, bytes]) -> None:
    for kind in ("openssh-ed25519", "pem-rsa", "pkcs8-rsa"):
        made = plan(SHAPES[shape](keys[kind]))
        assert (made.sound, made.content, left(made)) == (False, None, ["key.truncated"]), kind


@pytest.mark.parametrize("damage", ["corrupt", "empty", "not-a-key", "path", "truncated", "sshcom-locked"])
def test_what_can_t_be_repaired_is_left_and_named(damage: str) -> None:
    made = plan(samples.DAMAGES[damage](samples.encoded(samples.make())))
    assert not made.sound
    assert made.content is None
    assert left(made) == [each.code for each in made.damages] != []


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("damage", ["putty", "putty-2", "putty-locked", "der", "padding-lost", "aes-gcm"])
def test_another_form_is_converted_to_one_that_openssh_reads(kind: str, damage: str, folder: Path) -> None:
    key = samples.make(kind)
    data = samples.DAMAGES[damage](samples.encoded(key))
    locked = damage in ("putty-locked", "aes-gcm")
    made = plan(data, samples.PASSPHRASE.encode())
    assert made.sound
    assert made.locked == locked
    assert made.public == samples.fingerprint(samples.public_line(key))
    content = made.content or data
    assert openssh_loads(content, samples.PASSPHRASE.encode() if locked else None, folder)
    assert openssh_loads(content, None, folder) == (not locked)
    assert examine(content, samples.PASSPHRASE.encode()).damages == ()


def test_an_ssh_com_key_is_converted_by_ssh_keygen(folder: Path) -> None:
    key = samples.make("rsa")
    made = plan(samples.DAMAGES["sshcom"](samples.encoded(key)))
    assert made.sound
    assert made.content is not None
    assert openssh_loads(made.content, None, folder)
    assert made.public == samples.fingerprint(samples.public_line(key))


def test_a_key_that_is_damaged_and_of_another_form_is_both_mended_and_converted(folder: Path) -> None:
    pem = openssl("genpkey", "-algorithm", "ed25519")
    made = plan(SHAPES["escaped"](pem))
    assert [each.code for each in made.damages] == ["key.escaped-newlines", "key.openssh-cannot-load"]
    assert len(made.steps) == 2
    assert made.content is not None
    assert openssh_loads(made.content, None, folder)


def test_a_key_that_has_to_be_opened_stays_without_its_passphrase_or_with_a_wrong_one() -> None:
    data = samples.DAMAGES["putty-locked"](samples.encoded(samples.make()))
    assert left(plan(data)) == ["key.putty-format", "key.passphrase-missing"]
    assert left(plan(data, b"wrong")) == ["key.putty-format", "key.passphrase-wrong"]


def test_an_old_encryption_is_replaced_by_one_that_openssh_opens(folder: Path) -> None:
    word = PASSPHRASE.decode()
    plain = openssl("genpkey", "-algorithm", "ed25519")
    legacy = ("-provider", "legacy", "-provider", "default")
    old = openssl("pkcs8", "-topk8", "-v1", "PBE-MD5-DES", "-passout", f"pass:{word}", *legacy, data=plain)
    assert not openssh_loads(old, PASSPHRASE, folder)
    made = plan(old, PASSPHRASE)
    assert made.content is not None
    assert openssh_loads(made.content, PASSPHRASE, folder)
    assert not openssh_loads(made.content, None, folder)


def test_a_token_s_key_is_mended_where_only_its_text_is_damaged() -> None:
    made = plan(SHAPES["crlf"](samples.security_key()))
    assert made.sound
    assert made.content is not None
    assert b"\r" not in made.content


def test_neither_plan_nor_steps_hold_anything_of_the_key(keys: dict[str, bytes]) -> None:
    for shape in SHAPES:
        key = keys["openssh-ed25519"]
        made = plan(SHAPES[shape](key))
        shown = f"{made!r} {made.steps} {made.damages} {made.left}"
        assert base64.b64encode(b"openssh-key-v1")[:16].decode() not in shown
        assert key.splitlines()[3].decode() not in shown
