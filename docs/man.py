"""``docs/tunneldoctor.1``: the manual page, from the commands' own help.

Not with click-man (0.5.1): it reads ``Group.commands``, empty where commands are loaded when asked for,
makes a page for each command, and passes on leading dots and backslashes, which roff obeys.
Macros: man(7).
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

import tunneldoctor
from tunneldoctor.cli.app import SECTIONS, cli
from tunneldoctor.cli.options import TunnelCommand, is_of_tunnel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAME = "tunneldoctor"
_SHARED = "Options of a tunnel"
_END = """\
.SH EXIT STATUS
Of check, idle and demo, in every format; other commands say above what they mean by theirs.
.TP
.B 0
healthy; warnings are allowed, unless with \\fB\\-\\-fail\\-on warning\\fP
.TP
.B 1
something is broken
.TP
.B 2
the command line or the configuration file can't be used; nothing was checked
.TP
.B 3
nothing was found broken, but something that had to be checked could not be
.TP
.BR 130 ", " 143 ", " 129
interrupted by SIGINT, SIGTERM or SIGHUP; what was found so far is printed
.SH ENVIRONMENT
.TP
.B TUNNELDOCTOR_CONFIG
the configuration file, where \\fB\\-\\-config\\fP is not given
.TP
.B TUNNELDOCTOR_NO_HISTORY
1: as \\fB\\-\\-no\\-history\\fP
.TP
.BR NO_COLOR ", " FORCE_COLOR
no colours, or colours also where the output is no terminal
.TP
.B PAGER
shows long pages on a terminal; empty or cat: none does
.SH FILES
.TP
.I ./tunneldoctor.toml
the tunnels of this folder
.TP
.I ~/.config/tunneldoctor/tunneldoctor.toml
the user's own, where there is none in the folder
.TP
.I ~/.local/state/tunneldoctor/history
the reports that were kept
.SH SEE ALSO
.BR ssh (1),
.BR ssh_config (5),
.BR sshd_config (5)
"""


def page() -> str:
    """The page, for ``man -l`` or share/man/man1."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    context = click.Context(cli, info_name=_NAME, **cli.context_settings)
    about, *rest = _paragraphs(cli)
    yield f'.TH TUNNELDOCTOR 1 "" "{_NAME} {tunneldoctor.__version__}" "User Commands"'
    yield from (".SH NAME", f"{_NAME} \\- {_escaped(about[0].lower() + about[1:].rstrip('.'))}")
    yield from (".SH SYNOPSIS", f".B {_NAME}", "[\\fIcommand\\fP] [\\fIoptions\\fP] [\\fIarguments\\fP]")
    yield from (".SH DESCRIPTION", *_text(rest), *_options(cli.get_params(context), context))
    for title, names in SECTIONS.items():
        yield f'.SH "{title.upper()}"'
        for name in names:
            command = cli.get_command(context, name)
            assert command is not None
            yield from _command(command, click.Context(command, context, name))
    check = cli.get_command(context, "check")
    assert check is not None
    yield from (
        f'.SH "{_SHARED.upper()}"',
        "They describe a tunnel without a file, or what is to differ from the file.",
    )
    shared = click.Context(check, context, "check")
    yield from _options((each for each in check.get_params(shared) if is_of_tunnel(each)), shared)
    yield _END


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """One command: how it is called, what it does, its own options."""
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "{_NAME} {context.info_name} {_escaped(pieces)}"'
    yield from _text(_paragraphs(command))
    own = [each for each in command.get_params(context) if not is_of_tunnel(each) and "--help" not in each.opts]
    yield from _options(own, context)
    if isinstance(command, TunnelCommand):
        yield from (".PP", f"And the {_SHARED.lower()}, below.")


def _paragraphs(command: click.Command) -> list[str]:
    return inspect.cleandoc(command.help or "").split("\n\n")


def _text(paragraphs: Iterable[str]) -> Iterator[str]:
    """``\\b`` on a line of its own says that the lines below it are to stay as they are: click's documentation."""
    for paragraph in paragraphs:
        if paragraph.startswith("\b\n"):
            yield from (".PP", ".nf", _escaped(paragraph.removeprefix("\b\n")), ".fi")
        else:
            yield from (".PP", _escaped(" ".join(paragraph.split())))


def _options(options: Iterable[click.Parameter], context: click.Context) -> Iterator[str]:
    for each in options:
        if isinstance(each, click.Option) and (record := each.get_help_record(context)):
            yield from (".TP", f"\\fB{_escaped(record[0])}\\fP", _escaped(record[1]))


def _escaped(text: str) -> str:
    """*text* as roff shows it unchanged: no line begins with a control character, a hyphen is a minus to copy."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in escaped.splitlines())
