"""What the pages tell people to type really repairs the key, and keeps the original."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ssh.key_shapes import SHAPES, generate, openssh_loads
from tunneldoctor.catalog import Catalog, command
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


def first_remedy(code: str, path: Path, params: dict[str, object]) -> None:
    template = CATALOG.page(code).remedy[0].command
    assert template is not None
    line = command(template, {"private_key": str(path), **params})
    subprocess.run(["sh", "-c", line], check=True, stdin=subprocess.DEVNULL, capture_output=True)


@pytest.mark.parametrize("shape", REPAIRED)
@pytest.mark.parametrize("kind", [("ed25519",), ("rsa", "-m", "PEM")], ids=["openssh", "pem"])
def test_the_first_remedy_repairs_the_key_and_keeps_the_original(
    shape: str, kind: tuple[str, ...], tmp_path: Path
) -> None:
    good = generate(tmp_path, "made", "-t", *kind)
    damaged = SHAPES[shape](good)
    path = tmp_path / "it's the key"
    path.write_bytes(damaged)
    path.chmod(0o600)
    for damage in examine(damaged, None).damages:
        first_remedy(damage.code, path, dict(damage.params))
        assert Path(f"{path}.original").read_bytes() == damaged
        assert path.stat().st_mode & 0o777 == 0o600
    assert openssh_loads(path.read_bytes(), None, tmp_path)
    assert examine(path.read_bytes(), None).damages == ()


def test_a_body_that_happens_to_read_end_is_not_cut_off_there(tmp_path: Path) -> None:
    """One RSA key in a hundred has those letters in its base64."""
    good = b"-----BEGIN RSA PRIVATE KEY-----\nMIIGBEGINx\nALgQUxENDZ1\nMIIG4wIB\n-----END RSA PRIVATE KEY-----\n"
    path = tmp_path / "k"
    path.write_bytes(b"\xef\xbb\xbf" + good)
    first_remedy("key.stray-text", path, {})
    assert path.read_bytes() == good


def test_a_key_that_old_openssh_cannot_load_is_rewritten_by_the_second_remedy(tmp_path: Path) -> None:
    path = tmp_path / "k"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True)
    path.chmod(0o600)
    template = CATALOG.page("key.openssh-cannot-load").remedy[1].command
    assert template is not None
    line = command(template, {"private_key": str(path)}).replace("python3", sys.executable)
    subprocess.run(["sh", "-c", line], check=True)
    converted = Path(f"{path}.openssh")
    assert converted.stat().st_mode & 0o777 == 0o600
    assert openssh_loads(converted.read_bytes(), None, tmp_path)
