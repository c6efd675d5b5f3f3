"""A key file is replaced whole or not at all, and the original stays beside it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures import keys
from tests.ssh.key_shapes import openssh_loads
from tunneldoctor.ssh import key_file
from tunneldoctor.ssh.key_file import NotReplaced
from tunneldoctor.ssh.repair import Plan, plan

as_root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    return keys.write(tmp_path / "key", keys.DAMAGES["crlf"](keys.encoded(keys.make())), 0o644)


def mended(path: Path) -> key_file.Replaced:
    before = path.read_bytes()
    return key_file.replace(path, before, plan(before))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_original_is_kept_and_both_are_for_their_owner_alone(damaged: Path, tmp_path: Path) -> None:
    before = damaged.read_bytes()
    done = mended(damaged)
    assert done.original == tmp_path / "key.orig"
    assert done.original.read_bytes() == before
    assert (mode(damaged), mode(done.original)) == (0o600, 0o600)
    assert openssh_loads(damaged.read_bytes(), None, tmp_path)
    assert names(tmp_path) == ["asked", "key", "key.orig"]


def test_no_earlier_original_is_overwritten(damaged: Path, tmp_path: Path) -> None:
    (tmp_path / "key.orig").write_text("an earlier one")
    (tmp_path / "key.orig.1").symlink_to(tmp_path / "nowhere")
    assert mended(damaged).original == tmp_path / "key.orig.2"
    assert (tmp_path / "key.orig").read_text() == "an earlier one"
    assert not (tmp_path / "nowhere").exists()


def test_a_link_stays_a_link(damaged: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link"
    link.symlink_to("../key")
    assert mended(link).original == tmp_path / "key.orig"
    assert link.is_symlink()
    assert b"\r" not in damaged.read_bytes()
    assert names(tmp_path / "elsewhere") == ["link"]


@as_root
def test_the_owner_stays_and_owns_the_original_too(damaged: Path) -> None:
    os.chown(damaged, 65534, 65534)
    done = mended(damaged)
    for path in (damaged, done.original):
        assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (65534, 65534, 0o600)


@as_root
def test_a_link_of_somebody_else_s_is_not_followed(damaged: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(damaged)
    os.lchown(link, 65534, 65534)
    with pytest.raises(NotReplaced, match="somebody else"):
        mended(link)


def test_a_file_that_has_changed_in_between_is_left_alone(damaged: Path, tmp_path: Path) -> None:
    made = plan(damaged.read_bytes())
    with pytest.raises(NotReplaced, match="changed"):
        key_file.replace(damaged, b"what it was", made)
    assert names(tmp_path) == ["key"]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"content": b"no key at all"}, "ssh-keygen does not take"), ({"public": "SHA256:another"}, "another key")],
)
def test_what_is_not_the_same_key_never_takes_its_place(
    change: dict[str, bytes | str], words: str, damaged: Path, tmp_path: Path
) -> None:
    before = damaged.read_bytes()
    made: Plan = replace(plan(before), **change)  # type: ignore[arg-type]
    with pytest.raises(NotReplaced, match=words):
        key_file.replace(damaged, before, made)
    assert damaged.read_bytes() == before
    assert names(tmp_path) == ["key"]


def test_the_proof_names_what_was_seen(damaged: Path, tmp_path: Path) -> None:
    public = plan(damaged.read_bytes()).public
    (tmp_path / "key.pub").write_text(keys.public_line(keys.make()))
    proof = mended(damaged).proof
    assert proof[:2] == ("it loads here", f"ssh-keygen reads it: {public}")
    assert "another key's" in proof[2]


def test_an_encrypted_key_is_proven_by_its_outside(tmp_path: Path) -> None:
    locked = keys.encoded(keys.make(), passphrase=keys.PASSPHRASE)
    path = keys.write(tmp_path / "key", keys.DAMAGES["crlf"](locked))
    proof = mended(path).proof
    assert "its outside is whole" in proof[0]
    assert proof[1].startswith("ssh-keygen reads it: SHA256:")
    assert openssh_loads(path.read_bytes(), keys.PASSPHRASE.encode(), tmp_path)


def test_an_encrypted_pem_key_is_not_asked_of_ssh_keygen_which_would_want_the_passphrase(tmp_path: Path) -> None:
    locked = keys.encoded(keys.make("rsa"), "pem", keys.PASSPHRASE)
    path = keys.write(tmp_path / "key", keys.DAMAGES["quoted"](locked))
    assert len(mended(path).proof) == 1
    assert openssh_loads(path.read_bytes(), keys.PASSPHRASE.encode(), tmp_path)


def test_only_the_mode_is_changed_where_only_the_mode_is_wrong(damaged: Path, tmp_path: Path) -> None:
    before = damaged.read_bytes()
    key_file.close_to_others(damaged)
    assert (mode(damaged), damaged.read_bytes(), names(tmp_path)) == (0o600, before, ["key"])
