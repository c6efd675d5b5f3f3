"""The program's commands, each loaded when it is asked for, and the way that every failure is told."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import click

import tunneldoctor
from tunneldoctor.cli.failure import Failure, complain
from tunneldoctor.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The commands as the help shows them: what most people need first.
SECTIONS = {
    "Examine": ("check", "tui", "idle", "demo"),
    "Mend": ("pin", "repair-key"),
    "Understand": ("explain", "runbook", "read", "explain-evidence"),
    "Hand on": ("ticket", "unredact", "show", "diff"),
    "For scripts and shells": ("list", "schema", "completion"),
}
_COMMANDS = tuple(name for names in SECTIONS.values() for name in names)
#: What a shell reports for a program that SIGPIPE ended.
_BROKEN_PIPE = 141


class _Commands(click.Group):
    """A command's module is ``tunneldoctor.cli.<name>`` with underscores, and the command in it is ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in SECTIONS.items():
            commands = {name: self.get_command(ctx, name) for name in names}
            with formatter.section(title):
                formatter.write_dl(
                    [(name, command.get_short_help_str(80)) for name, command in commands.items() if command]
                )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"tunneldoctor.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(tunneldoctor.__version__, prog_name="tunneldoctor", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> int:
    """Find out why an SSH tunnel to a database does not work, and how to fix it.

    Without a command, on a terminal, it opens the screens of tui. Start with a look: tunneldoctor demo.
    """
    if context.invoked_subcommand is not None:
        return 0
    from tunneldoctor.cli.tui import open_on, why_not

    if why_not():
        click.echo(context.get_help())
        return 0
    return open_on(None)


def run(arguments: Sequence[str]) -> int:
    """Run the command line *arguments* and return the exit status. Nothing escapes from here."""
    try:
        status = cli.main(list(arguments), prog_name="tunneldoctor", standalone_mode=False)
        if sys.stdout:
            sys.stdout.flush()
    except click.ClickException as error:
        complain(_words(error))
        return 2
    except Failure as error:
        complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        from tunneldoctor.cli.console import drop_stdout

        drop_stdout()
        return _BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        return 130
    except Exception as error:
        return _own_defect(error)
    return status if isinstance(status, int) else 0


def _words(error: click.ClickException) -> str:
    """One line; an option or a command that does not exist is told with the nearest that does."""
    if isinstance(error, click.NoSuchOption):
        return f"no such option: {error.option_name}" + nearest(error.option_name, error.possibilities or ())
    if isinstance(error, click.exceptions.NoSuchCommand):
        return f"no such command: {error.command_name}" + nearest(error.command_name, _COMMANDS)
    words = " ".join(error.format_message().split()).rstrip(".")
    return words[:1].lower() + words[1:]


def _own_defect(error: Exception) -> int:
    from tunneldoctor.examination.defect import describe, write_log

    where = write_log([describe(error)])
    complain(f"a defect of tunneldoctor's own ({type(error).__name__}); {where}")
    return 3
