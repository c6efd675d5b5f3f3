"""``tunneldoctor check``: examine tunnels and tell what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.completion import complete_codes, complete_tunnels
from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import (
    Duration,
    Names,
    TunnelCommand,
    config_option,
    cutoff_options,
    no_history_option,
    presentation_options,
    take_cutoff,
    take_overrides,
    take_presentation,
    tunnel_options,
)
from tunneldoctor.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from tunneldoctor.model import Ignore, Policy


@click.command("check", cls=TunnelCommand, short_help="Examine tunnels: what is broken, and how to fix it.")
@click.argument("tunnels", metavar="[TUNNEL]...", nargs=-1, shell_complete=complete_tunnels)
@config_option
@click.option("--all", "everything", is_flag=True, help="Every tunnel of the file.")
@presentation_options
@click.option(
    "--only", type=Names(), metavar="NAMES", default="", help="Run these layers or checks alone, with what they need."
)
@click.option("--skip", type=Names(), metavar="NAMES", default="", help="Leave these layers or checks out.")
@click.option("--idle", type=Duration(), metavar="DURATION", help="Really hold a connection unused that long.")
@cutoff_options
@click.option("--wait", type=Duration(), metavar="DURATION", help="Look again until healthy, at most that long.")
@click.option("--jobs", type=click.IntRange(1), default=4, metavar="N", help="Tunnels examined at a time. Default: 4.")
@no_history_option
@click.option("--fail-on", type=click.Choice(["error", "warning"]), default="error",
              help="The least that makes the exit status 1. Default: error.")  # fmt: skip
@click.option("--ignore", multiple=True, metavar="CODE[@TUNNEL][=DATE]", shell_complete=complete_codes,
              help="Show it, don't count it (up to DATE, as 2026-12-31); may be given several times.")  # fmt: skip
@tunnel_options
def command(tunnels: tuple[str, ...], **options: Any) -> int:
    """Examine tunnels, one layer after the other, and tell what is broken, why, and how to fix it.

    TUNNEL is a tunnel of the configuration file, or a Host of ~/.ssh/config that has one LocalForward. Without a
    name it is the file's only tunnel, or the one that --ssh-url and the options below describe.

    \b
    tunneldoctor check orders                                 one tunnel of the file
    tunneldoctor check --all --format junit -o tunnels.xml    all of them, for a CI server
    tunneldoctor check orders --wait 10m -q && ./pipeline     go on once it is healthy

    Exit status: 0 healthy (warnings allowed), 1 something is broken, 2 the command line or the file can't be used,
    3 something could not be checked; 128 and the signal's number where it was interrupted.
    """
    from tunneldoctor.cli.checks import noted_catalog
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.cli.tunnels import chosen_tunnels, configuration
    from tunneldoctor.cli.work import Orders, work

    presentation = take_presentation(options)
    overrides = take_overrides(options)
    policy = _policy(options)
    chosen = chosen_tunnels(options["config"], tunnels, options["everything"], overrides)
    _must_exist(policy.ignore, [*(each.name for each in chosen), *configuration(options["config"]).names()])
    fleet = options["everything"] or len(tunnels) > 1
    catalog = noted_catalog(options["config"])
    with Stop() as stop:
        kept = not options["no_history"]
        orders = Orders(policy, presentation, options["wait"], options["jobs"], fleet, kept, catalog)
        return work(chosen, orders, stop)


def _policy(options: dict[str, Any]) -> Policy:
    from tunneldoctor.model import Policy, Severity

    return Policy(
        only=_known_names(options["only"]),
        skip=_known_names(options["skip"]),
        ignore=_still([_ignore(each) for each in options["ignore"]]),
        fail_on=Severity(options["fail_on"]),
        idle=options["idle"],
        **take_cutoff(options),
    )


def _known_names(names: Sequence[str]) -> tuple[str, ...]:
    from tunneldoctor.cli.checks import installed_packages
    from tunneldoctor.engine import unknown_names
    from tunneldoctor.model import Layer

    checks = [check for package in installed_packages() for check in package.checks] if names else []
    for name in unknown_names(checks, names):
        if name not in list(Layer):
            candidates = [*Layer, *(check.id for check in checks)]
            raise Failure(f"{name} is neither a layer nor a check" + nearest(name, candidates))
    return tuple(names)


def _ignore(text: str) -> Ignore:
    from tunneldoctor.cli.checks import installed_catalog
    from tunneldoctor.model import Ignore

    rest, _, day = text.partition("=")
    code, at, tunnel = rest.partition("@")
    codes = installed_catalog().codes()
    if code not in codes:
        raise Failure(f"--ignore: no such code: {code}" + nearest(code, codes))
    if at and not tunnel:
        raise Failure(f"--ignore: no tunnel is named behind the @ of {text}")
    return Ignore(code, tunnel or None, _day(text, day) if "=" in text else None)


def _day(text: str, day: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(day)
    except ValueError:
        raise Failure(f"--ignore {text}: {day or 'nothing'} is no day such as 2026-12-31") from None


def _still(ignored: Sequence[Ignore]) -> tuple[Ignore, ...]:
    """Those whose day has not passed; the others are told, since what they hid counts from now on."""
    from datetime import date

    from tunneldoctor.cli.failure import note

    over = [each for each in ignored if each.until and each.until < date.today()]
    for each in over:
        note(f"--ignore {each}: the day has passed, so it counts again")
    return tuple(each for each in ignored if each not in over)


def _must_exist(ignored: Sequence[Ignore], tunnels: Sequence[str]) -> None:
    for each in ignored:
        if each.tunnel is not None and each.tunnel not in tunnels:
            raise Failure(f"--ignore: no tunnel is called {each.tunnel}{nearest(each.tunnel, tunnels)}")
