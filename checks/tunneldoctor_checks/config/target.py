"""It is said where the tunnel leads, as the bastion sees it."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.config._problems import findings, of_target
from tunneldoctor_checks.facts import TARGET


def run(context: Context) -> Outcome:
    """Report what is wrong with the target, and hand it on."""
    tunnel = context.tunnel
    found = findings(tunnel.problems, of_target)
    if tunnel.remote:
        return Outcome(found, {TARGET: tunnel.remote})
    if found:
        return Outcome(found)
    unread = any(problem.code == "config.ssh-config-unsupported" for problem in tunnel.problems)
    what = "its entry in ssh_config" if unread else "`database`"
    return Outcome(unknown=f"{what} can't be read, so it is not known where the tunnel leads")


CHECK = Check(
    id="config.target",
    layer=Layer.CONFIG,
    title="it is said where the tunnel leads",
    where=Where.BASTION,
    gives=(TARGET,),
    codes=(
        "config.bad-remote-bind",
        "config.invisible-characters",
        "config.loopback-target",
        "config.missing-field",
        "config.remote-bind-mismatch",
    ),
    run=run,
)
