"""What one run costs the server, by its own log: connections, logins that fail, what penalties would add up to.

The rules: at most two failed logins a run, no credential twice, one password, six connections beyond the main one; and
together less than what OpenSSH 9.8 and later, and fail2ban, take notice of.
"""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.lab import fakes
from fixtures.lab.ports import inside
from fixtures.lab.session import why_not
from fixtures.lab.stage import staged
from fixtures.scenario import AccountSide, ClientSide, Expectation, NetworkSide, Scenario, SshSide, load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fixtures.lab.session import Lab
    from fixtures.lab.stage import Stage

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(why_not(needs_root=True) is not None, reason=str(why_not(needs_root=True))),
]

#: Connections of a run that end without a login, and failed logins.
BARE, FAILED = 6, 2
#: Seconds of penalty (sshd_config(5), PerSourcePenalties): for a connection without a login, for one on which logins
#: failed, and what an address must gather to be turned away.
NOAUTH, AUTHFAIL, ENFORCED = 1, 5, 15

_CONNECTION = re.compile(r"^Connection from \S+ port (\d+) on")
_DROPPED = re.compile(r"^drop connection #\d+ from \[\S+\]:(\d+) on")
_ACCEPTED = re.compile(r"^Accepted \S+ for \S+ from \S+ port (\d+)")
_FAILED = re.compile(
    r"^Failed (?P<method>password|publickey|keyboard-interactive\S*) for (?:invalid user )?(?P<user>\S+) "
    r"from \S+ port (?P<port>\d+) ssh2(?:: (?P<key>\S+ SHA256:\S+))?"
)
_OTHER_KEY = "{other_key}"


@dataclass
class Seen:
    """What a log says: the ports that connections came from, those let in, and the failed logins by port."""

    connections: list[str] = field(default_factory=list)
    let_in: set[str] = field(default_factory=set)
    failed: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def in_log(cls, lines: Iterable[str]) -> Seen:
        seen = cls()
        for line in lines:
            if found := _CONNECTION.match(line) or _DROPPED.match(line):
                seen.connections.append(found[1])
            elif found := _ACCEPTED.match(line):
                seen.let_in.add(found[1])
            elif found := _FAILED.match(line):
                seen.failed.append((found["port"], f"{found['user']} {found['method']} {found['key']}"))
        return seen

    @property
    def bare(self) -> list[str]:
        tried = {port for port, _ in self.failed}
        return [port for port in self.connections if port not in self.let_in | tried]

    @property
    def penalty(self) -> int:
        return NOAUTH * len(self.bare) + AUTHFAIL * len({port for port, _ in self.failed} - self.let_in)

    def is_polite(self) -> bool:
        tries = Counter(credential for _, credential in self.failed)
        assert len(self.bare) <= BARE
        assert len(self.failed) <= FAILED
        assert not [each for each, count in tries.items() if count > 1]
        assert sum(" publickey " not in each for each in tries) <= 1
        assert self.penalty < ENFORCED
        return True


def examined(scenario: Scenario, lab: Lab, server: str = "bastion") -> tuple[Seen, dict[str, Any]]:
    """What *server* saw of one run, and the run's report."""
    with staged(scenario, lab) as stage:
        lines = stage.ssh_servers[server].lines
        before = len(lines)
        report = json.loads(stage.check().stdout)
        _knock(stage, server)
        return Seen.in_log(list(lines)[before:]), report


def _knock(stage: Stage, server: str) -> None:
    """One connection of our own, and wait until it is in the log: then all before it is, too. It is taken out again."""
    port = {"bastion": "bastion_port", "via-1": "jump_port"}[server]
    namespace = stage.namespace("bastion")
    with inside(namespace, lambda: socket.create_connection((_address(stage), stage.words[port]), 5)) as own:
        mine = own.getsockname()[1]
        own.recv(100)
    log = stage.ssh_servers[server]
    log.wait_for(rf"(closed|reset) by \S+ port {mine}\b|^drop connection .*:{mine}\b")
    for line in [each for each in log.lines if str(mine) in each]:
        log.lines.remove(line)


def _address(stage: Stage) -> str:
    return "203.0.113.10" if stage.network else "127.0.0.1"


def named(name: str, **changes: Any) -> Scenario:
    return replace(next(each for each in load() if each.name == name), **changes)


def code(report: dict[str, Any]) -> str:
    return str(report["diagnosis"]["code"])


def test_a_refused_key_costs_one_connection_and_one_try(lab: Lab) -> None:
    seen, report = examined(named("auth-key-of-somebody-else"), lab)
    assert code(report) == "auth.publickey-refused"
    assert (len(seen.connections), len(seen.failed)) == (1, 1)
    assert seen.is_polite()


def test_a_key_and_a_password_are_tried_once_each(lab: Lab) -> None:
    bastion = SshSide(authorized=(_OTHER_KEY,), password=True, sshd=("PasswordAuthentication yes",))
    tunnel = {"bastion_password": "env:WRONG"}
    scenario = Scenario("x", Expectation(), bastion=bastion, tunnel=tunnel, client=ClientSide(env={"WRONG": "horse"}))
    seen, _ = examined(scenario, lab)
    assert (len(seen.connections), len(seen.failed)) == (1, 2)
    assert seen.is_polite()


