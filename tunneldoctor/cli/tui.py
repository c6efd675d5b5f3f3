"""``tunneldoctor tui``: the terminal's user interface, on a real terminal only."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING

import click

from tunneldoctor.cli.completion import complete_files, complete_tunnels
from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import Duration, config_option, no_history_option

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tunneldoctor.history import History
    from tunneldoctor.model import Event, Tunnel
    from tunneldoctor.tui.session import Session


@click.command("tui", short_help="Examine a tunnel on a screen of its own.")
@click.argument("tunnel", required=False, shell_complete=complete_tunnels)
@config_option
@click.option(
    "--open", "saved", metavar="FILE", shell_complete=complete_files, help="Show this report and examine nothing."
)
@click.option(
    "--every", type=Duration(), default="30s", metavar="DURATION", help="Between two runs of a watch. Default: 30s."
)
@no_history_option
def command(tunnel: str | None, config: str | None, saved: str | None, every: float, no_history: bool) -> int:
    """Examine TUNNEL, or one that is chosen from a list, on a screen of its own.

    With --open nothing is examined: the screens show what a saved report or stream of events holds.
    """
    if reason := why_not():
        raise Failure(f"{reason}: use tunneldoctor check{f' {tunnel}' if tunnel else ''}")
    if saved and tunnel:
        raise Failure("--open shows what is in the file: leave the tunnel's name out")
    return open_on(tunnel, config, saved, every, no_history)


def why_not() -> str | None:
    """Why the screens can't be shown here, or None: Textual itself would draw them into a pipe."""
    streams = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    missing = [name for name, stream in streams.items() if stream is None or not stream.isatty()]
    if missing:
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} no terminal"
    if os.environ.get("TERM") in (None, "", "dumb"):
        return "this terminal can't move its cursor (TERM)"
    return "this is a CI job (CI is set)" if os.environ.get("CI") else None


def open_on(
    name: str | None, config: str | None = None, saved: str | None = None, every: float = 30.0, no_history: bool = False
) -> int:
    """Show the screens until the user quits; the exit status. Raises :class:`Failure`."""
    from tunneldoctor.cli.console import speaks_unicode
    from tunneldoctor.cli.tunnels import configuration, named_tunnel
    from tunneldoctor.tui.bridge import Installed
    from tunneldoctor.tui.session import Session

    events = _events(saved) if saved else ()
    tunnel = named_tunnel(config, name) if name else None
    session = Session(
        find=_finder(config),
        option=_path(config),
        history=_no_history if no_history or saved else _history,
        watch=every,
        unicode=speaks_unicode(sys.stderr),
        installed=Installed(notes=configuration(config).notes),
    )
    return _show(session, tunnel, events, _keys(config))


def _show(session: Session, tunnel: Tunnel | None, events: tuple[Event, ...], keys: Mapping[str, str]) -> int:
    # No cycle is worth a search while hundreds of modules are loaded; the first screen being up turns it on again.
    gc.disable()
    from tunneldoctor.tui.app import TunneldoctorApp
    from tunneldoctor.tui.status import summary
    from tunneldoctor.tui.words import cut

    app = TunneldoctorApp(session, tunnel, events, keys)
    logging.getLogger().addHandler(logging.NullHandler())  # without one, warnings would be written over the screen
    threading.excepthook = app.thread_ended
    app.run()
    gc.freeze()  # the process is about to end: its modules need not be searched for cycles once more
    if app.told:
        raise Failure(app.told, exit_code=app.return_code or 3)
    if app.report:
        width = shutil.get_terminal_size().columns
        with contextlib.suppress(OSError):  # the terminal was closed
            click.echo("\n".join(cut(line, width) for line in summary(app.report)))
    return app.return_code or 0


def _keys(config: str | None) -> Mapping[str, str]:
    """The keys of the configuration file. Raises :class:`Failure`."""
    from tunneldoctor.cli.tunnels import configuration

    keys = configuration(config).keys
    if keys:
        from tunneldoctor.tui.keys import WrongKeys, check

        try:
            check(keys)
        except WrongKeys as error:
            raise Failure(str(error)) from error
    return keys


def _events(source: str) -> tuple[Event, ...]:
    """What led to the one report in *source*, where it is a stream of events; else the report alone."""
    from pathlib import Path

    from tunneldoctor.cli.saved import one_report
    from tunneldoctor.model import RunFinished
    from tunneldoctor.report.from_ndjson import events_from_ndjson
    from tunneldoctor.report.json_value import NotAReport

    report = one_report(source)
    try:
        with Path(source).open("rb") as lines:
            events = tuple(events_from_ndjson(lines))
    except (OSError, NotAReport):  # a report, of a file or of a run that was kept
        events = ()
    return events or (RunFinished(report.duration_ms, report),)


def _finder(config: str | None) -> Callable[[str], Tunnel]:
    def find(name: str) -> Tunnel:
        from tunneldoctor.cli.tunnels import named_tunnel
        from tunneldoctor.tui.session import UnknownTunnel

        try:
            return named_tunnel(config, name)
        except Failure as error:
            raise UnknownTunnel(str(error)) from error

    return find


def _path(config: str | None) -> Path | None:
    from pathlib import Path

    return Path(config) if config else None


def _history(tell: Callable[[str], None]) -> History | None:
    from tunneldoctor.history import History

    return History.of_this_user(tell)


def _no_history(tell: Callable[[str], None]) -> History | None:
    return None
