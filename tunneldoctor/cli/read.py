"""``tunneldoctor read``: what the output and logs of other programs say, offline."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from tunneldoctor.cli.completion import complete_files, complete_tunnels
from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.options import color_option, config_option, json_option
from tunneldoctor.cli.source import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.model import Tunnel
    from tunneldoctor.pasted import Told

_PLAIN_WIDTH = 100
#: Bytes from which somebody may wonder what takes so long: about 100 s a GiB.
_LARGE = 2**28
_SCHEMA = "tunneldoctor.reading/1"


@click.command("read", short_help="Tell what the output of ssh, sshd or a driver means.")
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@click.option("--tunnel", metavar="NAME", shell_complete=complete_tunnels, help="Fill in the values of this tunnel.")
@config_option
@json_option
@color_option
def command(file: str, tunnel: str | None, config: str | None, as_json: bool, color: str) -> int:
    """Tell what is in FILE (- for stdin): what ssh -v, sshd, paramiko, JSch, sshj, libpq, JDBC, mysql or sqlcmd
    printed, a pasted mixture, or a log of any size.

    Which line shows what, which causes that leaves, and what to do: the codes and pages of an examination, never more
    certain than the text. Nothing leaves this machine.

    Exit status: 0 it tells something, 2 the command line or FILE can't be used, 3 it tells nothing.
    """
    from tunneldoctor.cli.checks import noted_catalog
    from tunneldoctor.cli.console import Output
    from tunneldoctor.report import redact_value

    result = redact_value(_read(file, _tunnel(tunnel, config), noted_catalog(config)))
    with Output(None, color) as output:
        output.write(_document(result) if as_json else _text(result, output), machine=as_json)
    return result.exit_code


@dataclass(frozen=True, slots=True)
class _Result:
    file: str
    lines: int
    told: Sequence[Told]

    @property
    def exit_code(self) -> int:
        return 0 if self.told else 3


def _read(file: str, tunnel: Tunnel, catalog: Catalog) -> _Result:
    from tunneldoctor.pasted import NotText, blocks, scan, told

    try:
        with opened(file) as stream:
            _warn_of_the_time(stream)
            scanned = scan(blocks(stream), catalog)
    except OSError as error:
        raise Failure(f"can't read {file}: {error.strerror}") from error
    except NotText as error:
        raise Failure(f"{file} can't be read: {error}") from error
    return _Result(file, scanned.lines, told(scanned, catalog, tunnel))


def _warn_of_the_time(stream: BinaryIO) -> None:
    try:
        size = os.fstat(stream.fileno()).st_size
    except OSError:  # stdin that is closed
        return
    if size > _LARGE:
        note(f"{size / 2**30:.1f} GiB to read: that takes a minute or more")


def _tunnel(name: str | None, config: str | None) -> Tunnel:
    from tunneldoctor.model import Hop, Tunnel

    if name is None:
        return Tunnel("TUNNEL", (Hop("bastion", None),), None)
    from tunneldoctor.cli.tunnels import named_tunnel

    return named_tunnel(config, name)


def _text(result: _Result, output: Any) -> str:
    from tunneldoctor.report import render_finding

    if not result.told:
        return f"none of its {result.lines} lines is one that is known here: it tells nothing\n"
    style = output.style()
    layout = {"color": style.color, "unicode": style.unicode, "width": style.width or _PLAIN_WIDTH}
    first, *rest = (render_finding(each.finding, each.hop, **layout) for each in result.told)
    parts = [first, *(["and behind it, or following from it:\n", *rest] if rest else [])]
    return "".join(parts).rstrip() + "\n"


def _document(result: _Result) -> str:
    import json

    from tunneldoctor import __version__
    from tunneldoctor.report import finding_document, harmless

    document = {
        "schema": _SCHEMA,
        "tool": {"name": "tunneldoctor", "version": __version__},
        "lines": result.lines,
        "exit_code": result.exit_code,
        "findings": [
            {
                "hop": each.hop,
                "count": each.count,
                "lines": [{"number": line.number, "text": line.text} for line in each.lines],
                "finding": finding_document(each.finding),
            }
            for each in result.told
        ],
    }
    return json.dumps(harmless(document), indent=2, allow_nan=False)
