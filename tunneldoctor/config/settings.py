"""Settings with where they came from, and the order in which places win."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunneldoctor.model import Origin, Problem, Severity

if TYPE_CHECKING:
    from tunneldoctor.config.ssh_host import SshHost


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
