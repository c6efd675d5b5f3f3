"""A command line or a file that can't be used: one line on stderr, nothing on stdout, exit status 2."""

from pathlib import Path

import pytest

TWO = """\
[tunnels.orders]
ssh_url = "ssh://tunnel@one.example.com"
[tunnels.billing]
ssh_url = "ssh://tunnel@two.example.com"
"""

ONE = """\
[tunnels.orders]
bastion_host = "one.example.com"
bastion_username = "tunnel"
"""

HOSTS = """\
Host prod-db prod-*
  HostName bastion.example.com
Host *
  User tunnel
"""


@pytest.fixture
def refuses(program):
    """Run the program; return its one line."""

    def run(*arguments: str, status: int = 2, **variables: str) -> str:
        done = program(*arguments, **variables)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.startswith("tunneldoctor: error: ")
        assert len(done.stderr.splitlines()) == 1
        return done.stderr.removeprefix("tunneldoctor: error: ").rstrip("\n")

    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "no such command: chekc (did you mean check?)"),
        (["check", "--tiemout", "5s"], "no such option: --tiemout (did you mean --timeout"),
        (["check", "--ssh-url"], "requires an argument"),
        (["check", "--json", "--format", "junit"], "--json and --format junit exclude each other"),
        (["check", "--format", "xml"], "'xml' is not one of"),
        (["check", "--jobs", "0"], "0 is not in the range"),
        (["check", "--idle", "soon"], "'soon' is not a duration"),
        (["check", "--ssh-url", "ssh://a@b", "--timeout", "10"], "--timeout: not a duration"),
        (["check", "--ssh-url", "ssh://a@b", "--bastion-port", "ssh"], "--bastion-port: not a port"),
        (["check", "--ssh-url", "ssh://a@b", "--provider", "ibm"], "--provider: must be one of aws, azure"),
        (["check", "--ssh-url", "ssh://a@b", "--only", "dsn"], "dsn is neither a layer nor a check (did you mean dns"),
        (["check", "--ssh-url", "ssh://a@b", "--ignore", "tcp.no-such"], "--ignore: no such code: tcp.no-such"),
        (["check", "--ssh-url", "ssh://a@b", "--ignore", "tcp-timeout"], "tcp-timeout (did you mean tcp.timeout?)"),
        (["check", "--ssh-url", "ssh://a@b", "--ignore", "dns.nxdomain@"], "--ignore: no tunnel is named behind the @"),
        (["check", "--ssh-url", "ssh://a@b", "--ignore", "dns.nxdomain=soon"], "soon is no day such as 2026-12-31"),
        (["check", "--ssh-url", "ssh://a@b", "-o", "missing/report"], "can't write missing/report: No such file"),
        (["check", "--all", "orders"], "--all and names of tunnels exclude each other"),
        (["check", "--all"], "there is no tunneldoctor.toml"),
        (["check", "--config", "missing.toml"], "missing.toml: no such file"),
        (["explain", "no.such-code"], "no such code: no.such-code"),
        (["list", "chekcs"], "'chekcs' is not one of"),
        (["demo", "--fault", "fire"], "'fire' is not one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_said_in_one_line(refuses, arguments: list[str], words: str) -> None:
    assert words in refuses(*arguments)


def test_without_a_name_and_a_file_it_says_what_to_give(refuses) -> None:
    assert "write one or give --ssh-url" in refuses("check")


def test_without_a_name_several_tunnels_are_listed(refuses, tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(TWO)
    assert refuses("check") == "which tunnel? orders, billing (or --all)"


def test_an_unknown_tunnel_is_told_with_the_nearest(refuses, tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(TWO)
    assert refuses("check", "ordres").endswith("is called ordres (did you mean orders?)")


def test_what_was_ignored_until_a_day_that_has_passed_is_told_to_count_again(program, tmp_path: Path) -> None:
    ignored = ["--ignore", "dns.nxdomain=2020-01-31"]
    done = program("check", "--ssh-url", "ssh://a@b", "--only", "config", *ignored)
    assert "--ignore dns.nxdomain=2020-01-31: the day has passed, so it counts again" in done.stderr


def test_a_code_is_ignored_for_a_tunnel_of_the_file_alone(program, refuses, tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(TWO)
    ignored = ["check", "orders", "--only", "config", "--ignore", "dns.nxdomain@ordres"]
    assert refuses(*ignored) == "--ignore: no tunnel is called ordres (did you mean orders?)"
    assert program(*ignored[:-1], "dns.nxdomain@billing").stderr == ""


def test_an_unknown_host_is_told_with_the_nearest_of_ssh_config(refuses, environment) -> None:
    folder = Path(environment["HOME"]) / ".ssh"
    folder.mkdir()
    (folder / "config").write_text(HOSTS)
    assert refuses("check", "prodb").endswith("is called prodb (did you mean prod-db?)")


def test_a_host_of_ssh_config_is_a_tunnel_and_a_match_of_the_star_alone_is_not(program, refuses, environment) -> None:
    folder = Path(environment["HOME"]) / ".ssh"
    folder.mkdir()
    (folder / "config").write_text(HOSTS)
    done = program("check", "prod-db", "--only", "config", "--json")
    assert done.returncode in (0, 1, 3)
    assert '"bastion_host": "bastion.example.com"' in done.stdout
    refuses("check", "somewhere")


def test_a_url_where_a_name_belongs_is_not_repeated(refuses) -> None:
    assert "hunter2" not in refuses("check", "postgresql://app:hunter2@db/orders")


def test_options_that_name_a_bastion_are_a_tunnel_of_their_own(program, tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(ONE)
    own = program("check", "--ssh-url", "ssh://me@two.example.com", "--only", "config", "--json").stdout
    changed = program("check", "--bastion-username", "me", "--only", "config", "--json").stdout
    assert ('"tunnel": "two.example.com"' in own, '"bastion_host": "two.example.com"' in own) == (True, True)
    assert ('"tunnel": "orders"' in changed, '"bastion_username": "me"' in changed) == (True, True)


@pytest.mark.parametrize("line", ["[tunnels", "tunels = 1", 'connect_timeout = "ten"'])
def test_a_file_that_cannot_be_used_is_told_with_its_line(refuses, tmp_path: Path, line: str) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(f"[defaults]\n{line}\n")
    assert refuses("check", "orders").startswith("tunneldoctor.toml:2")
