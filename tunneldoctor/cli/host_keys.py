"""The host keys that a tunnel's servers show, and what is pinned for them: what ``tunneldoctor pin`` works on."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunneldoctor.cli.failure import Failure, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.model import Hop, Report, Tunnel
    from tunneldoctor.ssh.pins import Judgement, Pins

#: The check that asks for a key of each type; it runs only where it is asked for by name.
_LOOK = "hostkey.all-keys"


@dataclass(frozen=True, slots=True)
class Server:
    """One hop's keys, those that ssh prefers first, each with what the pins say about it.

    ``file`` is where pins are written, None where that can't be; ``trouble`` says why there are no keys.
    """

    hop: str
    pins: Pins
    keys: tuple[Judgement, ...]
    file: Path | None
    trouble: str = ""

    @property
    def settled(self) -> bool:
        """True where clients get past the host key as things are; a fingerprint is pinned for one key of several."""
        wrong = not self.by_configuration and any(key.trust in ("changed", "revoked") for key in self.keys)
        return any(key.trusted for key in self.keys) and not wrong

    @property
    def by_configuration(self) -> bool:
        """True where ``host_key`` pins the server, and known_hosts does not count."""
        return bool(self.pins.fingerprints)


def servers(tunnel: Tunnel, hop: str | None, stop: Stop) -> list[Server]:
    """The servers of *tunnel*, or the one of *hop*, as they show themselves now. Raises :class:`Failure`."""
    hops = [each for each in tunnel.hops if hop in (None, each.name)]
    if not hops:
        raise Failure(f"no hop is called {hop}; there is {', '.join(each.name for each in tunnel.hops)}")
    report = _look(tunnel, stop)
    if stop.is_set:
        raise Failure("interrupted", exit_code=stop.exit_code or 130)
    return [_server(each, report) for each in hops]


def _look(tunnel: Tunnel, stop: Stop) -> Report:
    from tunneldoctor.cli.checks import installed_catalog, installed_packages
    from tunneldoctor.cli.examine import Request, examine
    from tunneldoctor.model import Policy

    request = Request(installed_packages(), installed_catalog(), Policy(only=(_LOOK,)), None, note)
    return examine(tunnel, request, stop, lambda event: None)


def _server(hop: Hop, report: Report) -> Server:
    from tunneldoctor.ssh.host_trust import judge
    from tunneldoctor.ssh.pins import PREFERENCE

    pins = _pins(hop, report.tunnel)
    shown = {kind: str(value) for kind, value in _shown(hop.name, report)}
    keys = tuple(judge(pins, base64.b64decode(shown[kind])) for kind in PREFERENCE if kind in shown)
    return Server(hop.name, pins, keys, _file(hop), "" if keys else _trouble(report))


def _shown(hop: str, report: Report) -> Iterator[tuple[str, object]]:
    prefix = f"{hop}.host_key."
    return ((name.removeprefix(prefix), value) for name, value in report.facts.items() if name.startswith(prefix))


def _pins(hop: Hop, tunnel: Tunnel) -> Pins:
    from tunneldoctor.config import read_secret
    from tunneldoctor.ssh.known_hosts import TooManyLines
    from tunneldoctor.ssh.pinned import pinned

    if hop.address is None:
        raise Failure(f"{hop.name} has no host: tunneldoctor check says what is missing")
    try:
        return pinned(hop, hop.address, read_secret, tunnel.connect_timeout)[0]
    except (OSError, TooManyLines) as error:
        raise Failure(f"known_hosts can't be gone through: {error}", exit_code=3) from error


def _file(hop: Hop) -> Path | None:
    """The first known_hosts file, as OpenSSH writes to its first."""
    from tunneldoctor.ssh.known_hosts import default_files

    if hop.known_hosts is None:
        return default_files()[0]
    first = hop.known_hosts[0]
    return Path(first.name).expanduser() if first.scheme == "file" else None


def _trouble(report: Report) -> str:
    diagnosis = report.diagnosis
    if diagnosis is None or diagnosis.code is None:
        return "its host keys could not be read; tunneldoctor check says more"
    return f"not reached: {diagnosis.title} ({diagnosis.code}, {diagnosis.hop})"
