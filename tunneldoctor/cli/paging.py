"""Markdown on stdout: as it is for a pipe; laid out, and page by page where it is long, on a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import sys

from tunneldoctor.cli.console import Output

#: What git gives less: quit where all fits on one screen, pass colours on, leave the text standing (git-config(1)).
_LESS = "-FRX"


def show(document: str, color: str) -> None:
    """Print *document*, which is Markdown, through a pager where stdout is a terminal."""
    with Output(None, color) as output:
        colored = output.style().color and (color == "always" or output.is_terminal)
        text = _laid_out(document) if colored else document
        if output.is_terminal and _wants_pager():
            _page(text, colored)
        else:
            output.write(text)


def _page(text: str, colored: bool) -> None:
    import click

    os.environ.setdefault("LESS", _LESS)
    click.echo_via_pager(text, color=colored)


def _wants_pager() -> bool:
    """As git does: $PAGER, else less; none where it is empty, and none on a terminal that can't do it."""
    try:
        words = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # a quote that is not closed
        return False
    if not words or os.environ.get("TERM") in (None, "", "dumb") or not sys.stdin:
        return False
    return sys.stdin.isatty() and shutil.which(words[0]) is not None


def _laid_out(document: str) -> str:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(force_terminal=True, highlight=False)
    with console.capture() as capture:
        console.print(Markdown(document))
    return capture.get()
