from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tunneldoctor.config import ConfigError, Configuration
from tunneldoctor.model import Problem, Provider, Reference, Severity, Tunnel

OWN, OTHER = "SHA256:" + "o" * 43, "SHA256:" + "t" * 43
Build = Callable[..., Tunnel]
Write = Callable[..., Configuration]
Only = Callable[[Tunnel], Problem]


def codes(tunnel: Tunnel) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.hop, problem.key) for problem in tunnel.problems]


def test_a_complete_tunnel_has_no_problem_and_says_where_each_value_came_from(tunnel: Build) -> None:
    built = tunnel(keepalive='"30s"', provider='"aws"', idle_hold='"10m"')
    assert built.problems == ()
    assert (built.keepalive, built.idle_hold, built.provider) == (30, 600, Provider.AWS)
    assert str(built.origin("bastion_host")) == "tunneldoctor.toml:2"
    assert str(built.origin("remote_bind")) == "tunneldoctor.toml:4"
    assert str(built.origin("connect_timeout")) == "default"


def test_options_win_over_the_tunnel_and_the_tunnel_over_the_defaults(write: Write) -> None:
    text = """
        [defaults]
        bastion_username = "default"
        bastion_port = 2200
        connect_timeout = "5s"
        [tunnels.a]
        ssh_url = "ssh://own@bastion"
        private_key = "k"
        remote_bind = "db:1"
    """
    built = write(text).tunnel("a", {"bastion_port": "2201", "connect_timeout": "2s"})
    assert (built.bastion.username, built.bastion.port, built.connect_timeout) == ("own", 2201, 2.0)
    assert str(built.origin("bastion_port")) == "--bastion-port"
    assert str(built.origin("connect_timeout")) == "--timeout"


def test_the_nearer_place_wins_part_by_part(write: Write) -> None:
    text = '[tunnels.a]\nssh_url = "ssh://own@bastion:2200"\nprivate_key = "k"\nremote_bind = "db:1"'
    built = write(text).tunnel("a", {"bastion_host": "other"})
    assert (built.bastion.host, built.bastion.port, built.bastion.username) == ("other", 2200, "own")
    assert built.problems == ()


def test_url_and_fields_of_one_place_may_agree(tunnel: Build) -> None:
    built = tunnel(bastion_host='"BASTION.example.com"', bastion_port="2222", bastion_username='"tunnel"')
    assert built.problems == ()
    assert built.bastion.port == 2222


@pytest.mark.parametrize(
    ("field", "value"), [("bastion_host", '"other"'), ("bastion_port", "23"), ("bastion_username", '"Tunnel"')]
)
def test_url_and_fields_of_one_place_that_disagree_are_not_guessed_at(
    tunnel: Build, only_problem: Only, field: str, value: str
) -> None:
    built = tunnel(ssh_url='"ssh://tunnel@bastion.example.com:22"', **{field: value})
    problem = only_problem(built)
    assert problem.code == "config.bad-ssh-url"
    assert f"{field} (tunneldoctor.toml:5) do not agree" in problem.params["reason"]
    assert built.bastion.host is None or built.bastion.username is None


def test_a_url_that_can_not_be_read_is_one_problem_whatever_the_defaults_say(write: Write, only_problem: Only) -> None:
    text = """
        [defaults]
        bastion_host = "another"
        [tunnels.a]
        ssh_url = "ssh://me@corp@bastion"
        private_key = "k"
        remote_bind = "db:1"
    """
    built = write(text).tunnel("a", {})
    assert only_problem(built).params["part"] == "user"
    assert (built.bastion.host, built.bastion.username) == (None, None)


