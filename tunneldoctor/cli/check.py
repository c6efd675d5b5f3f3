"""``tunneldoctor check``: examine tunnels and tell what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.completion import complete_codes, complete_tunnels
from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import (
    Duration,
    Names,
    config_option,
    presentation_options,
    take_overrides,
    take_presentation,
    tunnel_options,
)
from tunneldoctor.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.model import Ignore, Policy


@click.command("check", short_help="Examine tunnels and tell what is broken, and how to fix it.")
@click.argument("tunnels", metavar="[TUNNEL]...", nargs=-1, shell_complete=complete_tunnels)
@config_option
@click.option("--all", "everything", is_flag=True, help="Every tunnel of the file.")
@presentation_options
@click.option(
    "--only", type=Names(), metavar="NAMES", default="", help="Layers and checks to run, with what they need."
)
@click.option("--skip", type=Names(), metavar="NAMES", default="", help="Layers and checks to leave out.")
@click.option("--idle", type=Duration(), metavar="DURATION", help="Really hold a connection unused that long.")
@click.option("--wait", type=Duration(), metavar="DURATION", help="Look again until healthy, at most that long.")
@click.option("--jobs", type=click.IntRange(1), default=4, metavar="N", help="Tunnels examined at a time. Default: 4.")
@click.option("--no-history", is_flag=True, hidden=True, help="Keep nothing of this run. Nothing is kept so far.")
@click.option("--fail-on", type=click.Choice(["error", "warning"]), default="error", help="Default: error.")
@click.option("--ignore", multiple=True, metavar="CODE[@TUNNEL]", shell_complete=complete_codes,
              help="Show it and don't count it; may be given several times.")  # fmt: skip
@tunnel_options
def command(tunnels: tuple[str, ...], **options: Any) -> int:
    """Examine tunnels, one layer after the other, and tell what is broken, why, and how to fix it.

    TUNNEL is a tunnel of the configuration file, or a Host of ~/.ssh/config that has one LocalForward. Without a
    name it is the file's only tunnel, or the one that --ssh-url and the options below describe.

    Exit status: 0 healthy (warnings allowed), 1 something is broken, 2 the command line or the file can't be used,
    3 something could not be checked; 128 and the signal's number where it was interrupted.
    """
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.cli.tunnels import chosen_tunnels, configuration
    from tunneldoctor.cli.work import Orders, work

    presentation = take_presentation(options)
    overrides = take_overrides(options)
    policy = _policy(options)
    chosen = chosen_tunnels(options["config"], tunnels, options["everything"], overrides)
    _must_exist(policy.ignore, [*(each.name for each in chosen), *configuration(options["config"]).names()])
    fleet = options["everything"] or len(tunnels) > 1
    with Stop() as stop:
        return work(chosen, Orders(policy, presentation, options["wait"], options["jobs"], fleet), stop)


def _policy(options: dict[str, Any]) -> Policy:
    from tunneldoctor.model import Policy, Severity

    return Policy(
        only=_known_names(options["only"]),
        skip=_known_names(options["skip"]),
        ignore=tuple(_ignore(each) for each in options["ignore"]),
        fail_on=Severity(options["fail_on"]),
        idle=options["idle"],
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

    code, at, tunnel = text.partition("@")
    codes = installed_catalog().codes()
    if code not in codes:
        raise Failure(f"--ignore: no such code: {code}" + nearest(code, codes))
    if at and not tunnel:
        raise Failure(f"--ignore: no tunnel is named behind the @ of {text}")
    return Ignore(code, tunnel or None)


def _must_exist(ignored: Sequence[Ignore], tunnels: Sequence[str]) -> None:
    for each in ignored:
        if each.tunnel is not None and each.tunnel not in tunnels:
            raise Failure(f"--ignore: no tunnel is called {each.tunnel}{nearest(each.tunnel, tunnels)}")
