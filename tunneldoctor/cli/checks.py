"""The installed checks and their pages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tunneldoctor.cli.failure import Failure

if TYPE_CHECKING:
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
    from tunneldoctor.catalog import Catalog

    return Catalog.of(installed_packages())
