"""The server's port is not a database's, or an SSH server answers there all the same."""

from __future__ import annotations

from dataclasses import replace

from tunneldoctor.model import Check, Context, Layer, Outcome, Policy, Severity, Tunnel, Where
from tunneldoctor_checks.config._problems import DATABASE_PORT, findings, of_hop
from tunneldoctor_checks.facts import TRANSPORT


def run(context: Context) -> Outcome:
    """Report the port once it is known what answers there: behind a working SSH server it is only a hint."""
    claim = of_hop(context.tunnel, context.hop.name)
    found = findings(context.tunnel.problems, lambda each: each.code == DATABASE_PORT and claim(each))
    if not found:
        return Outcome(skipped="the port is no database's")
    if context.want(TRANSPORT):
        found = tuple(replace(each, severity=Severity.INFO) for each in found)
    return Outcome(found)


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    return None if any(each.code == DATABASE_PORT for each in tunnel.problems) else "no port is a database's"


CHECK = Check(
    id="config.database-port",
    layer=Layer.CONFIG,
    title="the server's port is not a database's",
    where=Where.EACH_HOP,
    wants=(TRANSPORT,),
    codes=(DATABASE_PORT,),
    applies=_applies,
    run=run,
    stage="what answers",  # a deadline of its own: it starts when the connection is there, or has failed
)
