import os
import sys
import threading
import types
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tunneldoctor.config import read_secret, secrets
from tunneldoctor.config.references import TextReference
from tunneldoctor.model import Reference, Secret, SecretUnavailable


def refused(reference: Reference, environ: dict[str, str] | None = None) -> SecretUnavailable:
    with pytest.raises(SecretUnavailable) as caught:
        read_secret(reference, environ)
    assert caught.value.reference == reference
    return caught.value


def test_a_key_is_read_byte_for_byte_and_a_password_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"hunter2\r\n")
    assert read_secret(Reference("file", str(path))).reveal() == b"hunter2\r\n"
    assert read_secret(TextReference("file", str(path))).reveal() == b"hunter2"
    path.write_bytes(b"hunter2\n\n")
    assert read_secret(TextReference("file", str(path))).reveal() == b"hunter2\n"


def test_a_variable_and_the_secret_itself() -> None:
    assert read_secret(Reference("env", "KEY"), {"KEY": "a\n"}).reveal() == b"a\n"
    assert read_secret(Reference("literal", "", Secret.of("x\n"))).reveal() == b"x\n"


@pytest.mark.parametrize("name", ["", "NOT_SET"])
def test_a_variable_that_is_not_set_is_missing(name: str) -> None:
    assert refused(Reference("env", name), {}).kind == "missing"


def test_a_file_that_is_absent_is_missing(tmp_path: Path) -> None:
    assert refused(Reference("file", str(tmp_path / "no" / "file"))).kind == "missing"
    assert refused(Reference("file", "")).kind == "missing"


def test_a_pipe_a_folder_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        assert refused(Reference("file", str(path))).kind == "not-a-file"


def test_more_than_a_mebibyte_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"x" * (1024 * 1024 + 1))
    assert refused(Reference("file", str(path))).kind == "too-large"
    assert refused(Reference("env", "BIG"), {"BIG": "x" * (1024 * 1024 + 1)}).kind == "too-large"


def test_a_file_that_this_user_can_not_read_is_unreadable(
    tmp_path: Path, as_nobody: Callable[[Path], AbstractContextManager[None]]
) -> None:
    path = tmp_path / "closed"
    path.touch(mode=0)
    with as_nobody(tmp_path):
        unavailable = refused(Reference("file", str(path)))
    assert unavailable.kind == "unreadable"
    assert "Permission denied" in unavailable.reason


def test_a_name_that_is_no_path_is_unreadable() -> None:
    assert refused(Reference("file", "a\0b")).kind == "unreadable"


def test_a_store_that_is_not_known_is_unsupported() -> None:
    assert refused(Reference("vault", "kv/x")).kind == "unsupported"


def test_without_the_keyring_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    unavailable = refused(Reference("keyring", "tunnels/me"))
    assert unavailable.kind == "unsupported"
    assert "pip install 'tunneldoctor[keyring]'" in unavailable.reason


class Keyring(types.ModuleType):
    """Stands for the optional keyring library, which no test machine has a store for."""

    def __init__(self, ask: Callable[[str, str], str | None]) -> None:
        super().__init__("keyring")
        self.get_password = ask


def test_a_keyrings_entry_is_read_by_service_and_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring(lambda service, user: f"{service}|{user}"))
    assert read_secret(Reference("keyring", "a/b/me")).reveal() == b"a/b|me"


def test_a_keyring_without_the_entry_or_a_reference_without_a_user_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", Keyring(lambda service, user: None))
    assert refused(Reference("keyring", "tunnels/me")).kind == "missing"
    assert refused(Reference("keyring", "tunnels")).kind == "missing"


def test_a_keyrings_own_words_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(service: str, user: str) -> str:
        raise RuntimeError("hunter2")

    monkeypatch.setitem(sys.modules, "keyring", Keyring(fail))
    unavailable = refused(Reference("keyring", "tunnels/me"))
    assert unavailable.kind == "unreadable"
    assert "hunter2" not in unavailable.reason


def test_a_keyring_that_does_not_answer_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(secrets, "KEYRING_PATIENCE", 0.05)
    monkeypatch.setitem(sys.modules, "keyring", Keyring(lambda service, user: str(never.wait(10))))
    assert "locked" in refused(Reference("keyring", "tunnels/me")).reason
    never.set()
