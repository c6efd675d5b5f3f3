"""What the configuration pins for a hop: its ``host_key`` fingerprints, else what its known_hosts say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tunneldoctor.model import Address, Hop, Reference, Secret, SecretUnavailable
from tunneldoctor.ssh.known_hosts import File, default_files, read
from tunneldoctor.ssh.known_hosts_line import BadLines
from tunneldoctor.ssh.pins import Pins

ReadSecret = Callable[[Reference], Secret]


def pinned(hop: Hop, address: Address, secret: ReadSecret, timeout: float) -> tuple[Pins, BadLines]:
    """The pins for *hop* at *address*, and the lines that nobody can read. Raises TooManyLines after *timeout* s."""
    if hop.host_keys:
        name = (hop.host_key_alias or address.host).lower()
        return Pins(name, name, fingerprints=hop.host_keys), BadLines()
    known = read(_sources(hop, secret))
    pins, bad = known.examine(address.host, address.port, hop.host_key_alias, timeout=timeout)
    missing = tuple(f"{file.name} {file.problem}" for file in known.files if file.problem)
    return replace(pins, missing=missing), bad


def _sources(hop: Hop, secret: ReadSecret) -> Iterator[Path | File]:
    """Files are read there, for they may be larger than any secret; whatever else is a text."""
    if hop.known_hosts is None:
        yield from default_files()
    for reference in hop.known_hosts or ():
        if reference.scheme == "file":
            yield Path(reference.name).expanduser()
            continue
        try:
            yield File(str(reference), secret(reference).reveal())
        except SecretUnavailable as error:
            yield File(str(reference), None, error.reason)
