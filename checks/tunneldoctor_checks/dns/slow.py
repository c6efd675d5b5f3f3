"""Where the name resolves, but slowly: which name server does not answer, or not for both families?

Every program that connects waits as long: some give up first. Only said where a server is seen to be silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Value, Where, found
from tunneldoctor_checks.facts import ENDPOINT, LOOKUP_SLOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.net.replies import Reply

#: Seconds that a server may take; most of the deadline may be gone already.
_ROUND, _MARGIN = 2.2, 0.3


def run(context: Context) -> Outcome:
    """Ask every name server for both families of the name."""
    from tunneldoctor.net import nameservers

    slow, host = context.need(LOOKUP_SLOW), context.need(ENDPOINT).host
    seconds = min(_ROUND, context.remaining() - _MARGIN)
    if seconds < 1:
        return Outcome(unknown="there was no time left to ask the name servers one by one")
    configuration = nameservers.configured()
    names = configuration.candidates(host)
    replies = nameservers.ask_all(configuration.servers, names, seconds, context.cancelled)
    silent = [reply for reply in replies if reply.answer in {"no reply", "unreachable"}]
    if not silent or context.cancelled.is_set():
        return Outcome()
    params: dict[str, Value] = {
        "host": host,
        "seconds": round(slow, 1),
        "server": str(silent[0].server),
        "server_ip": silent[0].server.address,
        "what": _what(silent, replies),
    }
    evidence = (Evidence("timing", f"getaddrinfo took {slow:.1f} s"), *(Evidence("message", str(r)) for r in replies))
    return found(Finding("dns.slow", params, evidence))


def _what(silent: Sequence[Reply], replies: Sequence[Reply]) -> str:
    first = silent[0]
    answered = {reply.family for reply in replies if reply.server == first.server and reply not in silent}
    return f"questions for {first.family} records" if answered - {first.family} else "any question"


CHECK = Check(
    id="dns.slow",
    layer=Layer.DNS,
    title="the name resolves without a wait",
    where=Where.FIRST_HOP,
    run=run,
    needs=(ENDPOINT, LOOKUP_SLOW),
    codes=("dns.slow",),
)
