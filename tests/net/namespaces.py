"""A small network of its own: client, router and bastion in network namespaces, with real firewall rules between.

    client 198.51.100.2 ── 198.51.100.1 router 203.0.113.1 ── 203.0.113.2 bastion (also 203.0.113.3 …)
       2001:db8:1::2                2001:db8:1::1 | 2001:db8:2::1          2001:db8:2::2

Everything is torn down at the end, also after a failure. The probing side runs inside as a process of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = itertools.count()

usable = pytest.mark.skipif(
    not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("ip") and shutil.which("nft")),
    reason="network namespaces need root, ip and nft",
)


class Lab:
    """Three namespaces; ``rule`` puts a firewall rule on one of them, ``probe`` runs a driver in the client's."""

    def __init__(self) -> None:
        tag = f"td-n{os.getpid()}-{next(_NUMBERS)}"
        self.client, self.router, self.bastion = (f"{tag}{each}" for each in "crb")
        self._processes: list[subprocess.Popen[bytes]] = []
        self._folders: list[Path] = []

    def __enter__(self) -> Lab:
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _build(self) -> None:
        for name in (self.client, self.router, self.bastion):
            _run("ip", "netns", "add", name)
            self.ip(name, "link set lo up")
        self._wire(self.client, "198.51.100.2/24", "2001:db8:1::2/64", "198.51.100.1/24", "2001:db8:1::1/64", "a")
        self._wire(self.bastion, "203.0.113.2/24", "2001:db8:2::2/64", "203.0.113.1/24", "2001:db8:2::1/64", "b")
        self.sysctl(self.router, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        # Linux answers at most one ICMP error a second and peer (icmp(7), icmp_ratelimit): a test sends several.
        self.sysctl(self.router, "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        self.sysctl(self.bastion, "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")
        for name, router4, router6 in (
            (self.client, "198.51.100.1", "2001:db8:1::1"),
            (self.bastion, "203.0.113.1", "2001:db8:2::1"),
        ):
            self.ip(name, f"route add default via {router4}")
            self.ip(name, f"-6 route add default via {router6}")

    def _wire(self, name: str, v4: str, v6: str, router4: str, router6: str, letter: str) -> None:
        ends = ((name, "eth0", v4, v6), (self.router, f"to-{letter}", router4, router6))
        _run("ip", "link", "add", "eth0", "netns", name, "type", "veth", "peer", f"to-{letter}", "netns", self.router)
        for space, device, address4, address6 in ends:
            self.ip(space, f"addr add {address4} dev {device}")
            self.ip(space, f"addr add {address6} dev {device} nodad")
            self.ip(space, f"link set {device} up")

    def ip(self, name: str, words: str) -> None:
        """``ip`` inside a namespace."""
        _run("ip", "-n", name, *words.split())

    def sysctl(self, name: str, *settings: str) -> None:
        _run("ip", "netns", "exec", name, "sysctl", "-qw", *settings)

    def rule(self, name: str, rule: str, hook: str = "input") -> None:
        """One nft rule on the input (or forward, output) of a namespace."""
        text = f"table inet td {{\nchain {hook} {{\ntype filter hook {hook} priority 0;\n{rule}\n}}\n}}\n"
        subprocess.run(["ip", "netns", "exec", name, "nft", "-f", "-"], input=text.encode(), check=True, timeout=20)

    def listen(self, *addresses: str, port: int = 22) -> None:
        """A server in the bastion's namespace that accepts connections and keeps them open."""
        code = (ROOT / "tests/net/listener.py").as_posix()
        command = ["ip", "netns", "exec", self.bastion, sys.executable, code, str(port), *addresses]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    def serve(self, name: str, script: dict[str, Any], address: str = "127.0.0.1") -> None:
        """A scripted name server on port 53 in a namespace; keys are ``"name. A"``."""
        code = (ROOT / "tests/net/nameserver_process.py").as_posix()
        command = ["ip", "netns", "exec", name, sys.executable, code, address, json.dumps(script)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=_environment())
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    def files(self, **files: str) -> None:
        """Files that the client sees below /etc: ``resolv_conf=…``, ``nsswitch_conf=…``, ``hosts=…`` (ip-netns(8))."""
        folder = Path("/etc/netns") / self.client
        folder.mkdir(parents=True, exist_ok=True)
        self._folders.append(folder)
        for name, text in files.items():
            (folder / name.replace("_conf", ".conf")).write_text(text)

    def probe(self, driver: str, **request: Any) -> Any:
        """Run ``tests/…/driver`` in the client's namespace; it gets *request* and prints its answer, both as JSON."""
        command = ["ip", "netns", "exec", self.client, sys.executable, "-W", "error", str(ROOT / driver)]
        answer = subprocess.run(
            [*command, json.dumps(request)], capture_output=True, timeout=60, cwd=ROOT, env=_environment(), check=False
        )
        assert answer.returncode == 0, answer.stderr.decode()
        return json.loads(answer.stdout)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        for name in (self.client, self.router, self.bastion):
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.decode()}"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'checks'}", "PYTHONDONTWRITEBYTECODE": "1"}
