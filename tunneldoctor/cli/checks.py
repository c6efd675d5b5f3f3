"""The installed checks and their pages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tunneldoctor.cli.failure import Failure, note

if TYPE_CHECKING:
    from pathlib import Path

    from tunneldoctor.catalog import Catalog
    from tunneldoctor.model import CheckPackage


@cache
def installed_packages() -> tuple[CheckPackage, ...]:
    """Every installed check package. Raises :class:`Failure` where one can't be used."""
    from tunneldoctor.engine.load import PackageError, load_packages

    try:
        return load_packages()
    except PackageError as error:
        raise Failure(str(error)) from error


@cache
def installed_catalog() -> Catalog:
    """The pages of all installed check packages."""
    return _catalog(None)


def noted_catalog(config: str | None) -> Catalog:
    """The same with the notes that the configuration file names; what is amiss with them is said on stderr."""
    from tunneldoctor.cli.tunnels import configuration

    try:
        folder = configuration(config).notes
    except Failure as error:  # who needs the file for more than its notes will hear of it as an error
        note(str(error))
        return installed_catalog()
    if folder is None:
        return installed_catalog()
    catalog = _catalog(folder)
    for fault in catalog.faults_of_notes():
        note(f"notes: {fault}")
    return catalog


def _catalog(notes: Path | None) -> Catalog:
    """The built-in pages are found by path; the checks are loaded where that misses, to find anybody's own."""
    from tunneldoctor.catalog import Catalog, Notes
    from tunneldoctor.catalog.builtin import builtin_pages

    folder = builtin_pages()
    return Catalog([folder] if folder else [], Notes(notes) if notes else None, _all_pages)


def _all_pages() -> list[Path]:
    return [package.pages for package in installed_packages()]
