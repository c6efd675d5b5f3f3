"""The lab itself: it leaves nothing behind, and its tools do what scenarios and benchmarks take for granted."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from fixtures import keys
from fixtures.lab import fakes
from fixtures.lab.blackhole import BlackHole
from fixtures.lab.delay import DelayProxy
from fixtures.lab.session import why_not
from fixtures.lab.stage import staged
from fixtures.scenario import Expectation, Scenario, load

if TYPE_CHECKING:
    from fixtures.lab.session import Lab

needs_servers = pytest.mark.skipif(why_not(needs_root=False) is not None, reason=str(why_not(needs_root=False)))
needs_root = pytest.mark.skipif(why_not(needs_root=True) is not None, reason=str(why_not(needs_root=True)))
#: A lab of its own in a child process, which waits once it stands and says who it is.
STAGE = """
import sys
from fixtures.lab.session import Lab
from fixtures.lab.stage import staged
from fixtures.scenario import Expectation, Scenario
with Lab() as lab, staged(Scenario("x", Expectation(), level="network"), lab) as stage:
    print(lab.folder, flush=True)
    sys.stdin.read()
"""


def _traces(pid: int) -> list[str]:
    """All that is left of the lab of process *pid*."""
    marks = (f"td-{pid}-", f"td-tunnel-{pid}-", f"td-lab-{pid}-")
    found = [
        path.name for folder in ("/run/netns", "/etc/netns", "/tmp", "/dev/shm") for path in Path(folder).glob("*")
    ]
    found += [account.pw_name for account in pwd.getpwall()]
    found += [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [name for name in found if any(mark in name for mark in marks)]


@pytest.mark.lab
@needs_root
def test_ctrl_c_leaves_no_process_namespace_user_or_folder() -> None:
    with _child() as child:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
    assert _traces(child.pid) == []


@pytest.mark.lab
@needs_root
def test_what_a_killed_session_left_is_removed_by_the_next() -> None:
    with _child() as child:
        child.kill()
        child.communicate(timeout=30)
    assert _traces(child.pid) != []
    subprocess.run([sys.executable, "-c", "from fixtures.lab.leftovers import sweep; sweep()"], check=True, timeout=60)
    assert _traces(child.pid) == []


def _child() -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", STAGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline(), child.communicate()[1]
    assert _traces(child.pid)
    return child


@pytest.mark.lab
@needs_servers
def test_an_error_while_staging_takes_down_what_stood_already(lab: Lab) -> None:
    broken = Scenario("x", Expectation(), tunnel={"database": "{no_such_word}"})
    with pytest.raises(KeyError), staged(broken, lab):
        pass
    titles = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert not [title for title in titles if str(lab.folder) in title and "scene-" in title]
    assert not [account for account in pwd.getpwall() if account.pw_name.startswith(f"td-tunnel-{os.getpid()}-")]


@pytest.mark.lab
@needs_root
def test_the_client_has_no_way_out_and_the_bastion_sees_the_router(lab: Lab) -> None:
    with staged(Scenario("x", Expectation(), level="network"), lab) as stage:
        assert stage.run(["ip", "route", "get", "8.8.8.8"]).stdout.split()[2] == "198.51.100.1"
        assert stage.network is not None
        assert "default" not in stage.network.run("router", ["ip", "route"])
        ssh = ["ssh", "-F", "none", "-i", str(stage.words["private_key"]), "-o", "BatchMode=yes"]
        known = ["-o", f"UserKnownHostsFile={stage.folder}/known_hosts"]
        done = stage.run([*ssh, *known, f"{stage.words['user']}@bastion.lab", "echo $SSH_CONNECTION"])
        assert done.stdout.split()[0] == "203.0.113.1", done.stderr


def test_a_scenario_with_an_unknown_key_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "sets.toml").write_text("")
    (tmp_path / "x.toml").write_text("[y]\nbastion.sshd_lines = []\nexpect = {}\n")
    with pytest.raises(ValueError, match="sshd_lines"):
        load(tmp_path)


def test_every_scenario_says_what_must_be_named() -> None:
    for scenario in load():
        expect = scenario.expect
        assert expect.verdict in {"healthy", "degraded", "broken", "inconclusive"}, scenario.name
        assert (expect.code is None) == (expect.verdict in {"healthy", "inconclusive"}), scenario.name
        assert not expect.cause or expect.cause in expect.causes or expect.cause == expect.code, scenario.name


def test_a_black_hole_answers_no_syn() -> None:
    with BlackHole() as hole, socket.socket() as client:
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.connect((hole.address, hole.port))


def test_the_delaying_proxy_counts_turns_and_connections() -> None:
    echo = fakes.Fake(_echo, "127.0.0.1")
    try:
        with DelayProxy("127.0.0.1", echo.port, 0.001) as proxy:
            with socket.create_connection(("127.0.0.1", proxy.port)) as client:
                for word in (b"one", b"two", b"three"):
                    client.sendall(word)
                    assert client.recv(100) == word
            counts = proxy.take()
    finally:
        echo.stop()
    assert (counts.connections, counts.round_trips, counts.up, counts.down) == (1, 3, 11, 11)


def _echo(connection: socket.socket) -> None:
    while data := connection.recv(100):
        connection.sendall(data)


@pytest.mark.parametrize("kind", keys.USABLE_TYPES)
def test_a_sample_key_is_good_for_ssh_keygen(kind: str, tmp_path: Path) -> None:
    key = keys.make(kind)
    path = keys.write(tmp_path / "key", keys.encoded(key, passphrase=keys.PASSPHRASE))
    done = subprocess.run(["ssh-keygen", "-y", "-P", keys.PASSPHRASE, "-f", path], capture_output=True, text=True)
    assert done.stdout.split()[:2] == keys.public_line(key).split()[:2], done.stderr


@pytest.mark.parametrize("damage", sorted(keys.DAMAGES.keys() - {"corrupt", "security-key", "comment-of-3-kb"}))
def test_ssh_keygen_refuses_a_damaged_sample(damage: str, tmp_path: Path) -> None:
    kind = "ecdsa521" if damage == "padding-lost" else "ed25519"  # whose body has no padding to lose
    path = keys.write(tmp_path / "key", keys.DAMAGES[damage](keys.encoded(keys.make(kind))))
    assert subprocess.run(["ssh-keygen", "-y", "-P", "", "-f", path], capture_output=True).returncode != 0


def test_a_sample_certificate_is_one_to_ssh_keygen(tmp_path: Path) -> None:
    line = keys.certificate(keys.make(), keys.make(), principals=["tunnel"])
    path = tmp_path / "key-cert.pub"
    path.write_text(line + "\n")
    done = subprocess.run(["ssh-keygen", "-L", "-f", path], capture_output=True, text=True, check=True)
    assert "user certificate" in done.stdout
    assert "permit-port-forwarding" in done.stdout
