"""Find the check packages that are installed."""

from importlib.metadata import entry_points

from tunneldoctor.catalog.builtin import BUILTIN, GROUP
from tunneldoctor.model import CheckPackage


class PackageError(Exception):
    """An installed check package can't be used; the message names it and says why."""


def load_packages() -> tuple[CheckPackage, ...]:
    """Every installed check package, the built-in one first. Raises PackageError."""
    found = sorted(entry_points(group=GROUP), key=lambda point: (point.name != BUILTIN, point.name))
    packages = tuple(_load(point.name, point.load) for point in found)
    _no_doubles(packages)
    return packages


def _load(name: str, load: object) -> CheckPackage:
    try:
        package = load() if callable(load) else load
    except Exception as error:  # a foreign package may raise anything at import
        raise PackageError(f"checks {name!r} can't be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(package, CheckPackage):
        raise PackageError(f"checks {name!r}: the entry point must name a CheckPackage, not {type(package).__name__}")
    return package


def _no_doubles(packages: tuple[CheckPackage, ...]) -> None:
    seen: dict[str, str] = {}
    for package in packages:
        for check in package.checks:
            if check.id in seen:
                raise PackageError(f"two checks are called {check.id}: in {seen[check.id]} and {package.name}")
            seen[check.id] = package.name
