"""The accounts that may look around can be read."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Layer, Outcome, Policy, Tunnel, Where
from tunneldoctor_checks.config._problems import findings, of_helpers


def run(context: Context) -> Outcome:
    """Report what is wrong with ``admin`` and ``run_from``: the tunnel itself works without them."""
    return Outcome(findings(context.tunnel.problems, of_helpers))


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    return None if tunnel.admin or tunnel.run_from else "neither admin nor run_from is given"


CHECK = Check(
    id="config.helpers",
    layer=Layer.CONFIG,
    title="the accounts that may look around can be read",
    where=Where.HERE,
    codes=(
        "config.bad-ssh-url",
        "config.database-port-on-bastion",
        "config.invisible-characters",
        "config.missing-field",
    ),
    applies=_applies,
    run=run,
)
