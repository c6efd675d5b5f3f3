"""Hosts of ssh_config, as the real ``ssh -G`` sees them and, where it says so, as our own reading does."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tunneldoctor.config import Configuration, load, ssh_lookup
from tunneldoctor.model import Address, Severity, Tunnel

#: Without ssh on the path, we read the file ourselves.
NO_SSH = {"PATH": "/nonexistent"}
Read = Callable[..., Tunnel | None]


@pytest.fixture
def configuration(tmp_path: Path) -> Callable[..., Configuration]:
    """``configuration(ssh_config, defaults, **environ)`` with the test's folder as home."""

    def make(text: str, defaults: str = "", **environ: str) -> Configuration:
        (tmp_path / ".ssh").mkdir(exist_ok=True)
        (tmp_path / ".ssh" / "config").write_text(text)
        (tmp_path / "tunneldoctor.toml").write_text(defaults)
        path = environ.pop("PATH", os.environ["PATH"])
        return load(None, {"HOME": str(tmp_path), "PATH": path, "USER": "me", **environ}, tmp_path)

    return make


@pytest.fixture
def read(configuration: Callable[..., Configuration], tmp_path: Path) -> Callable[..., Tunnel]:
    """``read(lines, **environ)``: the tunnel of ``Host orders`` with these lines, and a key that is there."""

    def read_host(lines: str, **environ: str) -> Tunnel:
        (tmp_path / ".ssh").mkdir(exist_ok=True)
        (tmp_path / ".ssh" / "key").touch()
        base = f"  HostName bastion.corp\n  User tunnel\n  IdentityFile {tmp_path}/.ssh/key\n"
        tunnel = configuration(f"Host orders\n{lines}\n{base}", **environ).tunnel_from_ssh_host("orders", {})
        assert tunnel is not None
        return tunnel

    return read_host