def test_an_agent_full_of_keys_is_not_emptied_onto_the_server(lab: Lab) -> None:
    client = ClientSide(agent=("other",) * 8, key_present=False)
    scenario = Scenario("x", Expectation(), client=client, tunnel={"private_key": "agent:"})
    seen, _ = examined(scenario, lab)
    assert (len(seen.connections), len(seen.failed)) == (1, 2)
    assert seen.is_polite()


def test_a_certificate_and_its_key_are_two_credentials(lab: Lab) -> None:
    seen, _ = examined(_with_refused_certificate(), lab)
    assert [each.split()[2] for _, each in seen.failed] == ["ED25519-CERT", "ED25519"]
    assert seen.is_polite()


def test_after_two_refusals_the_admin_is_not_tried(lab: Lab) -> None:
    seen, report = examined(_with_refused_certificate(admin=AccountSide()), lab)
    assert (len(seen.connections), len(seen.failed)) == (1, 2)
    admin = next(check for check in report["checks"] if check["id"] == "auth.admin")
    assert (admin["status"], report["verdict"], report["exit_code"]) == ("unknown", "broken", 1)
    assert "2 logins were refused" in admin["reason"]


def _with_refused_certificate(**more: Any) -> Scenario:
    client = ClientSide(certificate={"principals": ["{user}"]})
    bastion = SshSide(authorized=(_OTHER_KEY,))
    tunnel = {"certificate": "{folder}/id-cert.pub"}
    return Scenario("x", Expectation(), bastion=bastion, client=client, tunnel=tunnel, **more)


def test_the_admin_is_one_further_login_and_only_after_trouble(lab: Lab) -> None:
    refused, _ = examined(named("auth-key-of-somebody-else", admin=AccountSide()), lab)
    assert (len(refused.connections), len(refused.failed), len(refused.let_in)) == (2, 1, 1)
    assert refused.is_polite()
    healthy, _ = examined(named("healthy-plain", admin=AccountSide()), lab)
    assert len(healthy.connections) == 1


def test_an_admin_who_is_refused_as_well_is_the_last_to_be_tried(lab: Lab) -> None:
    scenario = named("auth-key-of-somebody-else", admin=AccountSide(authorized=(_OTHER_KEY,)))
    seen, report = examined(scenario, lab)
    assert (len(seen.connections), len(seen.failed)) == (2, 2)
    assert seen.penalty == 2 * AUTHFAIL
    assert seen.is_polite()
    assert code(report) == "auth.publickey-refused"


@pytest.mark.parametrize(
    ("name", "connections"),
    [
        ("ssh-too-many-logins-pending", BARE + 1),
        ("hostkey-unknown", BARE + 1),
        ("hostkey-changed", BARE + 1),
        ("ssh-no-common-key-exchange", 1),
        ("auth-no-such-user", 1),
        ("auth-only-key-refused-where-one-try-is-all", 1),
        ("forward-off-in-sshd", 1),
        ("forward-nobody-listens", 1),
        ("jump-key-refused-by-the-bastion-behind-it", 1),
        ("healthy-plain", 1),
    ],
)
def test_what_a_run_costs_the_bastion(name: str, connections: int, lab: Lab) -> None:
    seen, _ = examined(named(name), lab)
    assert 1 <= len(seen.connections) <= connections
    assert seen.is_polite()


@pytest.mark.parametrize(
    "name", ["jump-healthy", "jump-key-refused-by-the-jump-host", "jump-key-refused-by-the-bastion-behind-it"]
)
def test_what_a_run_costs_the_jump_host(name: str, lab: Lab) -> None:
    seen, _ = examined(named(name), lab, "via-1")
    assert len(seen.connections) == 1
    assert seen.is_polite()


@pytest.mark.parametrize(("keepalive", "logins"), [("0s", 3), ("30s", 4)])
def test_a_pause_costs_two_logins_beside_our_own_and_one_more_for_the_keepalive(
    keepalive: str, logins: int, lab: Lab
) -> None:
    seen, report = examined(named("healthy-plain", options=("--idle", "1s", "--keepalive", keepalive)), lab)
    assert report["facts"]["idle.survived_seconds"] == 1
    assert len(seen.connections) == len(seen.let_in) <= logins
    assert not seen.failed


@pytest.mark.parametrize("server", ["closing", "silence"])
def test_what_says_nothing_is_not_knocked_at_for_ever(server: str, lab: Lab) -> None:
    knocks: list[str] = []

    def counted(connection: socket.socket) -> None:
        knocks.append(server)
        fakes.ANSWERS[server](connection)

    scenario = Scenario("x", Expectation(), bastion=SshSide(server="refused"), tunnel={"connect_timeout": "2s"})
    with staged(scenario, lab) as stage:
        fake = fakes.Fake(counted, "127.0.0.1", stage.words["bastion_port"])
        stage.undo.callback(fake.stop)
        stage.check()
    assert 1 < len(knocks) <= BARE + 1


def test_a_name_with_twelve_addresses_is_surveyed_within_the_rule(lab: Lab) -> None:
    addresses = [f"203.0.113.{number}" for number in range(10, 22)]
    commands = tuple(f"bastion ip addr add {address}/24 dev eth0" for address in addresses[1:])
    network = NetworkSide(dns={"bastion.lab": " ".join(addresses)}, commands=commands)
    client, bastion = ClientSide(hosts={}), SshSide(address="0.0.0.0")
    seen, report = examined(Scenario("x", Expectation(), "network", bastion, client=client, network=network), lab)
    assert report["verdict"] == "healthy"
    assert 1 < len(seen.connections) <= BARE + 1
    assert seen.is_polite()
