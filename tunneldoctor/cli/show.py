"""``tunneldoctor show``: a report that was made before, in any format, without examining anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.options import presentation_options, take_presentation
from tunneldoctor.cli.saved import age, complete_saved, history, kept_run, no_run, saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.cli.options import Presentation
    from tunneldoctor.history import Kept
    from tunneldoctor.model import Report

_COLUMNS = ("at", "when", "tunnel", "verdict", "code", "took")


@click.command("show", short_help="Show the last run of a tunnel, or a saved report.")
@click.argument("source", metavar="[TUNNEL|FILE]", required=False, shell_complete=complete_saved)
@click.option("--list", "as_list", is_flag=True, help="List the kept runs, of TUNNEL or of all.")
@click.option("--at", type=click.IntRange(1), metavar="N", help="The run with that number in the list: 1 is the last.")
@presentation_options
def command(source: str | None, as_list: bool, at: int | None, **options: Any) -> int:
    """Show the last run of TUNNEL, or the report in FILE (- for stdin), as check showed it.

    FILE is what check wrote with --format json or ndjson, for one tunnel or several. Without either it is the last
    run of any tunnel. Nothing is examined.

    Exit status: 0 shown, whatever the report says (exit_code in it is that of its run), 2 there is nothing to show.
    """
    presentation = take_presentation(options)
    if as_list and at:
        raise click.UsageError("--list and --at exclude each other")
    if as_list:
        _list(source, presentation)
    elif source is None or at:
        _show([kept_run(source, at or 1).report], False, presentation)
    else:
        _show_saved(source, presentation)
    return 0


def _show_saved(source: str, presentation: Presentation) -> None:
    from tunneldoctor.model import Report

    found = saved(source)
    if isinstance(found, Report):
        _show([found], False, presentation)
    else:
        _show(found.reports, True, presentation)


def _show(reports: Sequence[Report], fleet: bool, presentation: Presentation) -> None:
    from tunneldoctor.cli.documents import Documents
    from tunneldoctor.model import RunFinished

    if not reports:
        raise Failure("there is no report in it")
    started, finished = min(each.started_at for each in reports), max(each.finished_at for each in reports)
    with Documents(presentation, fleet) as documents:
        if documents.is_text and not presentation.quiet:
            for report in reports:
                note(f"{report.tunnel.name} as seen from {report.vantage.host or 'there'}, {age(report)}")
        for report in reports:
            documents.see(report.tunnel, RunFinished(report.duration_ms, report))
        documents.finish(reports, started, finished)


def _list(name: str | None, presentation: Presentation) -> None:
    from tunneldoctor.cli.console import Output
    from tunneldoctor.cli.list import table

    if presentation.format not in ("text", "json"):
        raise Failure(f"--list knows text and json, not {presentation.format}")
    runs = history().kept(name)
    with Output(presentation.output, presentation.color) as output:
        if presentation.format == "json":
            import json

            output.write(json.dumps([_row(number, run) for number, run in enumerate(runs, 1)], indent=2), machine=True)
        elif runs:
            output.write(table([_line(number, run) for number, run in enumerate(runs, 1)], _COLUMNS))
        elif not presentation.quiet:
            note(no_run(name))


def _row(number: int, run: Kept) -> dict[str, Any]:
    from tunneldoctor.report.shown import moment

    report = run.report
    return {
        "at": number,
        "tunnel": report.tunnel.name,
        "started_at": moment(report.started_at),
        "verdict": report.verdict.value,
        "code": run.code,
        "complete": report.complete,
        "exit_code": report.exit_code,
        "duration_ms": report.duration_ms,
        "file": str(run.path),
    }


def _line(number: int, run: Kept) -> dict[str, Any]:
    from tunneldoctor.report.reading import duration, verdict_words

    report = run.report
    took = duration(report.duration_ms)
    values = (number, age(report), report.tunnel.name, verdict_words(report), run.code, took)
    return dict(zip(_COLUMNS, values, strict=True))