@pytest.mark.parametrize(
    "value",
    [
        '"ssh://u:hunter2@bastion"',
        '"hunter2@bastion"',
        '"bastion:2222"',
        '"bastion/"',
        '"a..b"',
        '"ba#d"',
        '"256.1.1.1"',
        '"10.0.0.1.5"',
        '"127.0.0.1."',
        '"-oProxyCommand=x"',
        f'"{"x" * 10_000}"',
        f'"{"x." * 5_000}com"',
    ],
    ids=lambda value: value[:20],
)
def test_what_does_not_belong_into_a_host_is_said(tunnel: Build, only_problem: Only, value: str) -> None:
    built = tunnel(ssh_url=None, bastion_host=value, bastion_username='"tunnel"')
    assert only_problem(built).code == "config.bad-ssh-url"
    assert built.bastion.host is None
    assert "hunter2" not in repr(built)
    assert len(only_problem(built).params["reason"]) < 300


@pytest.mark.parametrize(
    "host",
    ["127.1", "0x7f.1", "2130706433", "fe80::1%eth0", "::ffff:10.0.0.1", "bücher.example", "xn--bcher-kva.example"],
)
def test_what_getaddrinfo_takes_is_a_host(tunnel: Build, host: str) -> None:
    built = tunnel(ssh_url=None, bastion_host=f'"{host}"', bastion_username='"tunnel"')
    assert (built.problems, built.bastion.host) == ((), host)


def test_an_ipv6_address_may_stand_in_brackets(tunnel: Build) -> None:
    built = tunnel(ssh_url=None, bastion_host='"[::1]"', bastion_username='"tunnel"')
    assert (built.bastion.host, built.problems) == ("::1", ())


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ("ssh_url", [("bastion", "bastion_host"), ("bastion", "bastion_username")]),
        ("private_key", [("bastion", "private_key")]),
        ("remote_bind", [("bastion", "remote_bind")]),
    ],
)
def test_each_field_that_is_missing_is_a_problem(tunnel: Build, without: str, missing: list[tuple[str, str]]) -> None:
    keys: Mapping[str, Any] = {without: None}
    assert codes(tunnel(**keys)) == [("config.missing-field", hop, key) for hop, key in missing]


def test_an_empty_value_counts_as_missing_where_it_stands(tunnel: Build, only_problem: Only) -> None:
    problem = only_problem(tunnel(private_key='""'))
    assert (problem.code, str(problem.origin)) == ("config.missing-field", "tunneldoctor.toml:3")


@pytest.mark.parametrize("key", ['private_key = "agent:"', 'bastion_password = "env:PW"'])
def test_an_agent_or_a_password_is_something_to_log_in_with(write: Write, key: str) -> None:
    built = write(f'[tunnels.a]\nssh_url = "ssh://u@b"\nremote_bind = "db:1"\n{key}').tunnel("a", {})
    assert built.problems == ()


def test_one_key_of_the_agent(tunnel: Build) -> None:
    bastion = tunnel(private_key='"agent:SHA256:abc"').bastion
    assert (bastion.agent, bastion.private_keys) == ("SHA256:abc", ())


def test_a_password_in_the_url_is_used_and_is_a_problem(tunnel: Build, only_problem: Only) -> None:
    built = tunnel(ssh_url='"ssh://tunnel:hunter%402@bastion"')
    assert only_problem(built).code == "config.secret-in-plain-text"
    assert built.bastion.password is not None
    assert built.bastion.password.secret is not None
    assert built.bastion.password.secret.reveal() == b"hunter@2"


def test_a_key_pasted_into_the_file_is_used_and_is_a_problem(tunnel: Build, only_problem: Only) -> None:
    built = tunnel(private_key='"-----BEGIN OPENSSH PRIVATE KEY-----\\nhunter2"')
    assert only_problem(built).code == "config.secret-in-plain-text"
    assert built.bastion.private_keys[0].is_literal


def test_a_public_key_or_a_certificate_is_no_secret(tunnel: Build) -> None:
    built = tunnel(private_key='"ssh-ed25519 AAAAC3Nz me"', certificate='"ssh-ed25519-cert-v01@openssh.com AAAAI me"')
    assert built.problems == ()


def test_on_the_command_line_others_can_see_a_secret(tunnel: Build, only_problem: Only) -> None:
    problem = only_problem(tunnel({"bastion_password": "hunter2"}))
    assert "list of processes" in problem.params["seen_by"]
    assert str(problem.origin) == "--bastion-password"


