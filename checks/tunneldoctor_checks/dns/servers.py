"""All name servers of this machine say the same about the first hop's name.

Bounded: servers that are slow or silent are left out, so that a healthy run never waits for them for long. Nobody
outside the system's own configuration is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Value, Where, found
from tunneldoctor_checks.dns._opinions import MARGIN, ROUND, ask, differ
from tunneldoctor_checks.facts import ADDRESSES, ENDPOINT

if TYPE_CHECKING:
    from tunneldoctor.net.compare import Opinion

#: Top-level domains that no public name has (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal; the rest by custom).
_NOT_PUBLIC = {
    "local", "internal", "localhost", "test", "invalid", "arpa", "lan", "home", "corp", "private", "intranet",
}  # fmt: skip


def run(context: Context) -> Outcome:
    """Compare what the system resolved with what each of its name servers says."""
    from tunneldoctor.net.resolve import needs_no_dns

    host, addresses = context.need(ENDPOINT).host, context.want(ADDRESSES)
    if needs_no_dns(host):
        return Outcome(skipped="the host needs no DNS")
    if not addresses:
        return Outcome(skipped="the name did not resolve; its name servers were asked then")
    return _compare(context, host, addresses)


def _compare(context: Context, host: str, addresses: tuple[str, ...]) -> Outcome:
    """Ask a second time only where the first round shows a difference."""
    from tunneldoctor.net import compare

    first = ask(context, host)
    unlike = compare.differing(addresses, first)
    if unlike:
        second = compare.merged(first, ask(context, host))
        unlike = compare.differing(_system_again(context, host, addresses), second)
    if finding := _private(host, addresses, unlike):
        return found(finding)
    told = tuple(each for each in unlike if not _split_horizon(addresses, each.addresses))
    if not told:
        return Outcome()
    return found(differ(host, addresses, "the system", [f"the system: {', '.join(addresses)}"], told))


def _system_again(context: Context, host: str, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """The system's answer of now added to its first: rotating answers are no difference."""
    from tunneldoctor.net.resolve import Resolved, SystemLookup

    lookup = SystemLookup(host, context.hop.address_family)
    again = lookup.wait(min(ROUND, context.remaining() - MARGIN), context.cancelled)
    return addresses + again.addresses if isinstance(again, Resolved) else addresses


def _split_horizon(addresses: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """True where one side is the inside view and this machine is inside: a VPN, a lab, a company's network."""
    from tunneldoctor.net.interfaces import is_led_to
    from tunneldoctor.net.scope import is_private

    for inside, outside in ((addresses, others), (others, addresses)):
        if all(map(is_private, inside)) and not any(map(is_private, outside)):
            return any(map(is_led_to, inside))
    return False


def _private(host: str, addresses: tuple[str, ...], unlike: tuple[Opinion, ...]) -> Finding | None:
    """A public name with private addresses that nothing here leads to."""
    from tunneldoctor.net.interfaces import is_led_to, way_to
    from tunneldoctor.net.scope import is_private

    labels = host.removesuffix(".").lower().split(".")
    if len(labels) < 2 or labels[-1] in _NOT_PUBLIC or not all(map(is_private, addresses)):
        return None
    if any(map(is_led_to, addresses)):
        return None
    public = next((each for each in unlike if not any(map(is_private, each.addresses))), None)
    if public is None and any(way_to(each) for each in addresses):
        return None
    why = f"{public.server} answers {', '.join(public.addresses)}" if public else "this machine has no route to it"
    params: dict[str, Value] = {"host": host, "address": addresses[0], "why": why}
    lines = [f"the system: {', '.join(addresses)}", *map(str, unlike), f"{addresses[0]}: {why}"]
    return Finding("dns.private-address", params, tuple(Evidence("message", line) for line in lines))


CHECK = Check(
    id="dns.servers",
    layer=Layer.DNS,
    title="the name servers agree about the name",
    where=Where.FIRST_HOP,
    run=run,
    needs=(ENDPOINT,),
    wants=(ADDRESSES,),
    codes=("dns.answers-differ", "dns.private-address"),
    equivalent="dig {bastion_host}",
)
