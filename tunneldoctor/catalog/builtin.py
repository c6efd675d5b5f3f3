"""Where the pages of the built-in checks are, found by path: no check is loaded for it."""

from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

#: The entry-point group of check packages, and the name under which the built-in one registers in it.
GROUP, BUILTIN = "tunneldoctor.checks", "builtin"


def builtin_pages() -> Path | None:
    """The folder of the built-in package's module, beside which its pages lie; None where it can't be found so."""
    for point in entry_points(group=GROUP, name=BUILTIN):
        spec = find_spec(point.module)  # of a package that is not inside another: nothing is imported for it
        if spec and spec.origin:
            return Path(spec.origin).parent
    return None
