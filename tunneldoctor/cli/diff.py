"""``tunneldoctor diff``: what changed between two runs of a tunnel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import color_option, json_option
from tunneldoctor.cli.saved import complete_saved, history, one_report
from tunneldoctor.cli.source import STDIN

if TYPE_CHECKING:
    from tunneldoctor.cli.console import Output
    from tunneldoctor.model import Report
    from tunneldoctor.report import Difference

_PLAIN_WIDTH = 100


@click.command("diff", short_help="Tell what changed since a tunnel last worked.")
@click.argument("before", metavar="TUNNEL|FILE", shell_complete=complete_saved)
@click.argument("after", metavar="[TUNNEL|FILE]", required=False, shell_complete=complete_saved)
@json_option
@color_option
def command(before: str, after: str | None, as_json: bool, color: str) -> int:
    """Tell what changed between two runs: verdict, diagnosis, target, what was measured, and each check.

    With two, the first is the earlier one. With one, it is compared with the last kept run before it that worked.
    TUNNEL is its last kept run, FILE what check wrote with --format json or ndjson, - stdin.
    Round trips count as changed when they at least double, or halve, and differ by 50 ms or more.

    Exit status: 0 nothing changed, 1 something did, 2 there is nothing to compare.
    """
    from tunneldoctor.cli.console import Output
    from tunneldoctor.report import difference, difference_json

    if before == after == STDIN:
        raise click.UsageError("stdin can be only one of the two")
    later = one_report(after or before)
    found = difference(one_report(before) if after else _when_it_worked(later), later)
    with Output(None, color) as output:
        output.write(difference_json(found) if as_json else _text(found, output), machine=as_json)
    return 0 if found.same else 1


def _when_it_worked(report: Report) -> Report:
    name = report.tunnel.name
    kept = history().last_that_worked(name, before=report.started_at)
    if kept is None:
        raise Failure(f"no earlier run of {name} that worked is kept: tunneldoctor show {name} --list")
    return kept.report


def _text(found: Difference, output: Output) -> str:
    from tunneldoctor.report import render_difference

    style = output.style()
    return render_difference(found, color=style.color, unicode=style.unicode, width=style.width or _PLAIN_WIDTH)
