"""Settings with where they came from, and the order in which places win."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunneldoctor.model import Hop, Origin, Problem, Reference, Severity

#: Where what a user's ssh_config says came from.
SSH_CONFIG = Origin("~/.ssh/config")


@dataclass(frozen=True, slots=True)
class Entry:
    """One value: text, a port, seconds, or a list. ``base`` is where a relative path in it starts.

    ``exposed`` is True for a value of the command line, which others can see in the list of processes.
    """

    value: Any = field(repr=False)
    origin: Origin
    base: Path
    exposed: bool = False


#: The settings of one place: options, a tunnel's table, ``[defaults]``, or ssh_config.
Place = Mapping[str, Entry]
#: Gives the entry of a key, or None.
Find = Callable[[str], Entry | None]


@dataclass(frozen=True, slots=True)
class SshHost:
    """What ssh_config says of one host beyond what a key of the configuration can say."""

    place: Place
    private_keys: tuple[Reference, ...] = ()
    agent: str | None = None
    certificate: Reference | None = None
    known_hosts: tuple[Reference, ...] | None = None
    host_key_alias: str | None = None
    jumps: tuple[Hop, ...] = ()
    problems: tuple[Problem, ...] = ()
    several_forwards: bool = False
    local_address: str = "127.0.0.1"
    agent_socket: str | None = None
    address_family: str = "any"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What reading depends on beside the file: environment variables, home and current folder."""

    environ: Mapping[str, str]
    home: Path
    cwd: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """All places of one tunnel, nearest first, and what ssh_config says of its host."""

    places: tuple[Place, ...]
    surroundings: Surroundings
    ssh: SshHost | None = None

    def find(self, key: str) -> Entry | None:
        """The nearest entry of *key*, or None."""
        return next((place[key] for place in self.places if key in place), None)


class Draft:
    """What is found out about a tunnel while it is built: problems, and where each value came from."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.origins: dict[str, Origin] = {}

    def problem(
        self, code: str, hop: str, key: str, origin: Origin, severity: Severity | None = None, /, **params: str
    ) -> None:
        """Note that something could not be read."""
        self.problems.append(Problem(code, hop, key, origin, params, severity))

    def came_from(self, key: str, origin: Origin) -> None:
        """Note where *key*'s value came from."""
        self.origins[key] = origin
