import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tunneldoctor.config import ConfigError, Configuration, load

Write = Callable[..., Configuration]
AsNobody = Callable[[Path], AbstractContextManager[None]]


def refusal(write: Write, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        write(text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_a_file_the_configuration_is_empty(tmp_path: Path) -> None:
    empty = load(None, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}, tmp_path)
    assert empty.names() == ()
    assert empty.path is None


def test_the_option_wins_over_the_variable_the_folder_and_the_users_own(tmp_path: Path) -> None:
    own = tmp_path / "xdg" / "tunneldoctor"
    own.mkdir(parents=True)
    places = [tmp_path / "option.toml", tmp_path / "variable.toml", tmp_path / "tunneldoctor.toml"]
    places.append(own / "tunneldoctor.toml")
    for place in places:
        place.write_text(f"[tunnels.{place.parent.name if place.parent == own else place.stem}]\n")
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    variable = {**environ, "TUNNELDOCTOR_CONFIG": "variable.toml"}
    assert load(Path("option.toml"), variable, tmp_path).names() == ("option",)
    assert load(None, variable, tmp_path).names() == ("variable",)
    assert load(None, environ, tmp_path).path == places[2]
    places[2].unlink()
    assert load(None, environ, tmp_path).path == places[3]


def test_a_file_that_is_named_but_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^absent\.toml: no such file"):
        load(Path("absent.toml"), {}, tmp_path)
    with pytest.raises(ConfigError, match=r"^gone\.toml: no such file"):
        load(None, {"TUNNELDOCTOR_CONFIG": "gone.toml"}, tmp_path)


def test_a_folder_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(ConfigError, match=r"not a file|a folder"):
            load(Path(name), {}, tmp_path)


def test_a_file_that_this_user_can_not_read_is_refused(tmp_path: Path, as_nobody: AsNobody) -> None:
    (tmp_path / "tunneldoctor.toml").touch(mode=0)
    with (
        as_nobody(tmp_path),
        pytest.raises(ConfigError, match=r"tunneldoctor\.toml: can't be read \(Permission denied\)"),
    ):
        load(None, {}, tmp_path)


def test_a_folder_that_this_user_can_not_enter_has_no_configuration(tmp_path: Path, as_nobody: AsNobody) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with as_nobody(tmp_path):
        assert load(None, {"XDG_CONFIG_HOME": str(closed)}, closed).path is None


def test_what_is_not_toml_is_told_by_line_and_column(write: Write) -> None:
    assert refusal(write, "[defaults]\nbastion_port 22\n").startswith("tunneldoctor.toml:2:14: not TOML: ")


def test_deeply_nested_toml_is_refused_like_any_other_fault(write: Write) -> None:
    assert "TOML" in refusal(write, "a = " + "[" * 100_000)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[defaults]\n".encode("utf-16"), "saved as UTF-16"),
        (b'[defaults]\nbastion_host = "\xff"\n', ":2: byte 0xff is not UTF-8"),
        (b"#" * (1024 * 1024 + 1), "over 1 MiB"),
        (b'[defaults]\nbastion_host = "a\0b"\n', ":2:18: not TOML: illegal character '\\\\x00'"),
        (b'[defaults]\nprovider = "aws"\nprovider = "gcp"\n', ":3:17: not TOML: this key is there a second time"),
    ],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "tunneldoctor.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load(None, {}, tmp_path)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_bytes(b"\xef\xbb\xbf[tunnels.a]\r\nbastion_host = 'b'\r\n")
    assert load(None, {}, tmp_path).tunnel("a", {}).bastion.host == "b"


@pytest.mark.parametrize(
    ("text", "start", "words"),
    [
        ("[tunnels.a]\n\nbastion_hots = 'x'", ":3: ", "did you mean bastion_host?"),
        ("[default]\n", ":1: ", "did you mean defaults?"),
        ("[defaults]\n[tunnel.a]\nprovider = 'aws'", ":2: ", "unknown key 'tunnel' (did you mean tunnels?)"),
        ("bastion_host = 'x'", ":1: ", "write it under [defaults] or [tunnels.NAME]"),
        ("[tunnels.a]\nbastion_port = '22'", ":2: ", "bastion_port: must be a number without quotes"),
        ("[tunnels.a]\nbastion_port = true", ":2: ", "must be a number"),
        ("[tunnels.a]\nbastion_port = 99999", ":2: ", "99999 is not a port: write a number from 1 to 65535"),
        ("[tunnels.a]\nbastion_port = 0", ":2: ", "from 1 to 65535"),
        ("[tunnels.a]\nlocal_port = -1", ":2: ", "from 0 to 65535"),
        ('[defaults]\nconnect_timeout = "10 parsecs"', ":2: ", "connect_timeout: not a duration: write a number and"),
        ("[defaults]\nconnect_timeout = 10", ":2: ", "must be a duration in quotes"),
        ('[defaults]\nconnect_timeout = "0s"', ":2: ", "more than nothing"),
        ("[defaults]\nbastion_host = 5", ":2: ", "must be text in quotes"),
        ("[defaults]\nvia = 5", ":2: ", "must be a list of ssh:// URLs or tables"),
        ("[defaults]\nhost_key = [5]", ":2: ", "must be text in quotes, or a list of such"),
        ('[defaults]\nprovider = "gcloud"', ":2: ", "must be one of aws, azure, gcp, onprem"),
        ("[tunnels.a]\nvia = [\n{ ssh_rul = 'ssh://x' }]", ":2: ", "did you mean ssh_url?"),
        ("[[tunnels.a.via]]\nport = 'x'", ":2: ", "port: must be a number"),
        ("tunnels = 5", ":1: ", "tunnels must be a table"),
        ("[tunnels]\na = 5", ":2: ", "tunnels.a must be a table"),
    ],
)
def test_what_can_not_be_used_is_told_with_file_line_and_remedy(
    write: Write, text: str, start: str, words: str
) -> None:
    message = refusal(write, text)
    assert message.startswith("tunneldoctor.toml" + start)
    assert words in message


def test_a_wrong_value_is_not_repeated(write: Write) -> None:
    assert "hunter2" not in refusal(write, "[tunnels.a]\nbastion_password = ['hunter2']")
    assert "hunter2" not in refusal(write, "[tunnels.a]\nconnect_timeout = 'hunter2'")
