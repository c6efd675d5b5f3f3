"""Further connections that go no further than the host key, within the run's manners and the stage's deadline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tunneldoctor.model import BudgetSpent, Context

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream
    from tunneldoctor.ssh.transport import Transport

#: Seconds for one of them, and those kept back of the deadline.
_EACH, _MARGIN = 2.0, 0.3


def further_key(
    context: Context, stream: Stream, prefer: Sequence[str], address: str | None = None
) -> Transport | None:
    """One more handshake, at another IP *address* of the server if one is given; None where it comes to nothing.

    The caller closes it. Raises BudgetSpent.
    """
    from tunneldoctor.ssh.again import shake_hands_again
    from tunneldoctor.ssh.transport import HandshakeFailure

    seconds = min(_EACH, context.remaining() - _MARGIN)
    if seconds <= 0:
        return None
    context.budget.bare_connection(context.hop.name)
    try:
        result = shake_hands_again(stream, prefer, seconds, address)
    except OSError:
        return None
    return None if isinstance(result, HandshakeFailure) else result


def further_keys(context: Context, stream: Stream, transport: Transport) -> Iterator[Transport]:
    """A connection for each type of host key that the server has beside the one that *transport* was shown.

    Ends early where the budget is spent. The caller closes each.
    """
    from tunneldoctor.ssh.algorithms import host_key_types
    from tunneldoctor.ssh.blobs import key_type
    from tunneldoctor.ssh.pins import PREFERENCE

    shown = {key_type(transport.plain_host_key)}
    offered = host_key_types(transport.offered.host_key)
    for kind in (each for each in PREFERENCE if each in offered and each not in shown):
        try:
            further = further_key(context, stream, (kind,))
        except BudgetSpent:
            return
        if further is not None:
            yield further
