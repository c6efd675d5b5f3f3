"""The map from aliases to names, which stays on this machine: one file in the user's state folder."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from tunneldoctor.report.aliases import Aliases
from tunneldoctor.whole_file import write_whole

#: Bytes of the file: as many names as it may hold, each with its alias and its root, need a third of that.
LARGEST = 16 * 1024 * 1024


class MapUnusable(Exception):
    """The file can't be read or written, or holds something else; the message is one line for the user."""


def place() -> Path:
    """``~/.local/state/tunneldoctor/aliases.json`` on Linux."""
    import platformdirs

    return Path(platformdirs.user_state_path("tunneldoctor", appauthor=False)) / "aliases.json"


def kept() -> Aliases:
    """The aliases that were given so far. Raises :class:`MapUnusable`."""
    path = place()
    try:
        with path.open("rb") as file:
            return Aliases.read(json.loads(file.read(LARGEST)))
    except FileNotFoundError:
        return Aliases()
    except OSError as error:
        raise MapUnusable(f"can't read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        what = "it is not JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
        raise MapUnusable(f"{path} is not the map of aliases: {what}; move it away to begin a new one") from None


@contextlib.contextmanager
def growing() -> Iterator[Aliases]:
    """The same, to give further ones, which are kept where nothing was raised meanwhile; one process at a time.

    Raises :class:`MapUnusable`.
    """
    path = place()
    with _alone(path.with_suffix(".lock")):
        aliases = kept()
        before = len(aliases)
        yield aliases
        if len(aliases) == before:
            return
        try:
            write_whole(path, json.dumps(aliases.document()).encode(), private=True)
        except OSError as error:
            words = f"can't write {path}, and without it nothing puts the names back: {error.strerror}"
            raise MapUnusable(words) from error


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Others wait: two runs must not give one alias to two names. Where the system has no such locks, nobody waits."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("ab")
        path.chmod(0o600)
    except OSError as error:
        raise MapUnusable(f"can't write {path}: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
