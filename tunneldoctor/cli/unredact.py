"""``tunneldoctor unredact``: an answer to a ticket, with the names that its aliases stand for."""

from __future__ import annotations

import click

from tunneldoctor.cli.completion import complete_files
from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.source import content

#: Bytes that are read: a ticket has 100 kB.
_LARGEST = 16 * 1024 * 1024


@click.command("unredact", short_help="Put the names back that --redact topology replaced.")
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@click.option("-o", "--output", metavar="FILE", shell_complete=complete_files, help="Write there instead of to stdout.")
def command(file: str, output: str | None) -> int:
    """Print FILE (- for stdin) with the hosts, addresses, users and paths of this machine's tickets instead of the
    aliases that --redact topology gave them. Any text will do: a mail, a log, a ticket.

    Exit status: 0 also where nothing had to be put back, 2 FILE or the map of aliases can't be read.
    """
    from tunneldoctor.alias_file import MapUnusable, kept
    from tunneldoctor.cli.console import Output
    from tunneldoctor.model import visible_lines
    from tunneldoctor.report import unredacted

    data = _read(file)
    try:
        aliases = kept()
    except MapUnusable as error:
        raise Failure(str(error)) from error
    text, found = unredacted(data.decode("utf-8", "backslashreplace"), aliases)
    with Output(output) as stream:
        stream.write(visible_lines(text, len(text)) if stream.is_terminal else text, machine=True)
    note(f"put back: {found} names" if found else "no alias of this machine's is in it")
    return 0


def _read(file: str) -> bytes:
    try:
        data = content(file, _LARGEST)
    except OSError as error:
        raise Failure(f"can't read {file}: {error.strerror}") from error
    if len(data) > _LARGEST:
        raise Failure(f"{file} is larger than {_LARGEST // 2**20} MiB")
    return data
