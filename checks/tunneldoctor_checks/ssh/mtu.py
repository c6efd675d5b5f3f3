"""Full-sized packets reach the first hop: a look at a key exchange that stalls."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Layer, Outcome, Where, confirms
from tunneldoctor_checks.facts import HANDSHAKE_SLOW

#: Seconds kept back of the deadline, so that the stalled handshake itself still hears of what was seen.
_MARGIN = 0.5


def run(context: Context) -> Outcome:
    """Do the same handshake over segments of 536 bytes, which get through where full-sized ones vanish."""
    from tunneldoctor.ssh.front import connect_with_small_segments
    from tunneldoctor.ssh.transport import Transport

    slow = context.need(HANDSHAKE_SLOW)
    if slow.stage not in {"no-kexinit", "kex-stalled"}:
        return Outcome(skipped="the handshake did not get as far as the first large packet")
    if slow.address is None:
        return Outcome(skipped="not a connection of this machine's own")
    context.budget.bare_connection(context.hop.name)
    try:
        small = context.closing(connect_with_small_segments(slow.address, max(0.1, context.remaining() - _MARGIN)))
    except OSError as error:
        return Outcome(unknown=f"a second connection could not be opened: {error}")
    result = Transport.handshake(small, timeout=max(0.1, context.remaining() - _MARGIN))
    if not isinstance(result, Transport):
        slow.note("with segments of at most 536 bytes the handshake does not complete either: not the packet size")
        return Outcome(skipped="small packets do not get through either, so the packet size is not what stalls it")
    result.close()
    seen = "with segments of at most 536 bytes the same handshake completes: full-sized packets are lost on the way"
    slow.note(seen)
    return Outcome(rulings=(confirms("ssh.kex-stalled", seen),))


CHECK = Check(
    id="ssh.mtu",
    layer=Layer.SSH,
    title="full-sized packets reach the server",
    where=Where.FIRST_HOP,
    run=run,
    needs=(HANDSHAKE_SLOW,),
)
