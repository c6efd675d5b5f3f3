"""What the system's name servers say about the first hop's name, and the finding where that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.net.compare import Opinion

#: Seconds for one round of questions, and those kept back of the deadline for putting the outcome together.
ROUND, MARGIN = 1.2, 0.3


def ask(context: Context, host: str) -> tuple[Opinion, ...]:
    """One round: each server that answers in time, with what it knows."""
    from tunneldoctor.net.nameservers import opinions_of_all

    return opinions_of_all(host, min(ROUND, context.remaining() - MARGIN), context.cancelled)


def differ(
    host: str, addresses: Sequence[str], source: str, lines: Sequence[str], unlike: Sequence[Opinion]
) -> Finding:
    """*source* gives *addresses*, the servers of *unlike* something else altogether; *lines* say where they stand."""
    params: dict[str, Value] = {
        "host": host,
        "addresses": ", ".join(addresses),
        "source": source,
        "server": str(unlike[0].server),
        "server_ip": unlike[0].server.address,
        "other_addresses": ", ".join(unlike[0].addresses),
    }
    told = [*lines, *(f"{each} (asked twice)" for each in unlike)]
    return Finding("dns.answers-differ", params, tuple(Evidence("message", line) for line in told))
