"""``tunneldoctor explain``: the page of a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunneldoctor.cli.completion import complete_codes, complete_tunnels
from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import color_option, config_option
from tunneldoctor.cli.paging import show
from tunneldoctor.nearest import nearest

if TYPE_CHECKING:
    from tunneldoctor.catalog import Catalog


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
    from tunneldoctor.catalog.markdown import Fitting, markdown
    from tunneldoctor.cli.checks import noted_catalog

    catalog = noted_catalog(config)
    page = catalog.page(full_code(code, catalog))
    chosen = None
    if tunnel:
        from tunneldoctor.cli.tunnels import named_tunnel

        chosen = named_tunnel(config, tunnel)
    show(markdown(page, Fitting(chosen)), color)


def full_code(given: str, catalog: Catalog) -> str:
    """The code that the user means. Raises :class:`Failure` with the nearest where there is none."""
    wanted = given.strip().lower()
    if catalog.has(wanted):
        return wanted
    codes = catalog.codes()
    short = [code for code in codes if code.partition(".")[2] == wanted]
    if len(short) == 1:
        return short[0]
    if short:
        raise Failure(f"{given} could be {' or '.join(short)}")
    raise Failure(f"no such code: {given}" + (nearest(wanted, codes) or " (tunneldoctor list codes shows all)"))