FORWARD = "LocalForward 15432 db.internal:5432"


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH's ssh")
class TestByOpenSsh:
    def test_a_host_is_a_tunnel_to_the_target_of_its_local_forward(self, read: Read, tmp_path: Path) -> None:
        tunnel = read(f"{FORWARD}\nPort 2222\nServerAliveInterval 30\nConnectTimeout 7\nHostKeyAlias alias")
        assert tunnel is not None
        assert tunnel.problems == ()
        assert tunnel.name == "orders"
        assert tunnel.bastion.address == Address("bastion.corp", 2222)
        assert tunnel.bastion.username == "tunnel"
        assert [key.name for key in tunnel.bastion.private_keys] == [f"{tmp_path}/.ssh/key"]
        assert (tunnel.remote, tunnel.local_port) == (Address("db.internal", 5432), 15432)
        assert (tunnel.keepalive, tunnel.connect_timeout) == (30.0, 7.0)
        assert tunnel.bastion.host_key_alias == "alias"
        assert tunnel.bastion.known_hosts is None
        assert str(tunnel.origin("bastion_host")) == "~/.ssh/config"

    def test_what_ssh_itself_makes_of_match_and_include_counts(self, read: Read, tmp_path: Path) -> None:
        (tmp_path / "more").write_text("Match host bastion.corp\n  Port 2022\n")
        tunnel = read(f"{FORWARD}\nHostName bastion.corp\nInclude {tmp_path}/more")
        assert tunnel is not None
        assert tunnel.bastion.port == 2022

    def test_a_broken_file_is_told_in_sshs_own_words_and_once(self, read: Read) -> None:
        tunnel = read("NoSuchOption yes")
        assert tunnel is not None
        (problem,) = tunnel.problems
        assert problem.code == "config.ssh-config-unsupported"
        assert "nosuchoption" in problem.params["reason"].lower()

    def test_an_ssh_that_does_not_answer_is_ended(self, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ssh_lookup, "PATIENCE", 0.2)
        tunnel = read('Match exec "sleep 60"')
        assert tunnel is not None
        assert "did not end" in tunnel.problems[0].params["reason"]

    def test_proxy_jump_is_a_chain_of_hops_each_with_its_own_entry(
        self, configuration: Callable[..., Configuration], tmp_path: Path
    ) -> None:
        text = f"""
            Host orders
              ProxyJump jump@one:2201,two
              User tunnel
              {FORWARD}
            Host one
              HostName one.corp
              IdentityFile {tmp_path}/one
            Host two
              User second
              ProxyJump ignored
            Host orders two
              IdentityFile {tmp_path}/key
        """
        tunnel = configuration(text).tunnel_from_ssh_host("orders", {})
        assert tunnel is not None
        assert [(hop.name, str(hop.address), hop.username) for hop in tunnel.hops] == [
            ("via-1", "one.corp:2201", "jump"),
            ("via-2", "two:22", "second"),
            ("bastion", "orders:22", "tunnel"),
        ]
        assert tunnel.hops[0].private_keys[0].name == f"{tmp_path}/one"

    def test_the_first_jump_hosts_own_proxy_jump_comes_before_it(
        self, configuration: Callable[..., Configuration]
    ) -> None:
        text = (
            f"Host orders\n {FORWARD}\n ProxyJump one\nHost one\n ProxyJump zero\nHost *\n User u\n IdentityFile /k\n"
        )
        tunnel = configuration(text).tunnel_from_ssh_host("orders", {})
        assert tunnel is not None
        assert [hop.host for hop in tunnel.hops] == ["zero", "one", "orders"]

    @pytest.mark.parametrize("command", ["ssh -W %h:%p jump@edge:2200", "ssh -q jump@edge:2200 -W [%h]:%p"])
    def test_the_older_way_of_a_jump_host_is_followed(self, read: Read, command: str) -> None:
        tunnel = read(f"{FORWARD}\nProxyCommand {command}")
        assert tunnel is not None
        assert tunnel.problems == ()
        assert (str(tunnel.hops[0].address), tunnel.hops[0].username) == ("edge:2200", "jump")

    def test_tokens_and_variables_in_paths(self, read: Read, tmp_path: Path) -> None:
        tunnel = read(f"{FORWARD}\nIdentityFile ~/.ssh/%r@%n-%h-${{USER}}%%\nCertificateFile %d/c-%p.pub")
        assert tunnel is not None
        (tmp_path / ".ssh" / "tunnel@orders-bastion.corp-me%").touch()
        tunnel = read(f"{FORWARD}\nIdentityFile ~/.ssh/%r@%n-%h-${{USER}}%%\nCertificateFile %d/c-%p.pub")
        assert tunnel is not None
        assert tunnel.bastion.private_keys[0].name == f"{tmp_path}/.ssh/tunnel@orders-bastion.corp-me%"
        assert tunnel.bastion.certificate is not None
        assert tunnel.bastion.certificate.name == f"{tmp_path}/c-22.pub"

    def test_lists_of_hosts_of_its_own(self, read: Read, tmp_path: Path) -> None:
        tunnel = read(f"{FORWARD}\nUserKnownHostsFile {tmp_path}/kh {tmp_path}/kh2\nGlobalKnownHostsFile /dev/null")
        assert tunnel is not None
        assert tunnel.bastion.known_hosts is not None
        assert [each.name for each in tunnel.bastion.known_hosts] == [f"{tmp_path}/kh", f"{tmp_path}/kh2"]

    def test_a_home_of_its_own_is_where_the_configuration_is_looked_for(
        self, configuration: Callable[..., Configuration]
    ) -> None:
        assert configuration("Host other\n").tunnel_from_ssh_host("orders", {}) is None


