from pathlib import Path

import pytest

from tunneldoctor.config.ssh_config import SshConfigText


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh" / "conf.d").mkdir(parents=True)
    return tmp_path


def text(home: Path, content: str) -> SshConfigText:
    (home / ".ssh" / "config").write_text(content)
    return SshConfigText(home / ".ssh" / "config", home)


@pytest.mark.parametrize(
    ("content", "host", "named"),
    [
        ("Host orders\n", "orders", True),
        ("host=orders other # x\n", "other", True),
        ('Host "orders"\n', "orders", True),
        ("Host *.corp\n", "db.corp", True),
        ("Host db?\n", "db1", True),
        ("Host *\n", "orders", False),
        ("Host * !x\n", "orders", False),
        ("Host ?* **\n", "orders", False),
        ("Host *.corp !db.corp\n", "db.corp", False),
        ("Host ord[e]rs\n", "orders", False),
        ("Match host orders\n", "orders", False),
        ("# Host orders\n", "orders", False),
        ("HostName orders\n", "orders", False),
        ("Host orders\\\n", "x", False),
        ('Host "orders\n', "orders", False),
    ],
)
def test_a_host_is_named_by_more_than_wildcards(home: Path, content: str, host: str, named: bool) -> None:
    assert text(home, content).names(host) is named


def test_included_files_count(home: Path) -> None:
    (home / ".ssh" / "conf.d" / "a.conf").write_text("Host a\n")
    (home / "b.conf").write_text("Host b\n")
    config = text(home, f"Include conf.d/*.conf ~/b.conf {home}/absent\nHost c\n")
    assert [config.names(host) for host in ("a", "b", "c", "d")] == [True, True, True, False]


def test_an_include_in_another_hosts_block_does_not_count(home: Path) -> None:
    (home / ".ssh" / "more").write_text("Host a b\n")
    config = text(home, "Host b\nInclude more\n")
    assert config.names("b")
    assert not config.names("a")


def test_an_include_that_includes_itself_ends(home: Path) -> None:
    config = text(home, "Include config\nInclude config\nHost a\n")
    assert config.names("a")
    assert not config.names("b")


def test_the_flat_text_keeps_what_follows_an_include_in_its_block(home: Path) -> None:
    (home / ".ssh" / "more").write_text("Port 2200\nHost x\nPort 1\n")
    flat = text(home, "Host a\nInclude more\nUser me\n").flat("a")
    assert flat.splitlines() == ["Host a", "Port 2200", "Host x", "Port 1", "Host a", "User me"]


def test_no_file_names_nothing(home: Path) -> None:
    assert not SshConfigText(home / ".ssh" / "config", home).names("a")
