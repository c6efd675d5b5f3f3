"""known_hosts can be read, and what it pins for the hop is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Value, Where
from tunneldoctor_checks.facts import ENDPOINT, PINS

if TYPE_CHECKING:
    from tunneldoctor.ssh.known_hosts_line import BadLines

#: Unreadable lines that are reported one by one; the rest are counted.
_MOST = 5
#: Seconds kept back of the deadline.
_MARGIN = 0.2


def run(context: Context) -> Outcome:
    """Read known_hosts, or take the fingerprints that the configuration pins instead."""
    from tunneldoctor.ssh.known_hosts import TooManyLines
    from tunneldoctor.ssh.pinned import pinned

    try:
        pins, bad = pinned(context.hop, context.need(ENDPOINT), context.secret, context.remaining() - _MARGIN)
    except TooManyLines as error:
        return Outcome(
            unknown=f"known_hosts is too long to be read within connect_timeout: the time was over at {error}"
        )
    except OSError as error:
        return Outcome(unknown=f"known_hosts could not be read to its end: {error}")
    return Outcome(tuple(_findings(bad)), {PINS: pins})


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
    loads=("tunneldoctor.ssh.pinned",),
    needs=(ENDPOINT,),
    gives=(PINS,),
    codes=("hostkey.bad-known-hosts-line",),
    run=run,
    equivalent="ssh-keygen -F {known_hosts_name} -f {known_hosts}",
)