@pytest.mark.parametrize("environ", [{}, NO_SSH], ids=["ssh", "ourselves"])
class TestByEither:
    def test_a_match_of_wildcards_alone_does_not_count(
        self, configuration: Callable[..., Configuration], environ: dict[str, str]
    ) -> None:
        made = configuration("Host *\n User x\nHost listed\n", **environ)
        assert made.tunnel_from_ssh_host("orders", {}) is None
        assert made.tunnel_from_ssh_host("-oProxyCommand=x", {}) is None
        assert made.tunnel_from_ssh_host("listed", {}) is not None

    @pytest.mark.parametrize(
        "forwards",
        [
            "LocalForward 1 a:1\nLocalForward 2 b:2",
            "LocalForward /tmp/s db:5432",
            "LocalForward 5432 /run/s",
            "User x",
        ],
    )
    def test_several_forwards_or_none_lead_nowhere(self, read: Read, environ: dict[str, str], forwards: str) -> None:
        tunnel = read(forwards, **environ)
        assert tunnel is not None
        assert tunnel.remote is None
        (problem,) = tunnel.problems
        assert (problem.code, problem.key) == ("config.missing-field", "remote_bind")
        assert ("LocalForward" in problem.params["what"]) == ("LocalForward" in forwards)

    @pytest.mark.parametrize(
        ("forward", "address", "remote"),
        [
            ("127.0.0.2:5433 [fd00::1]:5432", "127.0.0.2", Address("fd00::1", 5432)),
            ("*:5433 db:5432", "0.0.0.0", Address("db", 5432)),
            ("localhost:5433 db:5432", "127.0.0.1", Address("db", 5432)),
            ("[::1]:5433 db:5432", "::1", Address("db", 5432)),
        ],
    )
    def test_where_a_forward_listens_and_leads(
        self, read: Read, environ: dict[str, str], forward: str, address: str, remote: Address
    ) -> None:
        tunnel = read(f"LocalForward {forward}", **environ)
        assert tunnel is not None
        assert (tunnel.local_address, tunnel.local_port, tunnel.remote) == (address, 5433, remote)

    @pytest.mark.parametrize(
        "text",
        [
            "Host orders\n ProxyJump one\nHost one\n ProxyJump two\nHost two\n ProxyJump one\n",
            "Host orders\nHost *\n ProxyJump edge\n",
            "Host orders\n ProxyJump orders\n",
        ],
    )
    def test_jump_hosts_in_a_circle_are_refused_as_ssh_does(
        self, configuration: Callable[..., Configuration], environ: dict[str, str], text: str
    ) -> None:
        tunnel = configuration(text, **environ).tunnel_from_ssh_host("orders", {})
        assert tunnel is not None
        (problem,) = tunnel.problems
        assert (problem.code, len(tunnel.hops)) == ("config.ssh-config-unsupported", 1)
        assert "jumphost loop via" in problem.params["reason"]

    def test_a_jump_host_behind_another_needs_no_jump_of_its_own(
        self, configuration: Callable[..., Configuration], environ: dict[str, str]
    ) -> None:
        text = "Host *.corp\n ProxyJump edge,inner.corp\n IdentityFile /k\nHost *\n LocalForward 1 db:1\n"
        tunnel = configuration(text, **environ).tunnel_from_ssh_host("orders.corp", {})
        assert tunnel is not None
        assert [hop.host for hop in tunnel.hops] == ["edge", "inner.corp", "orders.corp"]

    def test_gateway_ports_open_a_forward_to_all(self, read: Read, environ: dict[str, str]) -> None:
        tunnel = read("LocalForward 5433 db:5432\nGatewayPorts yes", **environ)
        assert tunnel is not None
        assert tunnel.local_address == "0.0.0.0"

    def test_forwards_that_are_cleared_lead_nowhere(self, read: Read, environ: dict[str, str]) -> None:
        tunnel = read("LocalForward 5433 db:5432\nClearAllForwardings yes", **environ)
        assert tunnel is not None
        assert (tunnel.remote, tunnel.local_port) == (None, 0)

    def test_the_address_family_is_the_hosts_own(self, read: Read, environ: dict[str, str]) -> None:
        tunnel = read(f"{FORWARD}\nAddressFamily inet\nProxyJump edge", **environ)
        assert tunnel is not None
        assert [hop.address_family for hop in tunnel.hops] == ["any", "inet"]

    def test_options_and_defaults_win_over_ssh_config(
        self, configuration: Callable[..., Configuration], environ: dict[str, str]
    ) -> None:
        made = configuration(
            f"Host orders\n User a\n Port 1\n {FORWARD}\n", '[defaults]\nbastion_username = "b"\n', **environ
        )
        tunnel = made.tunnel_from_ssh_host("orders", {"bastion_port": "2", "private_key": "k"})
        assert tunnel is not None
        assert (tunnel.bastion.username, tunnel.bastion.port) == ("b", 2)
        assert tunnel.problems == ()

    def test_the_agent_comes_first_where_there_is_one(self, read: Read, environ: dict[str, str]) -> None:
        without, with_agent = read(FORWARD, **environ), read(FORWARD, SSH_AUTH_SOCK="/run/agent", **environ)
        assert without is not None
        assert with_agent is not None
        assert (without.bastion.agent, with_agent.bastion.agent) == (None, "")
        assert len(with_agent.bastion.private_keys) == 1

    def test_no_agent_where_it_is_switched_off(self, read: Read, environ: dict[str, str]) -> None:
        tunnel = read(f"{FORWARD}\nIdentityAgent none", SSH_AUTH_SOCK="/run/agent", **environ)
        assert tunnel is not None
        assert tunnel.bastion.agent is None

    @pytest.mark.parametrize("written", ["{tmp_path}/a gent/%r", "$OTHER", "${{OTHER}}"])
    def test_another_agents_socket_is_where_the_agent_is_asked(
        self, read: Read, environ: dict[str, str], written: str, tmp_path: Path
    ) -> None:
        socket = f"{tmp_path}/a gent/tunnel"
        line = f'IdentityAgent "{written.format(tmp_path=tmp_path)}"'
        tunnel = read(f"{FORWARD}\n{line}", SSH_AUTH_SOCK="/run/agent", OTHER=socket, **environ)
        assert tunnel is not None
        assert (tunnel.bastion.agent, tunnel.bastion.agent_socket, tunnel.problems) == ("", socket, ())

    def test_with_identities_only_the_agent_is_asked_for_the_one_key(
        self, configuration: Callable[..., Configuration], environ: dict[str, str], tmp_path: Path
    ) -> None:
        blob = b"\x00\x00\x00\x0bssh-ed25519"
        (tmp_path / "card.pub").write_text(f"ssh-ed25519 {base64.b64encode(blob).decode()} card")
        text = f"Host orders\n User u\n {FORWARD}\n IdentitiesOnly yes\n IdentityFile {tmp_path}/card.pub\n"
        tunnel = configuration(text, SSH_AUTH_SOCK="/run/agent", **environ).tunnel_from_ssh_host("orders", {})
        assert tunnel is not None
        digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
        assert tunnel.bastion.agent == f"SHA256:{digest}"
        assert tunnel.bastion.private_keys == ()

    def test_a_key_asked_for_by_name_that_is_absent_is_still_a_key(
        self, configuration: Callable[..., Configuration], environ: dict[str, str]
    ) -> None:
        text = f"Host orders\n User u\n {FORWARD}\n IdentityFile ~/.ssh/gone\n"
        tunnel = configuration(text, **environ).tunnel_from_ssh_host("orders", {})
        assert tunnel is not None
        assert tunnel.bastion.private_keys[0].name.endswith("/.ssh/gone")

    def test_without_any_key_that_is_missing(
        self, configuration: Callable[..., Configuration], environ: dict[str, str]
    ) -> None:
        tunnel = configuration(f"Host orders\n User u\n {FORWARD}\n", **environ).tunnel_from_ssh_host("orders", {})
        assert tunnel is not None
        assert [(each.code, each.key) for each in tunnel.problems] == [("config.missing-field", "private_key")]

    @pytest.mark.parametrize(
        ("line", "option", "severity"),
        [
            ("ProxyCommand nc -X connect -x proxy:3128 %h %p", "ProxyCommand", None),
            ("PKCS11Provider /usr/lib/x.so", "PKCS11Provider", Severity.WARNING),
            ("KnownHostsCommand /bin/true", "KnownHostsCommand", Severity.WARNING),
            ("BindAddress 127.0.0.1", "BindAddress", Severity.WARNING),
            ("BindInterface lo", "BindInterface", Severity.WARNING),
            ("StrictHostKeyChecking accept-new", "StrictHostKeyChecking", Severity.INFO),
            ("NoHostAuthenticationForLocalhost yes", "NoHostAuthenticationForLocalhost", Severity.INFO),
            ("VerifyHostKeyDNS ask", "VerifyHostKeyDNS", Severity.INFO),
            ("RevokedHostKeys /etc/ssh/revoked", "RevokedHostKeys", Severity.INFO),
            ("HostbasedAuthentication yes", "HostbasedAuthentication", Severity.INFO),
            ("PubkeyAuthentication no\nPasswordAuthentication no", "PubkeyAuthentication", None),
            ("PreferredAuthentications gssapi-with-mic,hostbased", "PreferredAuthentications", None),
        ],
    )
    def test_what_is_not_supported_is_said(
        self, read: Read, environ: dict[str, str], line: str, option: str, severity: Severity | None
    ) -> None:
        tunnel = read(f"{FORWARD}\n{line}", **environ)
        assert tunnel is not None
        (problem,) = tunnel.problems
        assert (problem.code, problem.params["option"]) == ("config.ssh-config-unsupported", option)
        assert (problem.hop, problem.severity) == ("bastion", severity)


def test_without_ssh_an_include_is_read_all_the_same(read: Read, tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Port 2022\n")
    tunnel = read(f"{FORWARD}\nInclude {tmp_path}/more", **NO_SSH)
    assert tunnel is not None
    assert tunnel.bastion.port == 2022


def test_without_ssh_what_only_ssh_can_decide_is_said(read: Read) -> None:
    tunnel = read(f"{FORWARD}\nMatch exec true\n", **NO_SSH)
    assert tunnel is not None
    assert tunnel.problems[0].code == "config.ssh-config-unsupported"
    assert "ssh is not installed" in tunnel.problems[0].params["reason"]
