"""Where connecting fails or hangs: which way this machine sends the packets, and how far they get.

At half time of a connection that hangs the other half of the deadline is used for both. Should the connection be made
after all by then, the warning about the route still stands beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Address, Check, Context, Evidence, Finding, Layer, Outcome, Value, Where
from tunneldoctor_checks.facts import ADDRESSES, CONNECT_TROUBLE, ENDPOINT

if TYPE_CHECKING:
    from tunneldoctor.net.connect import Trouble
    from tunneldoctor.net.interfaces import Way

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.3
#: After these somebody at the far end, or near it, has answered: the way there exists.
_ANSWERED = {"refused", "reset", "refused-by-firewall"}


def run(context: Context) -> Outcome:
    """Look at the route to a private address; follow a hanging connection from router to router."""
    trouble = context.need(CONNECT_TROUBLE)
    findings = [*_route(context.need(ADDRESSES), trouble)]
    if trouble.slow:
        findings += _path(context, trouble)
    return Outcome(tuple(findings))


def _route(addresses: tuple[str, ...], trouble: Trouble) -> list[Finding]:
    from tunneldoctor.net.interfaces import is_led_to, way_to
    from tunneldoctor.net.scope import is_private

    if any(attempt.result in _ANSWERED for attempt in trouble.attempts):
        return []
    lost = next((each for each in addresses if is_private(each) and not is_led_to(each)), None)
    return [_vpn_missing(lost, way_to(lost))] if lost else []


def _vpn_missing(address: str, way: Way | None) -> Finding:
    if way is None:
        text = f"this machine has no route to {address}"
    else:
        interface = way.interface or "an unnamed interface"
        text = f"{address} would leave through {interface} from {way.source}, by the default route alone"
    params: dict[str, Value] = {
        "address": address,
        "interface": (way and way.interface) or "none",
        "source": way.source if way else "none",
    }
    return Finding("tcp.vpn-missing", params, (Evidence("message", text),))


def _path(context: Context, trouble: Trouble) -> list[Finding]:
    """The last router that answers, for the first address that is still silent."""
    from tunneldoctor.net.walk import walk

    decided = {attempt.target.host for attempt in trouble.attempts}
    silent = next((each for each in context.need(ADDRESSES) if each not in decided), None)
    if silent is None:
        return []
    context.budget.bare_connection(context.hop.name)
    target = Address(silent, context.need(ENDPOINT).port)
    context.progress(f"following the way to {target}")
    seen = walk(target, context.remaining() - _MARGIN, context.cancelled)
    if seen.reached or seen.last is None:
        return []
    params: dict[str, Value] = {"address": str(target), "router": seen.last.address, "hops": seen.last.hops}
    lines = [f"hop {router.hops}: {router.address}" for router in seen.routers]
    lines.append(f"no answer with a time to live of {', '.join(str(ttl) for ttl in seen.silent)}")
    return [Finding("tcp.path-ends-at", params, tuple(Evidence("message", line) for line in lines))]


CHECK = Check(
    id="tcp.route",
    layer=Layer.TCP,
    title="the way to the host shows nothing amiss",
    where=Where.FIRST_HOP,
    run=run,
    needs=(ENDPOINT, ADDRESSES, CONNECT_TROUBLE),
    codes=("tcp.vpn-missing", "tcp.path-ends-at"),
)
