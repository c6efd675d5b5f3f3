from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tunneldoctor.model import Address, Database, Origin, Outcome, Severity, Tunnel
from tunneldoctor_checks.config._holder import _is_this_tunnel
from tunneldoctor_checks.config.local_port import CHECK

Make = Callable[..., Tunnel]
Run = Callable[..., Outcome]
#: Listens on a free port, says which, and ends when its standard input does.
LISTEN = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@contextmanager
def listening(program: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """Another process that listens; its port and its id."""
    process = subprocess.Popen(
        [program, "-c", LISTEN, *arguments], executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process.pid


def test_any_port_that_is_free_passes(make_tunnel: Make, run_check: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    assert run_check(CHECK, make_tunnel(local_port=0)) == Outcome()
    assert run_check(CHECK, make_tunnel(local_port=free)) == Outcome()


def test_what_is_left_of_old_connections_does_not_count(make_tunnel: Make, run_check: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        served, _ = listener.accept()
        served.close()  # this side closes first, so it keeps the address in TIME_WAIT
        assert client.recv(1) == b""
        client.close()
    assert run_check(CHECK, make_tunnel(local_port=port)) == Outcome()


def test_a_port_that_is_taken_names_its_holder(make_tunnel: Make, run_check: Run) -> None:
    with listening(sys.executable) as (port, pid):
        (finding,) = run_check(CHECK, make_tunnel(local_port=port)).findings
    assert (finding.code, finding.severity) == ("config.local-port-in-use", None)
    assert f"pid {pid}" in str(finding.params["holder"])
    assert finding.params["port"] == port


def test_a_holder_on_all_addresses_is_found(make_tunnel: Make, run_check: Run) -> None:
    with socket.create_server(("", 0)) as listener:
        port = listener.getsockname()[1]
        (finding,) = run_check(CHECK, make_tunnel(local_port=port)).findings
    assert f"pid {os.getpid()}" in str(finding.params["holder"])


def test_who_listens_beside_it_gets_what_is_meant_for_localhost(make_tunnel: Make, run_check: Run) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        named, numbered = (Database("postgresql", host, port) for host in ("localhost", "127.0.0.1"))
        (finding,) = run_check(CHECK, make_tunnel(local_port=port, database=named)).findings
        assert run_check(CHECK, make_tunnel(local_port=port, database=numbered)) == Outcome()
    assert (finding.code, finding.severity) == ("config.local-port-in-use", Severity.WARNING)
    assert finding.params["local_address"] == "::1"
    assert f"pid {os.getpid()}" in str(finding.params["holder"])


def test_this_very_tunnel_already_up_is_no_fault(make_tunnel: Make, run_check: Run) -> None:
    # A process that looks like ssh -L from outside; a real one would need a bastion that works.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    program = LISTEN.replace('("127.0.0.1", 0)', f'("127.0.0.1", {port})')
    process = subprocess.Popen(
        ["ssh", "-c", program, "-L", f"{port}:db.internal:5432", "tunnel@bastion"],
        executable=sys.executable,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONHOME": sys.base_prefix},  # Python finds itself by its name, which is not its own here
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        tunnel = make_tunnel(local_port=port, remote=Address("db.internal", 5432))
        (finding,) = run_check(CHECK, tunnel).findings
    assert (finding.code, finding.severity) == ("config.local-port-in-use", Severity.INFO)


@pytest.mark.parametrize(
    ("command", "same"),
    [
        ("ssh -N -L 15432:db:5432 u@b", True),
        ("/usr/bin/ssh -NL 127.0.0.1:15432:db:5432 u@b", True),
        ("autossh -M0 -L15432:DB:5432 u@b", True),
        ("ssh -o LocalForward=15432:db:5432 u@b", True),
        ("ssh -oLocalForward=15432:db:5432 u@b", True),
        ("ssh -L 15432:other:5432 u@b", False),
        ("ssh -L 15433:db:5432 u@b", False),
        ("ssh -L", False),
        ("ssh u@b", False),
        ("python -L 15432:db:5432", False),
        ("", False),
    ],
)
def test_a_forward_on_a_command_line(make_tunnel: Make, command: str, same: bool) -> None:
    tunnel = make_tunnel(local_port=15432, remote=Address("db", 5432))
    assert _is_this_tunnel(command.split(), tunnel) is same


def test_an_ssh_that_was_called_by_its_hosts_name(make_tunnel: Make) -> None:
    from_ssh_config = {"bastion_host": Origin("~/.ssh/config")}
    assert _is_this_tunnel(["ssh", "-N", "orders"], make_tunnel(local_port=1, origins=from_ssh_config))
    assert not _is_this_tunnel(["ssh", "-N", "orders"], make_tunnel(local_port=1))


def test_an_address_that_this_machine_has_not_got(make_tunnel: Make, run_check: Run) -> None:
    (finding,) = run_check(CHECK, make_tunnel(local_address="192.0.2.1")).findings
    assert finding.code == "config.local-address-unavailable"
    (finding,) = run_check(CHECK, make_tunnel(local_address="no-address")).findings
    assert finding.code == "config.local-address-unavailable"


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and a network namespace")
def test_a_port_that_is_kept_for_root(run_check: Run) -> None:
    """In a network namespace of its own, with an ordinary user's rights: only there the system's limit is known."""
    script = """
import encodings.idna, os, subprocess  # the first, because the library's folder may be closed to that user
from tests.checks.doubles import a_context, a_tunnel, examine
from tunneldoctor_checks.config.local_port import CHECK
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
os.setuid(65534)
print(*(each.code for each in examine(CHECK, a_context(CHECK, a_tunnel(local_port=432))).findings))
"""
    result = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30
    )
    assert result.stdout.strip() == "config.local-port-privileged", result.stderr
