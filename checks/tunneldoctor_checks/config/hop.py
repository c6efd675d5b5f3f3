"""The server's name, port and user are given, and can be read."""

from __future__ import annotations

from typing import Any

from tunneldoctor.model import Check, Context, Fact, Hop, Layer, Outcome, Tunnel, Where
from tunneldoctor_checks.config._problems import DATABASE_PORT, findings, of_hop
from tunneldoctor_checks.facts import ENDPOINT, USERNAME


def run(context: Context) -> Outcome:
    """Report what is wrong with the hop; hand on where it is and who logs in, as far as they can be read."""
    tunnel, hop = context.tunnel, context.hop
    facts: dict[Fact[Any], Any] = {}
    if hop.address and not _behind_a_program(tunnel, hop):
        facts[ENDPOINT] = hop.address
    if hop.username:
        facts[USERNAME] = hop.username
    mine = of_hop(tunnel, hop.name)
    found = findings(tunnel.problems, lambda each: each.code != DATABASE_PORT and mine(each))
    return Outcome(found, facts)


def _behind_a_program(tunnel: Tunnel, hop: Hop) -> bool:
    """True where only a ProxyCommand leads to the hop: to connect to its address would tell about another way."""
    return any(
        problem.code == "config.ssh-config-unsupported"
        and problem.hop == hop.name
        and problem.params.get("option") == "ProxyCommand"
        for problem in tunnel.problems
    )


CHECK = Check(
    id="config.hop",
    layer=Layer.CONFIG,
    title="the server, its port and the user are given",
    where=Where.EACH_HOP,
    gives=(ENDPOINT, USERNAME),
    codes=(
        "config.bad-host-key",
        "config.bad-ssh-url",
        "config.invisible-characters",
        "config.missing-field",
        "config.ssh-config-unsupported",
    ),
    run=run,
)
