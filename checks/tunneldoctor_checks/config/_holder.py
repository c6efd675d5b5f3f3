"""Who listens on the tunnel's local port."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import psutil

from tunneldoctor.model import Tunnel, visible

_SSH = {"ssh", "autossh", "ssh.exe"}
_ANY = {"0.0.0.0", "::"}  # noqa: S104 - what others listen on


@dataclass(frozen=True, slots=True)
class Holder:
    """The process, in words, and whether it is this very tunnel, already up."""

    text: str
    is_this_tunnel: bool = False


def find_holder(tunnel: Tunnel) -> Holder:
    """The process that listens on the local port; other users' processes can't always be seen."""
    for pid in _listeners(tunnel):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            text = f"{process.name()} (pid {pid}, user {process.username()})"
            return Holder(visible(text, 200), _is_this_tunnel(_arguments(process), tunnel))
    return Holder("a process of another user, which can't be seen from this account")


def _arguments(process: psutil.Process) -> Sequence[str]:
    """The command line, which is never shown: it may hold secrets."""
    try:
        return process.cmdline()
    except psutil.Error:
        return ()


def _listeners(tunnel: Tunnel) -> Iterator[int]:
    for pid, connection in _connections():
        place = connection.laddr
        if connection.status != psutil.CONN_LISTEN or not place or place.port != tunnel.local_port:
            continue
        if pid and (place.ip == tunnel.local_address or {place.ip, tunnel.local_address} & _ANY):
            yield pid


def _connections() -> Iterator[tuple[int | None, Any]]:
    """All TCP sockets, or where the system gives them to root alone (macOS), those of our own processes."""
    try:
        for connection in psutil.net_connections("tcp"):
            yield connection.pid, connection
    except psutil.AccessDenied:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                for own in process.net_connections("tcp"):
                    yield process.pid, own


def _is_this_tunnel(arguments: Sequence[str], tunnel: Tunnel) -> bool:
    """True for an ``ssh`` that was told to forward this port to this target, or that was called by its Host's name."""
    if not arguments or PurePath(arguments[0]).name not in _SSH:
        return False
    if any(_same_forward(each, tunnel) for each in _forwards(arguments[1:])):
        return True
    from_ssh_config = str(tunnel.origin("bastion_host")) == "~/.ssh/config"
    return from_ssh_config and tunnel.name in arguments[1:]


def _forwards(arguments: Sequence[str]) -> Iterator[str]:
    """What follows ``-L``, in the same word or the next, or ``-o LocalForward=``."""
    for at, word in enumerate(arguments):
        if match := re.match(r"(?:-o)?\s*LocalForward[= ]\s*(.+)", word, re.IGNORECASE):
            yield re.sub(r"\s+", ":", match[1].strip())
        elif match := re.match(r"-[A-Za-z]*?L(.*)", word):
            yield match[1] or (arguments[at + 1] if at + 1 < len(arguments) else "")


def _same_forward(written: str, tunnel: Tunnel) -> bool:
    """``[address:]port:host:hostport`` (ssh(1), -L)."""
    match = re.fullmatch(r"(?:.*:)?(\d+):(\[[^\]]+\]|[^:\[\]]+):(\d+)", written)
    if match is None or tunnel.remote is None:
        return False
    target = (match[2].strip("[]").lower(), int(match[3]))
    return int(match[1]) == tunnel.local_port and target == (tunnel.remote.host.lower(), tunnel.remote.port)
