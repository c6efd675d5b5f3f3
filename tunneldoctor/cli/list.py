"""``tunneldoctor list``: what there is to run, to explain and to check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import config_option, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.catalog import Page
    from tunneldoctor.model import Tunnel

Row = dict[str, Any]


@click.command("list", short_help="List checks, codes or tunnels.")
@click.argument("what", type=click.Choice(["checks", "codes", "tunnels"]))
@json_option
@config_option
def command(what: str, as_json: bool, config: str | None) -> None:
    """List the checks, the codes that they can report, or the tunnels of the configuration file."""
    from tunneldoctor.cli.console import Output

    rows = _checks() if what == "checks" else _codes() if what == "codes" else _tunnels(config)
    with Output(None) as output:
        if as_json:
            import json

            output.write(json.dumps(rows, indent=2), machine=True)
        elif rows:
            output.write(table(rows, _COLUMNS[what]))


_COLUMNS = {
    "checks": ("id", "where", "title"),
    "codes": ("code", "severity", "title"),
    "tunnels": ("name", "bastion", "remote_bind", "engine"),
}


def _checks() -> list[Row]:
    from tunneldoctor.cli.checks import installed_packages

    checks = [(package.name, check) for package in installed_packages() for check in package.checks]
    checks.sort(key=lambda pair: (pair[1].layer.rank, pair[1].id))
    return [
        {
            "id": check.id,
            "layer": check.layer.value,
            "where": check.where.value,
            "title": check.title,
            "codes": sorted(check.codes),
            "package": package,
        }
        for package, check in checks
    ]


def _codes() -> list[Row]:
    from tunneldoctor.catalog import PageError
    from tunneldoctor.cli.checks import installed_catalog
    from tunneldoctor.model import Layer

    try:
        pages = list(installed_catalog())
    except PageError as error:
        raise Failure(str(error), exit_code=3) from error
    order = {layer.value: layer.rank for layer in Layer}
    pages.sort(key=lambda page: (order.get(page.code.partition(".")[0], len(order)), page.code))
    return [_code(page) for page in pages]


def _code(page: Page) -> Row:
    return {
        "code": page.code,
        "severity": page.severity.value,
        "title": page.title,
        "causes": list(page.causes),
        "retry": page.retry.value,
    }


def _tunnels(config: str | None) -> list[Row]:
    from tunneldoctor.cli.tunnels import chosen_tunnels

    return [_tunnel(tunnel) for tunnel in chosen_tunnels(config, [], everything=True, overrides={})]


def _tunnel(tunnel: Tunnel) -> Row:
    return {
        "name": tunnel.name,
        "bastion": str(tunnel.bastion.address) if tunnel.bastion.address else None,
        "via": [str(hop.address) if hop.address else None for hop in tunnel.hops[:-1]],
        "remote_bind": str(tunnel.remote) if tunnel.remote else None,
        "engine": tunnel.database.engine if tunnel.database else None,
    }


def table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """The *columns* of *rows*, each as wide as it must be; what is null is ``-``."""
    from tunneldoctor.model import visible

    cells = [[visible(str(row[column] if row[column] is not None else "-")) for column in columns] for row in rows]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in lines)
