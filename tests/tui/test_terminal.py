"""The program in a real terminal (tmux), with real servers: what is seen, and what is left when it has ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.net.namespaces import usable as namespaces
from tests.tui.terminal import Terminal, has_tmux, terminal
from tunneldoctor.demo.faults import Fault
from tunneldoctor.demo.programs import NoPostgres
from tunneldoctor.demo.scene import scene

pytestmark = has_tmux

#: A deadline that no test waits for: whatever hangs would hang that long.
_LONG = "10m"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nothing of the machine's own configuration, agent or keys; no CI, which the screens keep out of."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(tmp_path), "LANG": "C.UTF-8", "COLORTERM": "truecolor"}


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    """The configuration of the demo's tunnel, whose bastion forwards nothing."""
    try:
        with scene(Fault.FORWARDING_REFUSED, lambda text: None) as path:
            yield path
    except NoPostgres as error:
        pytest.skip(str(error))


def write_tunnel(folder: Path, host: str, port: int = 22) -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (folder / "key").write_bytes(key)
    (folder / "key").chmod(0o600)
    (folder / "tunneldoctor.toml").write_text(
        f'[tunnels.orders]\nssh_url = "ssh://tunnel@{host}:{port}"\nprivate_key = "file:key"\n'
        f'remote_bind = "db.internal:5432"\nconnect_timeout = "{_LONG}"\n'
    )


@contextmanager
def serving(answer: bytes | None) -> Iterator[tuple[int, threading.Event]]:
    """A server that says *answer* to everybody and ends, or says nothing; its port, and what is set when one came."""
    came = threading.Event()
    connections: list[socket.socket] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            connections.append(connection)
            came.set()
            if answer:
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        yield listener.getsockname()[1], came
        listener.shutdown(socket.SHUT_RDWR)
        server.join(10)
    for connection in connections:
        connection.close()


@pytest.fixture
def hanging(tmp_path: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    """An examination in its middle: the bastion took the connection and says nothing."""
    with serving(None) as (port, came):
        write_tunnel(tmp_path, "127.0.0.1", port)
        with terminal(tmp_path, ["tui", "orders"], environment) as screen:
            assert came.wait(60)
            screen.wait_for("running")
            yield screen


def test_the_diagnosis_is_seen_copied_saved_and_stays_after_q(
    demo: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    with terminal(tmp_path, ["tui", "demo", "--config", str(demo)], environment) as screen:
        screen.wait_for("demo is broken: 127.0.0.1 does not allow forwarding")
        assert "(forward.prohibited)" in screen.wait_for("forward.prohibited")
        screen.press("y")
        screen.wait_for("sent to the terminal's clipboard (OSC 52)")
        assert "sshd" in screen.clipboard
        screen.press("s")
        screen.wait_for("Save the report")
        screen.press("Enter")
        screen.wait_until(lambda shown: "Save the report" not in shown, "it was not saved")
        assert "forward.prohibited" in next(tmp_path.glob("demo-*.md")).read_text()
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert "forward.prohibited" in screen.screen
        assert "tunneldoctor explain" in screen.screen
        assert screen.left_behind == ""


def test_a_tunnel_is_chosen_from_the_list_and_examined(demo: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    shutil.copy(demo, tmp_path / "tunneldoctor.toml")
    with terminal(tmp_path, [], environment, size=(80, 24)) as screen:
        screen.wait_for("not examined yet")
        screen.press("Enter")
        screen.wait_for("demo is")
        screen.press("Escape")
        screen.wait_for("examine")
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.left_behind == ""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_in_the_middle_leaves_the_terminal_as_it_was(
    hanging: Terminal, number: signal.Signals, status: int
) -> None:
    hanging.kill(number)
    assert hanging.wait_for_end() == status
    assert hanging.left_behind == ""


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_q_and_ctrl_c_end_it_at_once_while_a_check_hangs(hanging: Terminal, key: str) -> None:
    hanging.press(key)
    assert hanging.wait_for_end() == 0
    assert hanging.left_behind == ""


def test_a_terminal_that_is_closed_takes_the_program_with_it(hanging: Terminal) -> None:
    hanging.close()
    assert hanging.is_gone()


@pytest.fixture
def black_hole() -> Iterator[tuple[str, ...]]:
    """A namespace where every packet gets lost; the command that runs another in it."""
    name = f"td-tui-{os.getpid()}"
    resolver = Path("/etc/netns") / name
    try:
        subprocess.run(["ip", "netns", "add", name], check=True)
        for words in (
            "link set lo up",
            "link add hole0 type veth peer name hole1",
            "address add 198.51.100.2/24 dev hole0",
            "link set hole1 up",
            "link set hole0 up",
            "neigh add 198.51.100.1 lladdr 02:00:00:00:00:01 dev hole0 nud permanent",  # nobody has this address
            "route add default via 198.51.100.1",
        ):
            subprocess.run(["ip", "-n", name, *words.split()], check=True)
        resolver.mkdir(parents=True)
        (resolver / "resolv.conf").write_text("nameserver 203.0.113.53\noptions timeout:30 attempts:5\n")
        yield ("ip", "netns", "exec", name)
    finally:
        shutil.rmtree(resolver, ignore_errors=True)
        subprocess.run(["ip", "netns", "delete", name], check=False)


@namespaces
@pytest.mark.parametrize("host", ["bastion.example.com", "203.0.113.10"], ids=["dead name", "black hole"])
def test_q_ends_it_at_once_while_the_network_swallows_everything(
    black_hole: tuple[str, ...], tmp_path: Path, environment: dict[str, str], host: str
) -> None:
    write_tunnel(tmp_path, host)
    with terminal(tmp_path, ["tui", "orders"], environment, inside=black_hole) as screen:
        screen.wait_for("running")
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.left_behind == ""


def test_a_hostile_server_can_not_drive_the_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    hostile = b"SSH-2.0-OpenSSH_9.9 \x1b]2;PWNED\x07\x1b]52;c;UFdORUQ=\x07\x1b[?1049l [/bold] \xc2\x9b2J\r\n"
    with serving(hostile) as (port, _):
        write_tunnel(tmp_path, "127.0.0.1", port)
        with terminal(tmp_path, ["tui", "orders"], environment) as screen:
            screen.wait_for("orders is broken")
            assert "\\x1b]2;PWNED" in screen.wait_for("PWNED")
            assert screen.clipboard == ""
            screen.press("Y")
            screen.wait_for("sent to the terminal's clipboard")
            assert "\\x1b]2;PWNED" in screen.clipboard
            assert "\x1b" not in screen.clipboard
            screen.press("l")
            screen.wait_for("ssh-keygen")
            screen.press("q")
            screen.wait_for_end()
            assert screen.left_behind == ""


def test_without_a_terminal_it_says_what_to_use_instead(tmp_path: Path, environment: dict[str, str]) -> None:
    write_tunnel(tmp_path, "127.0.0.1")
    with terminal(tmp_path, ["tui", "orders"], environment | {"CI": "true"}) as screen:
        assert screen.wait_for_end() == 2
        assert "tunneldoctor check orders" in screen.screen
        assert screen.left_behind == ""
