"""A jump host opens a connection to the SSH port of the hop behind it.

The same faults as on the last stretch to the database, so the same codes.
"""

from tunneldoctor.model import Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.facts import CERTIFICATE_FAULTS, ENDPOINT, FORWARD_REFUSED, LOOK_WANTED, SESSION, STREAM
from tunneldoctor_checks.forward._opening import CODES, open_channel


def run(context: Context) -> Outcome:
    """Ask this hop for a channel to the next one."""
    target = context.need(ENDPOINT.after)
    behind = context.tunnel.hops[context.tunnel.hops.index(context.hop) + 1]
    return open_channel(context, target, STREAM.after, {f"{behind.name}.address": target.host})


CHECK = Check(
    id="forward.through",
    layer=Layer.FORWARD,
    title="the jump host opens a connection to the next hop",
    where=Where.JUMP_HOPS,
    run=run,
    needs=(SESSION, ENDPOINT.after),
    wants=(CERTIFICATE_FAULTS,),
    gives=(STREAM.after, FORWARD_REFUSED, LOOK_WANTED),
    codes=CODES,
)
