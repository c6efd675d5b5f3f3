"""``tunneldoctor ticket``: one file for whoever is to help, and a look at it before it is written."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunneldoctor.cli.completion import complete_files, complete_tunnels
from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.options import config_option, no_history_option, redact_option
from tunneldoctor.cli.redaction import SECRETS, Shared, shared, tell_removed
from tunneldoctor.cli.saved import kept_run, one_report

if TYPE_CHECKING:
    from tunneldoctor.model import Event, Report

_ENDINGS = {"markdown": "md", "junit": "xml", "ndjson": "ndjson"}
_STDOUT = "-"
#: Characters of a tunnel's name in the file's.
_LONGEST_NAME = 60


@click.command("ticket", short_help="Write a file for the ticket: what is wrong, the evidence, who must act.")
@click.argument("name", metavar="[TUNNEL]", required=False, shell_complete=complete_tunnels)
@config_option
@click.option("--from", "source", metavar="FILE", shell_complete=complete_files,
              help="Examine nothing: take the report in FILE (- for stdin).")  # fmt: skip
@click.option("--last", is_flag=True, help="Examine nothing: take the last kept run of TUNNEL, or of any.")
@click.option("--format", "format_", type=click.Choice(list(_ENDINGS)), default="markdown", help="Default: markdown.")
@click.option("-o", "--output", metavar="FILE", shell_complete=complete_files,
              help="Where to. Default: a name of its own here; - is stdout.")  # fmt: skip
@redact_option
@no_history_option
@click.option("--yes", is_flag=True, help="Don't ask whether to write it.")
def command(
    name: str | None,
    config: str | None,
    source: str | None,
    last: bool,
    format_: str,
    output: str | None,
    redact: str,
    no_history: bool,
    yes: bool,
) -> int:
    """Examine TUNNEL and write one file for a ticket: what was tried, where it breaks, the evidence, what was
    ruled out, who must act, and the commands. The Markdown holds the whole report too: tunneldoctor show reads it.

    What is going to be shared is shown first, on stderr; on a terminal it is written once you say so. A file that is
    there already stays as it is.

    Exit status: that of the report, as check has it; 2 where nothing was written, 3 where names were to be replaced
    and could not be.
    """
    if output and output != _STDOUT:
        _must_be_free(Path(output))
    made = _made(name, config, source, last, not no_history)
    what = shared(Shared([made.report], [(made.report.tunnel.name, each) for each in made.events]), redact)
    report, events = what.reports[0], [event for _, event in what.events]
    path = output or _file_name(report, format_)
    document = _document(report, events, format_)
    if redact == SECRETS:
        tell_removed([report])
    _agree(document, path, yes)
    _write(document, path)
    return made.report.exit_code


@dataclass(frozen=True, slots=True)
class _Made:
    report: Report
    events: list[Event]


def _made(name: str | None, config: str | None, source: str | None, last: bool, keep: bool) -> _Made:
    """The report that the ticket is about, and the events of its run where it is one of now."""
    from tunneldoctor.model import RunFinished

    if source and (last or name):
        raise click.UsageError("--from FILE says it all: without TUNNEL and --last")
    if source or last:
        report = one_report(source) if source else kept_run(name, 1).report
        return _Made(report, [RunFinished(report.duration_ms, report)])
    return _examined(name, config, keep)


def _examined(name: str | None, config: str | None, keep: bool) -> _Made:
    from tunneldoctor.cli.checks import installed_packages, noted_catalog
    from tunneldoctor.cli.examine import Request, examine
    from tunneldoctor.cli.progress import Progress
    from tunneldoctor.cli.saved import history
    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.cli.tunnels import chosen_tunnels
    from tunneldoctor.cli.work import silence_libraries
    from tunneldoctor.model import Policy

    silence_libraries()
    (tunnel,) = chosen_tunnels(config, (name,) if name else (), False, {})
    progress = Progress.on_stderr(False, 0)
    events: list[Event] = []

    def see(event: Event) -> None:
        progress.see(tunnel.name, event)
        events.append(event)

    with Stop() as stop:
        request = Request(installed_packages(), noted_catalog(config), Policy(), None, progress.say)
        try:
            report = examine(tunnel, request, stop, see)
        finally:
            progress.clear()
    if keep:
        history().keep(report)
    return _Made(report, events)


def _document(report: Report, events: list[Event], format_: str) -> str:
    from tunneldoctor import report as formats

    match format_:
        case "junit":
            return formats.render_junit(report)
        case "ndjson":
            return "".join(map(formats.event_line, events))
    return formats.render_ticket(report)


def _file_name(report: Report, format_: str) -> str:
    """By the tunnel's name as it is shared, and the time: ``tunneldoctor-orders-20261122T030405Z.md``."""
    safe = "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "-" for each in report.tunnel.name)
    return f"tunneldoctor-{safe[:_LONGEST_NAME]}-{report.started_at:%Y%m%dT%H%M%SZ}.{_ENDINGS[format_]}"


def _agree(document: str, path: str, yes: bool) -> None:
    """Show what is going to be shared, and have it confirmed where somebody is there to be asked. Raises Failure."""
    asked = not yes and sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty()
    if asked:
        from tunneldoctor.report.ticket import for_people

        click.echo(for_people(document), err=True)
    note(f"{len(document.encode())} bytes for {'stdout' if path == _STDOUT else path}")
    if asked and not click.confirm("Write it?", default=False, err=True):
        raise Failure("nothing was written")


def _must_be_free(path: Path) -> None:
    """Raise Failure where no new file can be made at *path*: before anything is examined."""
    try:
        if path.exists():
            raise _there_already(str(path))
        path.parent.stat()
    except OSError as error:
        raise _not_writable(str(path), error) from error


def _not_writable(path: str, error: OSError) -> Failure:
    return Failure(f"can't write {path}: {error.strerror}")


def _there_already(path: str) -> Failure:
    return Failure(f"{path} is there already: name another with -o")


def _write(document: str, path: str) -> None:
    from tunneldoctor.cli.console import Output

    if path == _STDOUT:
        with Output(None) as output:
            output.write(document, machine=True)
        return
    try:
        with Path(path).open("xb") as file:
            file.write(document.encode("utf-8", "backslashreplace"))
    except FileExistsError:
        raise _there_already(path) from None
    except OSError as error:
        raise _not_writable(path, error) from error
    note(f"written to {path}")
