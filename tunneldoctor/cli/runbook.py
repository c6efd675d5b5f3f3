"""``tunneldoctor runbook``: the pages as one document for whoever is on call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunneldoctor.cli.completion import complete_codes, complete_files, complete_providers, complete_tunnels
from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.options import config_option
from tunneldoctor.cli.paging import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.model import Tunnel
    from tunneldoctor.runbook import Part

_SUFFIXES = {".html": "html", ".htm": "html"}


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    return [*complete_tunnels(context, parameter, incomplete), *complete_codes(context, parameter, incomplete)]


@click.command("runbook", short_help="Write the pages as one document for whoever is on call.")
@click.argument("words", metavar="[TUNNEL|CODE]...", nargs=-1, shell_complete=_complete)
@click.option("--provider", metavar="NAME", shell_complete=complete_providers,
              help="Whose commands it shows: aws, azure, gcp or onprem. Default: the tunnel's, else all.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE|DIR", shell_complete=complete_files,
              help="Write it there instead of to stdout: one file, or in a folder a file for each page.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(["markdown", "html"]),
              help="Default: html where FILE ends in .html, else markdown.")  # fmt: skip
@config_option
def command(
    words: tuple[str, ...], provider: str | None, output: str | None, format_: str | None, config: str | None
) -> None:
    """Write what there is to know about every code as one document, by symptom and by layer.

    With a TUNNEL its values are in the commands; without, the names of the values stand there. With one CODE or
    several it is those alone, with what they may be caused by. DIR is a folder that is there, or ends in a
    slash; what is in it under the same names is written anew, and nothing is taken away.
    """
    from tunneldoctor.catalog import PageError
    from tunneldoctor.cli.checks import noted_catalog

    catalog = noted_catalog(config)
    codes, tunnel = _meant(words, catalog, config)
    try:
        book = _book(catalog, codes, tunnel, provider)
    except PageError as error:
        raise Failure(str(error), exit_code=3) from error
    _write(book, output, format_ or _SUFFIXES.get(Path(output or "").suffix.lower(), "markdown"))


def _meant(words: Sequence[str], catalog: Catalog, config: str | None) -> tuple[list[str], Tunnel | None]:
    """The codes among *words*, and the tunnel; a word that is both is the code. Raises :class:`Failure`."""
    from tunneldoctor.cli.tunnels import named_tunnel
    from tunneldoctor.nearest import nearest

    codes = [word.lower() for word in words if catalog.has(word.lower())]
    names = [word for word in words if not catalog.has(word.lower())]
    if len(names) > 1:
        unknown = next((word for word in names if "." in word), names[1])
        near = nearest(unknown.lower(), catalog.codes())
        raise Failure(f"a runbook is for one tunnel, and {' and '.join(names)} are no codes{near}")
    try:
        return codes, named_tunnel(config, names[0]) if names else None
    except Failure as error:
        near = nearest(names[0].lower(), catalog.codes())
        raise Failure(f"no such code: {names[0]}{near}" if near else str(error)) from error


def _book(catalog: Catalog, codes: Sequence[str], tunnel: Tunnel | None, provider: str | None) -> Part:
    from tunneldoctor.model import Provider
    from tunneldoctor.runbook import runbook

    if provider and provider not in set(Provider):
        raise Failure(f"--provider must be one of {', '.join(Provider)}, not {provider}")
    chosen = Provider(provider) if provider else None
    if tunnel and chosen:
        tunnel = replace(tunnel, provider=chosen)
    return runbook(catalog, tunnel, chosen, codes)


def _write(book: Part, output: str | None, format_: str) -> None:
    """Bring *book* to where it is wanted. Raises :class:`Failure`."""
    from tunneldoctor.cli.console import Output
    from tunneldoctor.runbook import render_html, render_markdown

    if output and _is_folder(output):
        _write_folder(book, Path(output), format_)
    elif format_ == "markdown" and output is None:
        show(render_markdown(book), "never")
    else:
        with Output(output) as out:
            out.write(render_html(book) if format_ == "html" else render_markdown(book), machine=True)


def _is_folder(output: str) -> bool:
    try:
        return output.endswith("/") or Path(output).is_dir()
    except OSError:  # which writing will meet too, and tell
        return False


def _write_folder(book: Part, folder: Path, format_: str) -> None:
    from tunneldoctor.runbook import render_folder, render_html

    files = [("runbook.html", render_html(book))] if format_ == "html" else render_folder(book)
    try:
        for name, text in files:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise Failure(f"can't write {error.filename or folder}: {error.strerror}") from error
    note(f"written: {folder / ('runbook.html' if format_ == 'html' else 'index.md')}")