def test_jump_hosts_have_their_own_or_the_tunnels(write: Write) -> None:
    text = """
        [tunnels.a]
        ssh_url = "ssh://tunnel@bastion"
        private_key = "k"
        private_key_passphrase = "env:PP"
        bastion_password = "env:PW"
        known_hosts = ["kh", "kh2"]
        host_key = "OWN"
        remote_bind = "db:1"
        via = [
            "ssh://jump@edge:2222",
            {url = "ssh://j2@inner", private_key = "env:K2", known_hosts = "kh3", host_key = ["OTHER"]},
        ]
    """
    built = write(text.replace("OWN", OWN).replace("OTHER", OTHER)).tunnel("a", {})
    first, second, bastion = built.hops
    assert [hop.name for hop in built.hops] == ["via-1", "via-2", "bastion"]
    assert (first.host, first.port, first.username) == ("edge", 2222, "jump")
    assert (first.private_keys, first.passphrase) == (bastion.private_keys, bastion.passphrase)
    assert (first.known_hosts, first.host_keys) == (bastion.known_hosts, (OWN,))
    assert first.password is None, "the bastion's password is for the bastion alone"
    assert [str(key) for key in second.private_keys] == ["env:K2"]
    assert second.passphrase is None, "the passphrase of another key"
    assert second.host_keys == (OTHER,)
    assert built.problems == ()


def test_a_jump_hosts_own_known_hosts_stand_in_for_the_fingerprint_of_the_bastion(
    tunnel: Build, tmp_path: Path
) -> None:
    built = tunnel(host_key=f'"{OWN}"', via='[{url = "ssh://jump@edge", known_hosts = "kh"}]')
    assert built.hops[0].host_keys == ()
    assert built.hops[0].known_hosts == (Reference("file", str(tmp_path / "kh")),)
    assert built.bastion.host_keys == (OWN,)


@pytest.mark.parametrize("written", [OWN, OWN + "=", f" {OWN} ", "sha256:" + "o" * 43, "o" * 43])
def test_a_fingerprint_is_read_with_and_without_what_programs_put_around_it(tunnel: Build, written: str) -> None:
    built = tunnel(host_key=f'"{written}"')
    assert (built.bastion.host_keys, built.problems) == ((OWN,), ())


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("MD5" + ":0a" * 16, "MD5"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA", "public key"),
        ("SHA256:short", "43 characters"),
    ],
)
def test_what_is_pinned_and_is_no_fingerprint_is_named_and_not_taken_for_a_changed_key(
    tunnel: Build, only_problem: Only, written: str, words: str
) -> None:
    built = tunnel(host_key=f'["{OWN}", "{written}"]')
    problem = only_problem(built)
    assert (problem.code, problem.hop, problem.key) == ("config.bad-host-key", "bastion", "host_key")
    assert words in problem.params["reason"]
    assert built.bastion.host_keys == (OWN,)


def test_a_jump_host_on_the_command_line_may_be_repeated(tunnel: Build) -> None:
    built = tunnel({"via": ["ssh://a@one", "ssh://b@two"]})
    assert [hop.host for hop in built.hops] == ["one", "two", "bastion.example.com"]


def test_what_is_wrong_with_a_jump_host_is_a_problem_of_that_hop(tunnel: Build) -> None:
    built = tunnel(via='["ssh://jump@edge", "ssh://inner", "jump@third"]')
    assert codes(built) == [("config.missing-field", "via-2", "via"), ("config.bad-ssh-url", "via-3", "via")]
    assert built.hops[1].host == "inner"


def test_a_databases_port_on_the_bastion_is_noted(tunnel: Build, only_problem: Only) -> None:
    problem = only_problem(tunnel(ssh_url='"ssh://tunnel@bastion:5432"'))
    assert (problem.code, problem.params["service"]) == ("config.database-port-on-bastion", "PostgreSQL")


