import os
from pathlib import Path

import pytest

from tunneldoctor.config.ssh_config import Asked, Reading, read
from tunneldoctor.config.ssh_words import words


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh" / "conf.d").mkdir(parents=True)
    return tmp_path


def reading(home: Path, content: str, host: str = "orders") -> Reading:
    (home / ".ssh" / "config").write_text(content)
    return read(home / ".ssh" / "config", home, Asked(host))


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
    assert reading(home, content, host).named is named


def test_included_files_count(home: Path) -> None:
    (home / ".ssh" / "conf.d" / "a.conf").write_text("Host a\n")
    (home / "b.conf").write_text("Host b\n")
    content = f"Include conf.d/*.conf ~/b.conf {home}/absent\nHost c\n"
    assert [reading(home, content, host).named for host in ("a", "b", "c", "d")] == [True, True, True, False]


def test_an_include_in_another_hosts_block_does_not_count(home: Path) -> None:
    (home / ".ssh" / "more").write_text("Host a b\n")
    assert reading(home, "Host b\nInclude more\n", "b").named
    assert not reading(home, "Host b\nInclude more\n", "a").named


def test_a_block_that_only_ssh_can_decide_may_well_name_a_host(home: Path) -> None:
    (home / ".ssh" / "more").write_text("Host a\n")
    found = reading(home, 'Match exec "true"\nInclude more\n', "a")
    assert found.named
    assert found.fault is not None


@pytest.mark.parametrize("content", ["Include config\nHost a\n", "Include c* c*\nHost a\n"])
def test_an_include_that_includes_itself_ends(home: Path, content: str) -> None:
    found = reading(home, content, "a")
    assert found.named
    assert found.fault is not None


def test_no_file_names_nothing(home: Path) -> None:
    assert not read(home / ".ssh" / "config", home, Asked("a")).named


def test_a_pipe_in_a_files_place_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / ".ssh" / "pipe")
    assert reading(home, "Include pipe\nHost a\n", "a").named


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        ("a b\tc", ["a", "b", "c"]),
        (r"""a" b"c 'd "e' # f""", ["a bc", 'd "e']),
        (r"""\"a\\ b\ c "\d\"" """, ['"a\\', "b c", '\\d"']),
        ("a#b", ["a#b"]),
        ("''", [""]),
        ("x" * 1_000_000, ["x" * 1_000_000]),
    ],
    ids=["blanks", "quotes", "escapes", "no comment", "nothing", "long"],
)
def test_words_are_cut_as_openssh_cuts_them(line: str, cut: list[str]) -> None:
    assert words(line) == cut


@pytest.mark.parametrize("line", ['"a', "a'b", "a 'b\\'", '"' + "x" * 1_000_000])
def test_a_quote_that_is_left_open_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="invalid quotes"):
        words(line)
