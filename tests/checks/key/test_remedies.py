"""What the pages tell people to type really repairs the key, and keeps the original."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures import keys
from tests.ssh.key_shapes import SHAPES, Shape, generate, openssh_loads
from tunneldoctor.catalog import Catalog, command
from tunneldoctor.model import Value
from tunneldoctor.ssh.keys import examine
from tunneldoctor_checks import PACKAGE

CATALOG = Catalog.of([PACKAGE])
REPAIRED = (
    "crlf",
    "escaped",
    "escaped-crlf",
    "flattened",
    "flattened-with-blanks",
    "no-final-newline",
    "bom",
    "indented",
    "double-quotes",
    "single-quotes",
    "text-first",
    "name-first",
    "blanks-first",
    "zero-width-space-first",
    "trailing-blanks",
    "blank-after-begin",
    "encoded-twice",
    "utf-16",
    "utf-16-be-without-bom",
)


#: The code of each damage that repair-key undoes, and a shape or sample that has it.
MENDED: dict[str, Shape] = {
    "key.crlf-line-endings": SHAPES["crlf"],
    "key.escaped-newlines": SHAPES["escaped"],
    "key.newlines-lost": SHAPES["flattened"],
    "key.missing-final-newline": SHAPES["no-final-newline"],
    "key.stray-text": SHAPES["name-first"],
    "key.encoded-twice": SHAPES["encoded-twice"],
    "key.wrong-encoding": SHAPES["utf-16"],
    "key.truncated": SHAPES["no-end"],
    "key.not-a-key": keys.DAMAGES["der"],
    "key.putty-format": keys.DAMAGES["putty"],
    "key.sshcom-format": keys.DAMAGES["sshcom"],
    "key.cipher-unsupported": keys.DAMAGES["aes-gcm"],
    "key.openssh-cannot-load": lambda key: key,
}


def typed(template: str | None, path: Path, params: Mapping[str, Value]) -> None:
    """Run the command of a page in a shell, with this program as ``tunneldoctor``."""
    assert template is not None
    line = command(template, {"private_key": str(path), **params})
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "KEY_PASSPHRASE": keys.PASSPHRASE
    }  # fmt: skip
    subprocess.run(["sh", "-c", line], check=True, stdin=subprocess.DEVNULL, capture_output=True, env=environment)


def by_hand(code: str, path: Path, params: Mapping[str, Value]) -> None:
    step = next(step for step in CATALOG.page(code).remedy if step.text.startswith("Or by hand"))
    typed(step.command, path, params)


@pytest.mark.parametrize("code", MENDED)
def test_repair_key_does_what_the_page_says(code: str, tmp_path: Path) -> None:
    key = keys.make("rsa" if "sshcom" in code else "ed25519")
    form = "pkcs8" if code == "key.openssh-cannot-load" else "openssh"
    damaged = MENDED[code](keys.encoded(key, form))
    path = keys.write(tmp_path / "it's the key", damaged)
    passphrase = keys.PASSPHRASE.encode() if "cipher" in code else None
    assert code in [damage.code for damage in examine(damaged, passphrase).damages]
    step = next(step for step in CATALOG.page(code).remedy if step.command and "repair-key" in step.command)
    typed(step.command, path, {})
    assert Path(f"{path}.orig").read_bytes() == damaged
    assert openssh_loads(path.read_bytes(), passphrase, tmp_path)
    assert examine(path.read_bytes(), passphrase).damages == ()


def test_every_page_that_offers_repair_key_is_tried() -> None:
    offered = {page.code for page in CATALOG for step in page.remedy if "repair-key" in (step.command or "")}
    assert offered == set(MENDED)


@pytest.mark.parametrize("shape", REPAIRED)
@pytest.mark.parametrize("kind", [("ed25519",), ("rsa", "-m", "PEM")], ids=["openssh", "pem"])
def test_the_way_by_hand_repairs_the_key_and_keeps_the_original(
    shape: str, kind: tuple[str, ...], tmp_path: Path
) -> None:
    good = generate(tmp_path, "made", "-t", *kind)
    damaged = SHAPES[shape](good)
    path = tmp_path / "it's the key"
    path.write_bytes(damaged)
    path.chmod(0o600)
    for damage in examine(damaged, None).damages:
        by_hand(damage.code, path, damage.params)
        assert Path(f"{path}.original").read_bytes() == damaged
        assert path.stat().st_mode & 0o777 == 0o600
    assert openssh_loads(path.read_bytes(), None, tmp_path)
    assert examine(path.read_bytes(), None).damages == ()


def test_a_body_that_happens_to_read_end_is_not_cut_off_there(tmp_path: Path) -> None:
    """One RSA key in a hundred has those letters in its base64."""
    good = b"-----BEGIN RSA PRIVATE KEY-----\nMIIGBEGINx\nALgQUxENDZ1\nMIIG4wIB\n-----END RSA PRIVATE KEY-----\n"
    path = tmp_path / "k"
    path.write_bytes(b"\xef\xbb\xbf" + good)
    by_hand("key.stray-text", path, {})
    assert path.read_bytes() == good
