"""Where connecting fails: does the hosts file send the name to the wrong place?

Looked at only then, since most entries are there on purpose and a healthy run need not wait for the DNS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Severity, Value, Where, found
from tunneldoctor_checks.dns._opinions import ask, differ
from tunneldoctor_checks.facts import ADDRESSES, CONNECT_TROUBLE, ENDPOINT

if TYPE_CHECKING:
    from tunneldoctor.net.compare import Opinion
    from tunneldoctor.net.resolve import HostsEntry


def run(context: Context) -> Outcome:
    """Hold the hosts file's entry against the DNS."""
    from tunneldoctor.net import resolve, scope

    context.need(CONNECT_TROUBLE)
    host, addresses = context.need(ENDPOINT).host, context.need(ADDRESSES)
    entries = resolve.hosts_entries(host)
    if not entries or scope.is_literal(host) or resolve.is_this_machine(host):
        return Outcome(skipped="the address is not from the hosts file")
    opinions = _twice(context, host, addresses)
    if opinions:
        return found(differ(host, addresses, f"{_file()} line {entries[0].line}", _lines(entries), opinions))
    if all(map(scope.is_loopback, addresses)):
        return found(_loopback(host, addresses, entries))
    return Outcome()


def _twice(context: Context, host: str, addresses: tuple[str, ...]) -> tuple[Opinion, ...]:
    """Name servers that say something else altogether, in two rounds."""
    from tunneldoctor.net import compare

    first = ask(context, host)
    if not compare.differing(addresses, first):
        return ()
    return compare.differing(addresses, compare.merged(first, ask(context, host)))


def _loopback(host: str, addresses: tuple[str, ...], entries: tuple[HostsEntry, ...]) -> Finding:
    """Only a warning: the entry may be meant, and what listens here may merely be down."""
    why = f"it is this machine itself, by {_file()} line {entries[0].line}"
    params: dict[str, Value] = {"host": host, "address": addresses[0], "why": why}
    evidence = tuple(Evidence("file", line) for line in _lines(entries))
    return Finding("dns.unspecified-address", params, evidence, Severity.WARNING)


def _lines(entries: tuple[HostsEntry, ...]) -> list[str]:
    return [f"{_file()} line {entry.line}: {entry.address}" for entry in entries]


def _file() -> str:
    from tunneldoctor.net.resolve import HOSTS

    return str(HOSTS)


CHECK = Check(
    id="dns.hosts",
    layer=Layer.DNS,
    title="the hosts file and the DNS agree about the name",
    where=Where.FIRST_HOP,
    run=run,
    needs=(ENDPOINT, ADDRESSES, CONNECT_TROUBLE),
    codes=("dns.answers-differ", "dns.unspecified-address"),
    equivalent="grep -n -i -w {bastion_host} /etc/hosts",
)
