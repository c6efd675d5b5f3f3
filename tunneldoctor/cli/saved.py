"""Reports that were made before: from a file, from stdin, or the last kept run of a tunnel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.source import STDIN, content
from tunneldoctor.nearest import nearest

if TYPE_CHECKING:
    import click

    from tunneldoctor.history import History, Kept
    from tunneldoctor.model import Fleet, Report


def history() -> History:
    """This user's; what can't be read in it is said on stderr."""
    from tunneldoctor.history import History

    return History.of_this_user(note)


def saved(source: str) -> Report | Fleet:
    """What *source* holds: ``-`` is stdin, a tunnel's name its last kept run, all else a file. Raises Failure.

    Whoever wrote the file, or an older version of ours, may have left secrets in: they are taken out.
    """
    if source != STDIN and (kept := history().last(source)):
        return kept.report
    from tunneldoctor.report import NotAReport, redact_value, saved_from
    from tunneldoctor.report.json_value import LARGEST

    try:
        return redact_value(saved_from(content(source, LARGEST)))
    except FileNotFoundError:
        names = history().names()
        raise Failure(f"no run of {source} is kept, and no file is called that{nearest(source, names)}") from None
    except OSError as error:
        raise Failure(f"can't read {source}: {error.strerror}") from error
    except NotAReport as error:
        raise Failure(f"{'stdin' if source == STDIN else source}: {error}") from error


def one_report(source: str) -> Report:
    """The same where only one report will do. Raises Failure."""
    from tunneldoctor.model import Report

    found = saved(source)
    if isinstance(found, Report):
        return found
    names = ", ".join(report.tunnel.name for report in found.reports)
    raise Failure(f"{source} holds the reports of several tunnels ({names}), and one is needed")


def kept_run(name: str | None, at: int) -> Kept:
    """The run at that place, 1 for the last one, of the tunnel *name* or of all. Raises Failure."""
    runs = history().kept(name, at)
    if at == len(runs):
        return runs[-1]
    if runs:
        raise Failure(f"only {len(runs)} runs{f' of {name}' if name else ''} are kept: tunneldoctor show --list")
    raise Failure(no_run(name))


def no_run(name: str | None) -> str:
    """That no run is kept, of the tunnel *name* or of any."""
    return f"no run of {name} is kept{nearest(name, history().names())}" if name else "no run is kept"


def age(report: Report) -> str:
    """When *report* was made, for people."""
    from tunneldoctor.report.difference import ago
    from tunneldoctor.report.shown import moment

    passed = (datetime.now(UTC) - report.started_at).total_seconds()
    return f"{moment(report.started_at, 'seconds')}, {ago(passed)}"


def complete_saved(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The tunnels that runs are kept of, and files, which the shell itself knows best."""
    from tunneldoctor.history import History

    names = History.of_this_user(lambda _: None).names()  # a word on stderr would spoil the line being typed
    kept = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    return [*kept, CompletionItem(incomplete, type="file")]
