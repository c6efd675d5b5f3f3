"""``tunneldoctor idle``: whether unused connections of one tunnel survive, and after how long they are cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from tunneldoctor.cli.completion import complete_tunnels
from tunneldoctor.cli.options import (
    Duration,
    TunnelCommand,
    config_option,
    cutoff_options,
    presentation_options,
    take_cutoff,
    take_overrides,
    take_presentation,
    tunnel_options,
)

#: Seconds for which a connection is held where nobody says how long it has to survive.
_USUALLY = 600.0
#: The shortest time that is worth it, in seconds.
_SHORTEST = 1.0


@click.command("idle", cls=TunnelCommand, short_help="Tell after how long unused connections are cut.")
@click.argument("tunnel", metavar="[TUNNEL]", required=False, shell_complete=complete_tunnels)
@config_option
@presentation_options
@click.option("--hold", "idle", type=Duration(), metavar="DURATION",
              help="Leave a connection unused that long. Default: the tunnel's idle_hold, or 10m.")  # fmt: skip
@cutoff_options
@click.option("--fail-on", type=click.Choice(["error", "warning"]), default="error",
              help="The least that makes the exit status 1. Default: error.")  # fmt: skip
@tunnel_options
def command(tunnel: str | None, **options: Any) -> int:
    """Leave a connection through TUNNEL unused for a while, and tell whether it survives: in both directions, with and
    without the configured keepalive. With --find-cutoff: after how long unused connections are cut, how, on which way,
    and by whom.

    It is the command check with nothing but this, and what it needs. The exit status is that of check.
    """
    from tunneldoctor.cli.checks import noted_catalog
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.cli.tunnels import chosen_tunnels
    from tunneldoctor.cli.work import Orders, work
    from tunneldoctor.model import Layer, Policy, Severity

    presentation, overrides = take_presentation(options), take_overrides(options)
    cutoff = take_cutoff(options)
    if options["idle"] is not None and options["idle"] < _SHORTEST:
        raise click.UsageError(f"--hold takes {_SHORTEST:g}s or more")
    chosen = chosen_tunnels(options["config"], [tunnel] if tunnel else [], False, overrides)
    policy = Policy(only=(Layer.IDLE,), fail_on=Severity(options["fail_on"]), idle=options["idle"], **cutoff)
    if not policy.find_cutoff and policy.idle is None:
        policy = replace(policy, idle=chosen[0].idle_hold or _USUALLY)
    with Stop() as stop:
        return work(chosen, Orders(policy, presentation, catalog=noted_catalog(options["config"])), stop)
