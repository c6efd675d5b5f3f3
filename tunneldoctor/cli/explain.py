"""``tunneldoctor explain``: the page of a code."""

from __future__ import annotations

import sys

import click

from tunneldoctor.cli.completion import complete_codes, complete_tunnels
from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import color_option, config_option
from tunneldoctor.nearest import nearest


@click.command("explain", short_help="Tell what a code means and what to do about it.")
@click.argument("code", shell_complete=complete_codes)
@click.option("--tunnel", metavar="NAME", shell_complete=complete_tunnels, help="Fill in the values of this tunnel.")
@config_option
@color_option
def command(code: str, tunnel: str | None, config: str | None, color: str) -> None:
    """Tell what CODE means, how to tell it from what looks like it, how to fix it and how to make sure.

    CODE is as the report has it (tcp.refused), or its last part where that is enough (changed). Without --tunnel
    the commands show the names of the values in braces.
    """
    from tunneldoctor.cli.checks import installed_catalog
    from tunneldoctor.cli.page import markdown

    page = installed_catalog().page(full_code(code))
    chosen = None
    if tunnel:
        from tunneldoctor.cli.tunnels import named_tunnel

        chosen = named_tunnel(config, tunnel)
    _print(markdown(page, chosen), color)


def full_code(given: str) -> str:
    """The code that the user means. Raises :class:`Failure` with the nearest where there is none."""
    from tunneldoctor.cli.checks import installed_catalog

    codes = installed_catalog().codes()
    wanted = given.strip().lower()
    if wanted in codes:
        return wanted
    short = [code for code in codes if code.partition(".")[2] == wanted]
    if len(short) == 1:
        return short[0]
    if short:
        raise Failure(f"{given} could be {' or '.join(short)}")
    raise Failure(f"no such code: {given}" + (nearest(wanted, codes) or " (tunneldoctor list codes shows all)"))


def _print(document: str, color: str) -> None:
    from tunneldoctor.cli.console import Output

    with Output(None, color) as output:
        style = output.style()
        if style.color and (color == "always" or sys.stdout.isatty()):
            _print_richly(document)
        else:
            output.write(document)


def _print_richly(document: str) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    Console(force_terminal=True, highlight=False).print(Markdown(document))
