"""The Hosts of the user's ssh_config that are tunnels already: those with a LocalForward. Nothing is run for that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tunneldoctor.config.settings import Surroundings
from tunneldoctor.config.ssh_config import Asked, read
from tunneldoctor.config.ssh_lookup import user_config
from tunneldoctor.model import visible

_HOST_LINE = re.compile(r"^[ \t]*host[ \t=]+(.*)$", re.IGNORECASE | re.MULTILINE)
#: Characters of ssh_config that are read for the names, and how many Hosts are looked at.
_LARGEST, _MOST = 1024 * 1024, 500


@dataclass(frozen=True, slots=True)
class SshTunnel:
    """A Host, the server that it means, and the target of its (first) LocalForward, as they stand there."""

    name: str
    server: str
    target: str


def host_names(config: Path) -> list[str]:
    """The plain names on Host lines of the file *config*; what it includes is left out."""
    try:
        if not config.is_file():  # opening a FIFO would wait for its writer
            return []
        with config.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LARGEST)
    except OSError:
        return []
    names = (name for line in _HOST_LINE.findall(text) for name in line.split())
    return [name for name in names if not set(name) & set('*?!"')]


def ssh_tunnels(surroundings: Surroundings) -> Iterator[SshTunnel]:
    """The Hosts with a LocalForward, in the file's order."""
    config = user_config(surroundings)
    for name in list(dict.fromkeys(host_names(config)))[:_MOST]:
        options = read(config, surroundings.home, Asked(name)).options
        if forwards := options.get("localforward"):
            server = options.get("hostname", [name])[0].replace("%h", name)
            yield SshTunnel(name, visible(server, 200), visible(forwards[0].split()[-1], 200))
