"""known_hosts can be read, and what it pins for the hop is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Hop, Layer, Outcome, SecretUnavailable, Value, Where
from tunneldoctor_checks.facts import ENDPOINT, PINS

if TYPE_CHECKING:
    from tunneldoctor.ssh.known_hosts import BadLines, File

#: Unreadable lines that are reported one by one; the rest are counted.
_MOST = 5
#: Seconds kept back of the deadline.
_MARGIN = 0.2


def run(context: Context) -> Outcome:
    """Read known_hosts, or take the fingerprints that the configuration pins instead."""
    from tunneldoctor.ssh.known_hosts import TooManyLines, read
    from tunneldoctor.ssh.pins import Pins

    hop, endpoint = context.hop, context.need(ENDPOINT)
    if hop.host_keys:
        name = (hop.host_key_alias or endpoint.host).lower()
        return Outcome(facts={PINS: Pins(name, name, fingerprints=hop.host_keys)})
    known = read(_sources(context, hop))
    try:
        left = context.remaining() - _MARGIN
        pins, bad = known.examine(endpoint.host, endpoint.port, hop.host_key_alias, timeout=left)
    except TooManyLines as error:
        return Outcome(
            unknown=f"known_hosts is too long to be read within connect_timeout: the time was over at {error}"
        )
    missing = tuple(f"{file.name} {file.problem}" for file in known.files if file.problem)
    return Outcome(tuple(_findings(bad)), {PINS: replace(pins, missing=missing)})


def _sources(context: Context, hop: Hop) -> Iterator[Path | File]:
    """Files are read here, for they may be larger than any secret; whatever else is a text."""
    from tunneldoctor.ssh.known_hosts import File, default_files

    if hop.known_hosts is None:
        yield from default_files()
    for reference in hop.known_hosts or ():
        if reference.scheme == "file":
            yield Path(reference.name).expanduser()
            continue
        try:
            yield File(str(reference), context.secret(reference).reveal())
        except SecretUnavailable as error:
            yield File(str(reference), None, error.reason)


def _findings(bad: BadLines) -> Iterator[Finding]:
    for number, line in enumerate(bad.first[:_MOST], 1):
        evidence = [Evidence("file", f"{line.file}:{line.number}: {line.reason}")]
        if number == _MOST and bad.count > _MOST:
            evidence.append(Evidence("file", f"{bad.count - _MOST} more lines that nobody can read"))
        params: dict[str, Value] = {"file": line.file, "line": line.number, "reason": line.reason}
        yield Finding("hostkey.bad-known-hosts-line", params, tuple(evidence))


CHECK = Check(
    id="hostkey.pins",
    layer=Layer.HOSTKEY,
    title="known_hosts can be read",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.known_hosts",),
    needs=(ENDPOINT,),
    gives=(PINS,),
    codes=("hostkey.bad-known-hosts-line",),
    run=run,
)
