"""The first hop's name resolves, as any program on this machine would resolve it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Severity, Value, Where, found
from tunneldoctor_checks.facts import ADDRESSES, CANONICAL_NAME, ENDPOINT, LOOKUP_SLOW

if TYPE_CHECKING:
    from tunneldoctor.net.nameservers import Configuration
    from tunneldoctor.net.replies import Reply, Verdict
    from tunneldoctor.net.resolve import LookupFailure, Resolved, SystemLookup

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.2
#: Seconds that asking the name servers may take; glibc waits 5 s for one (resolv.conf(5), ``timeout``).
_ASKING = 3.0
#: Seconds from which on a lookup is slow: a healthy one takes a round trip or two.
_SLOW = 2.0
#: By the value of :class:`tunneldoctor.net.replies.Answer`.
_CODES = {
    "NXDOMAIN": "dns.nxdomain",
    "no such record": "dns.no-address",
    "SERVFAIL": "dns.servfail",
    "REFUSED": "dns.refused",
    "no reply": "dns.timeout",
    "unreachable": "dns.resolver-unreachable",
    "too long for UDP, and TCP fails": "dns.tcp-blocked",
}


def run(context: Context) -> Outcome:
    """Ask the system; where that fails, ask each name server what it says."""
    from tunneldoctor.net import resolve, scope

    host = context.need(ENDPOINT).host
    if address := scope.literal(host):
        return _judged(host, (address,))
    if flaw := resolve.flaw(host):
        evidence = Evidence("message", f"no name server was asked for {host!r}: {flaw}")
        return found(
            Finding(
                "dns.nxdomain", {"host": host, "servers": "no name server", "server": "no name server"}, (evidence,)
            )
        )
    lookup = resolve.SystemLookup(host, context.hop.address_family)
    result = lookup.wait(context.half_time(), context.cancelled)
    if isinstance(result, resolve.Resolved):
        return _resolved(host, result)
    return _explain(context, host, lookup)


def _resolved(host: str, result: Resolved) -> Outcome:
    outcome = _judged(host, result.addresses)
    facts = dict(outcome.facts)
    if result.canonical_name.lower() not in ("", host.lower().removesuffix(".")):
        facts[CANONICAL_NAME] = result.canonical_name
    if result.seconds >= _SLOW:
        facts[LOOKUP_SLOW] = result.seconds
    return replace(outcome, facts=facts)


def _judged(host: str, addresses: tuple[str, ...]) -> Outcome:
    """Addresses that are no place to go to are reported, and not handed on.

    Loopback is trusted where somebody wrote it down: for an address given as such, localhost, this machine's own name
    and the hosts file (``dns.hosts`` speaks up where that does not lead anywhere).
    """
    from tunneldoctor.net import resolve, scope
    from tunneldoctor.net.sinkholes import why_not_real

    meant = any(map(scope.is_loopback, addresses)) and (resolve.is_this_machine(host) or resolve.needs_no_dns(host))
    flawed = {each: why for each in addresses if (why := why_not_real(each, loopback_is_fine=meant))}
    good = tuple(each for each in addresses if each not in flawed)
    facts = {ADDRESSES: good} if good else {}
    return found(_not_real(host, flawed, good), facts=facts) if flawed else Outcome(facts=facts)


def _not_real(host: str, flawed: dict[str, str], good: tuple[str, ...]) -> Finding:
    from tunneldoctor.net import resolve

    address, why = next(iter(flawed.items()))
    lines = [f"{host} -> {each}: {reason}" for each, reason in flawed.items()]
    lines += [f"{host} -> {each}" for each in good]
    lines += [f"{resolve.HOSTS} line {entry.line}: {entry.address}" for entry in resolve.hosts_entries(host)]
    params: dict[str, Value] = {"host": host, "address": address, "why": why}
    evidence = tuple(Evidence("message", line) for line in lines)
    return Finding("dns.unspecified-address", params, evidence, Severity.WARNING if good else None)


def _explain(context: Context, host: str, lookup: SystemLookup) -> Outcome:
    """The system's resolver failed, or is slow: what do its name servers say?"""
    from tunneldoctor.net import nameservers, resolve
    from tunneldoctor.net.replies import Answer, judge

    configuration = nameservers.configured()
    context.progress(f"asking {', '.join(map(str, configuration.servers))} about {host}")
    names = configuration.candidates(host)
    seconds = min(_ASKING, context.remaining() - _MARGIN)
    replies = nameservers.ask_all(configuration.servers, names, seconds, context.cancelled)
    late = lookup.wait(context.remaining() - _MARGIN, context.cancelled)
    if isinstance(late, resolve.Resolved):
        return _resolved(host, late)
    failure = late or resolve.LookupFailure(None, "no answer yet", lookup.elapsed)
    verdict = judge(replies, names)
    if verdict.answer is Answer.ADDRESSES:
        return _second_try(context, host, failure, configuration, replies, verdict)
    return found(_finding(host, failure, configuration, replies, verdict))


def _second_try(
    context: Context,
    host: str,
    failure: LookupFailure,
    configuration: Configuration,
    replies: tuple[Reply, ...],
    verdict: Verdict,
) -> Outcome:
    """The name servers know the name now: perhaps the system does too by now."""
    from tunneldoctor.net import resolve

    lookup = resolve.SystemLookup(host, context.hop.address_family)
    again = lookup.wait(context.remaining() - _MARGIN, context.cancelled)
    if isinstance(again, resolve.Resolved):
        return _resolved(host, again)
    return found(_finding(host, failure, configuration, replies, verdict))


def _finding(
    host: str, failure: LookupFailure, configuration: Configuration, replies: tuple[Reply, ...], verdict: Verdict
) -> Finding:
    from tunneldoctor.net import resolve

    evidence = (
        Evidence("message", str(failure)),
        Evidence("file", f"{configuration.source}: name servers {', '.join(map(str, configuration.servers))}"),
        *(Evidence("message", str(reply)) for reply in replies),
        *(Evidence("file", f"{resolve.SWITCH}: {line}") for line in resolve.hosts_sources()),
    )
    servers = ", ".join(map(str, configuration.servers))
    by = str(verdict.by.server) if verdict.by else servers
    params: dict[str, Value] = {"host": host, "servers": servers, "server": by}
    code = _CODES.get(verdict.answer, "dns.unclassified")
    if verdict.chain and code in {"dns.nxdomain", "dns.no-address"}:
        return Finding("dns.dangling-alias", params | {"alias": verdict.chain[-1]}, evidence)
    return Finding(code, params, evidence)


CHECK = Check(
    id="dns.resolve",
    layer=Layer.DNS,
    title="the host's name resolves",
    where=Where.FIRST_HOP,
    run=run,
    needs=(ENDPOINT,),
    gives=(ADDRESSES, CANONICAL_NAME, LOOKUP_SLOW),
    codes=(
        *_CODES.values(),
        "dns.dangling-alias",
        "dns.unspecified-address",
        "dns.unclassified",
    ),
    equivalent="getent ahosts {bastion_host}",
)
