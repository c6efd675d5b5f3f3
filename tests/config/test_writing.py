"""A tunnel is added to the file, and nothing else in it changes."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunneldoctor.config import ConfigError, Configuration, load
from tunneldoctor.config.configuration import Overrides
from tunneldoctor.config.file import Document
from tunneldoctor.config.settings import Surroundings
from tunneldoctor.config.writing import add_tunnel, place_for_new

BILLING = {
    "bastion_port": "2222",
    "private_key": "file:~/.ssh/billing",
    "ssh_url": "ssh://tunnel@bastion.example.com",
    "remote_bind": "db.internal:5432",
    "keepalive": "30s",
    "via": ("ssh://jump@first", "ssh://jump@second"),
    "database_password": "env:DB_PASSWORD",
}
#: Shapes in which people write their file; the new table has to fit behind each.
SHAPES = {
    "empty": "",
    "comments only": "# nothing yet\n",
    "a table behind the tunnels": '[tunnels.a]\nadmin = "x"\n\n# of all\n[defaults]\nkeepalive = "5s"\n',
    "no end of line": '[defaults]\nkeepalive = "5s" # seconds',
    "windows": '# c\r\n[tunnels.a]\r\nadmin = "x"\r\n',
    "byte order mark": '\ufeff[tunnels.a]\nadmin = "x"\n',
    "dotted": '[tunnels]\na.admin = "x"\n',
    "inline": '[tunnels]\na = { admin = "x" }\n',
    "tables of jump hosts": '[tunnels.a]\nadmin = "x"\n[[tunnels.a.via]]\nhost = "h"\n',
    "a header in a text": '[tunnels.a]\nadmin = """\n[tunnels.billing]\n"""\n',
}


def configuration(folder: Path) -> Configuration:
    return load(None, {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}, folder)


def add(folder: Path, name: str, written: Overrides) -> Path:
    path = folder / "tunneldoctor.toml"
    add_tunnel(configuration(folder), path, name, written)
    return path


def refusal(folder: Path, name: str, written: Overrides) -> str:
    """The words; the file is as it was, and no other lies beside it."""
    path = folder / "tunneldoctor.toml"
    before = path.read_bytes() if path.exists() else None
    surroundings = Surroundings({}, folder, folder)
    with pytest.raises(ConfigError) as caught:
        add_tunnel(Configuration(Document(), surroundings), path, name, written)
    assert (path.read_bytes() if path.exists() else None) == before
    assert not [each.name for each in folder.iterdir() if each.name.startswith(".tunneldoctor")]
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_there_stays_byte_for_byte_and_the_tunnel_is_read_back(tmp_path: Path, shape: str) -> None:
    before = SHAPES[shape].encode()
    (tmp_path / "tunneldoctor.toml").write_bytes(before)
    after = add(tmp_path, "billing", BILLING).read_bytes()
    assert after.startswith(before)
    assert (b"\r\n" in after) == (b"\r\n" in before)
    assert not after.replace(b"\r\n", b"").count(b"\n") or b"\r\n" not in after
    tunnel = configuration(tmp_path).tunnel("billing", {})
    assert [str(hop.address) for hop in tunnel.hops] == ["first:22", "second:22", "bastion.example.com:2222"]
    assert (str(tunnel.remote), tunnel.keepalive) == ("db.internal:5432", 30.0)


def test_the_new_table_reads_as_somebody_would_write_it(tmp_path: Path) -> None:
    assert add(tmp_path, "billing", BILLING).read_text() == (
        "[tunnels.billing]\n"
        'ssh_url = "ssh://tunnel@bastion.example.com"\n'
        "bastion_port = 2222\n"
        'via = ["ssh://jump@first", "ssh://jump@second"]\n'
        'private_key = "file:~/.ssh/billing"\n'
        'remote_bind = "db.internal:5432"\n'
        'database_password = "env:DB_PASSWORD"\n'
        'keepalive = "30s"\n'
    )


def test_a_new_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = place_for_new(None, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "new")}, tmp_path)
    assert path == tmp_path / "new" / "tunneldoctor" / "tunneldoctor.toml"
    add_tunnel(configuration(tmp_path), path, "billing", BILLING)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_mode_of_a_file_and_a_link_to_it_stay(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "tunnels.toml"
    real.parent.mkdir()
    real.write_text("# mine\n")
    real.chmod(0o640)
    (tmp_path / "tunneldoctor.toml").symlink_to(real)
    path = add(tmp_path, "billing", BILLING)
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "[tunnels.billing]" in real.read_text()


def test_a_new_tunnel_goes_to_the_file_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").touch()
    assert place_for_new(None, {"HOME": str(tmp_path)}, tmp_path) == tmp_path / "tunneldoctor.toml"
    assert place_for_new(Path("mine.toml"), {}, tmp_path) == tmp_path / "mine.toml"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("billing", "there is a tunnel billing already"),
        ("", "needs a name"),
        ("--config", "would be taken for an option"),
        ("me@host", "a URL on the command line"),
        ("a\x1b]0;b", "can't be seen"),
        (" orders", "can't be seen"),
    ],
)
def test_a_name_that_can_not_be_used_is_refused(tmp_path: Path, name: str, words: str) -> None:
    add(tmp_path, "billing", BILLING)
    assert words in refusal(tmp_path, name, BILLING)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("bastion_port", "70000", "70000 is not a port"),
        ("keepalive", "30", "not a duration"),
        ("provider", "ibm", "must be one of aws"),
        ("no_such_key", "x", "no such key"),
    ],
)
def test_a_value_that_the_reader_refuses_is_refused_in_its_words(
    tmp_path: Path, key: str, value: str, words: str
) -> None:
    message = refusal(tmp_path, "billing", {**BILLING, key: value})
    assert message.startswith(f"{key}: ")
    assert words in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("database_password", "hunter2-Pl4nted"),
        ("bastion_password", "hunter2-Pl4nted"),
        ("private_key_passphrase", "hunter2-Pl4nted"),
        ("private_key", "-----BEGIN OPENSSH PRIVATE KEY----- hunter2-Pl4nted"),
        ("ssh_url", "ssh://me:hunter2-Pl4nted@bastion"),
        ("database", "postgresql://app:hunter2-Pl4nted@db:5432/orders"),
        ("database", "postgresql://app@db:5432/orders?password=hunter2-Pl4nted"),
        ("via", ("ssh://me:hunter2-Pl4nted@first",)),
        ("admin", "ssh://me:hunter2-Pl4nted@first"),
    ],
)
def test_a_secret_is_refused_with_what_to_write_instead_and_not_repeated(
    tmp_path: Path, key: str, value: str | tuple[str, ...]
) -> None:
    message = refusal(tmp_path, "billing", {**BILLING, key: value})
    assert message.startswith(f"{key}: ")
    assert "env:NAME, file:PATH or keyring:SERVICE/USER" in message
    assert "hunter2" not in message


def test_a_url_that_can_not_be_read_is_refused_and_not_repeated(tmp_path: Path) -> None:
    message = refusal(tmp_path, "billing", {**BILLING, "database": "postgresql://app:hunter2-Pl4nted@db:notaport/x"})
    assert message.startswith("database: ")
    assert "hunter2" not in message


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text("# broken\n\nadmin = \n")
    assert refusal(tmp_path, "billing", BILLING).startswith("tunneldoctor.toml:3:")


def test_tunnels_in_one_inline_table_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text('tunnels = { a = { admin = "x" } }\n')
    assert "add [tunnels.billing] by hand" in refusal(tmp_path, "billing", BILLING)


def test_a_folder_that_can_not_be_written_to_is_told(
    tmp_path: Path, as_nobody: Callable[[Path], AbstractContextManager[None]]
) -> None:
    with as_nobody(tmp_path):
        assert "can't be written (Permission denied)" in refusal(tmp_path, "billing", BILLING)


@settings(max_examples=60, deadline=None)
@given(name=st.text(min_size=1, max_size=30), host=st.text(max_size=40), key=st.text(max_size=40))
def test_whatever_is_typed_is_refused_or_read_back_as_it_was_typed(
    tmp_path_factory: pytest.TempPathFactory, name: str, host: str, key: str
) -> None:
    folder = tmp_path_factory.mktemp("typed")
    try:
        path = add(folder, name, {"bastion_host": host, "private_key": f"file:{key}"})
    except ConfigError:
        assert list(folder.iterdir()) == []
        return
    assert tomllib.loads(path.read_text())["tunnels"][name] == {"bastion_host": host, "private_key": f"file:{key}"}


def test_reading_a_configuration_does_not_load_what_only_writing_needs(tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text('[tunnels.a]\nssh_url = "ssh://a@b"\n')
    script = "import sys; from tunneldoctor.cli import main\ntry: main()\nfinally: print('tomlkit' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, "list", "tunnels"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "False"
