"""``tunneldoctor demo``: an examination to look at, of a small tunnel that is set up for it on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.options import presentation_options, take_presentation
from tunneldoctor.demo.faults import MEANING, Fault

if TYPE_CHECKING:
    from tunneldoctor.cli.options import Presentation
    from tunneldoctor.cli.stop import Stop


@click.command("demo", short_help="Examine a small tunnel that is set up on this machine.")
@click.option(
    "--fault", type=click.Choice([fault.value for fault in Fault]), help="Break the tunnel in this way first."
)
@click.option("--list-faults", is_flag=True, help="List the ways and end.")
@presentation_options
def command(fault: str | None, list_faults: bool, **options: Any) -> int:
    """Set up a bastion and a PostgreSQL on loopback, examine the tunnel between them, and clean up.

    It takes the PostgreSQL of this machine, else the one that comes with the extra 'demo'.
    The exit status is that of check.
    """
    from tunneldoctor.cli.stop import Stop

    if list_faults:
        click.echo("\n".join(f"{each.value:<22} {MEANING[each]}" for each in Fault))
        return 0
    presentation = take_presentation(options)
    with Stop(patient=True) as stop:
        return _demo(Fault(fault) if fault else None, presentation, stop)


def _demo(fault: Fault | None, presentation: Presentation, stop: Stop) -> int:
    from tunneldoctor.cli.tunnels import named_tunnel
    from tunneldoctor.cli.work import Orders, work
    from tunneldoctor.demo.programs import NoPostgres
    from tunneldoctor.demo.scene import TUNNEL, scene
    from tunneldoctor.model import Policy

    tell = (lambda text: None) if presentation.quiet else note
    try:
        with scene(fault, tell) as path:
            if stop.exit_code is None:
                status = work([named_tunnel(str(path), TUNNEL)], Orders(Policy(), presentation), stop)
            else:
                status = stop.exit_code
        tell("removed the bastion and the database")
        return status
    except NoPostgres as error:
        raise Failure(str(error)) from error