@pytest.mark.parametrize(
    ("url", "severity", "host", "point"),
    [
        ("ssh://tunnel@bastion ", Severity.WARNING, "bastion", "U+0020"),
        (" ssh://tunnel@bastion", Severity.WARNING, "bastion", "U+0020"),
        (r"ssh://tunnel@bastion\n", Severity.WARNING, "bastion", "U+000A LINE FEED"),
        (r"ssh://tunnel@\u200Bbastion", None, "bastion", "U+200B ZERO WIDTH SPACE"),
        (r"ssh://tunnel@bas\u00ADtion", None, "bastion", "U+00AD SOFT HYPHEN"),
        (r"\uFEFFssh://tunnel@bastion", None, "bastion", "U+FEFF"),
        ("ssh://tunnel@bas tion", None, None, "U+0020"),
        (r"ssh://tun\u200Bnel@bastion", None, "bastion", "U+200B"),
    ],
)
def test_what_can_not_be_seen_is_named_by_its_code_point(
    tunnel: Build, only_problem: Only, url: str, severity: Severity | None, host: str | None, point: str
) -> None:
    built = tunnel(ssh_url=f'"{url}"')
    problem = only_problem(built)
    assert (problem.code, problem.severity) == ("config.invisible-characters", severity)
    assert point in problem.params["characters"]
    assert built.bastion.host == host
    assert built.bastion.username == "tunnel"


def test_a_helpers_fault_is_a_warning_and_the_tunnel_is_whole(tunnel: Build) -> None:
    built = tunnel(admin='"ssh://bastion"', admin_private_key='"-----BEGIN X"', run_from='"agent.corp"')
    assert [(problem.code, problem.hop, problem.severity) for problem in built.problems] == [
        ("config.secret-in-plain-text", "here", Severity.WARNING),
        ("config.missing-field", "here", Severity.WARNING),
        ("config.bad-ssh-url", "here", Severity.WARNING),
    ]
    assert built.admin is not None
    assert built.admin.private_keys[0].is_literal


def test_a_helper_uses_the_tunnels_key_unless_it_has_its_own(tunnel: Build) -> None:
    built = tunnel(admin='"ssh://ubuntu@bastion"', run_from='"ssh://pipeline@agent"', admin_private_key='"env:OPS"')
    assert built.admin is not None
    assert built.run_from is not None
    assert [str(key) for key in built.admin.private_keys] == ["env:OPS"]
    assert built.run_from.private_keys == built.bastion.private_keys


def test_an_account_on_the_bastion_is_known_by_the_bastions_pins_and_one_elsewhere_is_not(tunnel: Build) -> None:
    pin = f"SHA256:{'A' * 43}"
    built = tunnel(host_key=f'"{pin}"', admin='"ssh://ubuntu@bastion.example.com"', run_from='"ssh://pipeline@agent"')
    assert built.admin is not None
    assert built.run_from is not None
    assert (built.admin.host_keys, built.run_from.host_keys) == ((pin,), ())


def test_a_tunnel_of_options_alone_is_named_after_its_bastion(write: Write) -> None:
    options = {"ssh_url": "ssh://u@bastion", "private_key": "id", "remote_bind": "db:1"}
    built = write('[defaults]\nkeepalive = "9s"').tunnel_from_options(options)
    assert (built.name, built.keepalive, built.problems) == ("bastion", 9.0, ())
    assert write("").tunnel_from_options({}).name == "command line"


def test_a_name_that_is_not_there_is_refused_with_the_nearest(write: Write) -> None:
    with pytest.raises(ConfigError, match="did you mean orders"):
        write("[tunnels.orders]").tunnel("order", {})
    with pytest.raises(ConfigError, match="has orders"):
        write("[tunnels.orders]").tunnel("zzz", {})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("bastion_port", "99999", "--bastion-port: 99999 is not a port"),
        ("local_port", "x", "--local-port: not a port"),
        ("connect_timeout", "soon", "--timeout: not a duration"),
        ("provider", "ibm", "--provider: must be one of"),
        ("bastion_hots", "x", "did you mean bastion_host"),
    ],
)
def test_an_option_that_can_not_be_used_is_refused(write: Write, key: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        write("[tunnels.a]").tunnel("a", {key: value})
    assert words in str(caught.value)
