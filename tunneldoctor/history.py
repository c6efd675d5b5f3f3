"""The runs of the past: each tunnel's reports as JSON in the user's state folder, few and for this user alone.

A report comes here as it was shown, with its secrets taken out. What can't be written or read is told and changes
nothing else: history is a convenience, the examination is not.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Self

from tunneldoctor.model import Report, Verdict
from tunneldoctor.report.difference import since_it_worked
from tunneldoctor.report.from_json import report_from_json
from tunneldoctor.report.json_value import NotAReport
from tunneldoctor.report.shown import moment
from tunneldoctor.report.to_json import report_json

#: Runs that are kept of one tunnel, and their bytes; the oldest go.
PER_TUNNEL, BYTES_PER_TUNNEL = 50, 8 * 1024 * 1024
#: The same for all tunnels together.
IN_ALL, BYTES_IN_ALL = 1000, 64 * 1024 * 1024
#: Bytes of one report; they have 15 to 60 kB.
LARGEST = 2 * 1024 * 1024
#: Bytes of a folder's name: every file system has room for 255.
_LONGEST_NAME = 120
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_HASHED = "="
_ENDING, _UNFINISHED = ".json", ".tmp"
#: Seconds after which nobody is still writing a file.
_ABANDONED = 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """A run of the past and the file that holds it."""

    path: Path
    report: Report

    @property
    def started_at(self) -> datetime:
        """When it began."""
        return self.report.started_at

    @property
    def verdict(self) -> Verdict:
        """What it came to."""
        return self.report.verdict

    @property
    def code(self) -> str | None:
        """The diagnosis' code, if there was one."""
        return self.report.diagnosis.code if self.report.diagnosis else None


@dataclass(frozen=True, slots=True)
class History:
    """All kept runs below *folder*. ``tell`` gets a line where a run can't be kept or read; nothing is raised."""

    folder: Path
    tell: Callable[[str], None]

    @classmethod
    def of_this_user(cls, tell: Callable[[str], None]) -> Self:
        """In the folder that the system has for such things: ``~/.local/state/tunneldoctor/history`` on Linux.

        The same is told once, however many tunnels it holds for.
        """
        import platformdirs

        return cls(
            Path(platformdirs.user_state_path("tunneldoctor", appauthor=False)) / "history", functools.cache(tell)
        )

    def keep(self, report: Report) -> Path | None:
        """Keep *report*, let the oldest go, and return the new file; None where it could not be written."""
        data = report_json(report).encode()
        if len(data) > LARGEST:
            self.tell(f"this run is not kept: its report is larger than {LARGEST // 2**20} MiB")
            return None
        try:
            path = _written(self._folder(report.tunnel.name), report, data)
            self._let_go(path)
        except OSError as error:
            self.tell(f"this run is not kept in {self.folder}: {error.strerror} (--no-history: don't try)")
            return None
        return path

    def kept(self, name: str | None = None, most: int | None = None) -> list[Kept]:
        """The runs of the tunnel *name*, or of all, the last one first and no more than *most*; what can't be read is
        told and left out."""
        return list(islice(self._read(self._files_of(name)), most))

    def last(self, name: str | None = None) -> Kept | None:
        """The last run of the tunnel *name*, or of any."""
        return next(iter(self.kept(name, 1)), None)

    def last_that_worked(self, name: str, before: datetime | None = None) -> Kept | None:
        """The last run of *name* that found the tunnel working (with warnings at most) and began earlier than that."""
        runs = self._read(path for path in self._files_of(name) if _worked(path))
        return next((kept for kept in runs if before is None or kept.started_at < before), None)

    def remark(self, report: Report) -> str | None:
        """What is worth knowing about a broken tunnel: when it last worked, and what else changed since."""
        if report.verdict is not Verdict.BROKEN:
            return None
        worked = self.last_that_worked(report.tunnel.name, before=report.started_at)
        return since_it_worked(worked.report, report) if worked else None

    def names(self) -> list[str]:
        """The tunnels that runs are kept of; without those whose names are too long to be a folder's."""
        names = (_name(folder.name) for folder in self._folders())
        return sorted(name for name in names if name is not None)

    def _folder(self, name: str) -> Path:
        return self.folder / folder_name(name)

    def _folders(self) -> list[Path]:
        return [each for each in self._inside(self.folder) if _is_folder(each)]

    def _inside(self, folder: Path) -> list[Path]:
        try:
            return list(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.tell(f"can't read {folder}: {error.strerror}")
            return []

    def _files_of(self, name: str | None) -> Iterator[Path]:
        return self._files(*self._folders()) if name is None else self._files(self._folder(name))

    def _files(self, *folders: Path) -> Iterator[Path]:
        """The files of runs, the last one first."""
        files = (path for folder in folders for path in self._inside(folder) if path.suffix == _ENDING)
        yield from sorted(files, key=lambda path: path.name, reverse=True)

    def _read(self, paths: Iterator[Path]) -> Iterator[Kept]:
        for path in paths:
            try:
                with path.open("rb") as file:
                    yield Kept(path, report_from_json(file.read(LARGEST + 1)))
            except FileNotFoundError:
                continue  # another run let it go meanwhile
            except OSError as error:
                self.tell(f"can't read {path}: {error.strerror}")
            except NotAReport as error:
                self.tell(f"{path} is passed over: {error}")

    def _let_go(self, new: Path) -> None:
        """Delete the oldest runs that are too many; of a tunnel its last run that worked outlives the others."""
        mine = [path for path in self._files(new.parent) if path != new]
        worked = [path for path in mine if _worked(path)][:1]
        others = [path for path in mine if path not in worked]
        _delete_beyond([new, *worked, *others], PER_TUNNEL, BYTES_PER_TUNNEL)
        _delete_beyond(list(self._files(*self._folders())), IN_ALL, BYTES_IN_ALL)
        for folder in self._folders():
            _tidy(folder)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # somebody else's
        return False


def folder_name(name: str) -> str:
    """The folder of the tunnel *name*: no two names share one, not even where a file system folds case.

    Small letters, digits, ``-`` and ``_`` stand for themselves, every other byte is ``%`` and two digits. What gets too
    long is its beginning, ``=`` and its SHA-256, which no other name becomes.
    """
    data = name.encode("utf-8", "surrogatepass")
    written = "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in data)
    if written and len(written) <= _LONGEST_NAME:
        return written
    import hashlib

    return f"{written[:40]}{_HASHED}{hashlib.sha256(data).hexdigest()}"


def _name(folder: str) -> str | None:
    """The tunnel that *folder* is of; None where its name does not hold it."""
    from urllib.parse import unquote_to_bytes

    return None if _HASHED in folder else unquote_to_bytes(folder).decode("utf-8", "replace")


def _written(folder: Path, report: Report, data: bytes) -> Path:
    """A new file, there as a whole or not at all, that only this user can read. Raises OSError."""
    start = f"{moment(report.started_at).replace(':', '').replace('-', '')}-{report.verdict}"
    start += "-" if report.complete else "-incomplete-"
    handle, unfinished = _new_file(folder, start)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        path = Path(unfinished).with_suffix(_ENDING)
        os.replace(unfinished, path)  # noqa: PTH105 - mkstemp gives a text
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)  # noqa: PTH108
        raise
    return path


def _new_file(folder: Path, start: str) -> tuple[int, str]:
    """A file with mode 0600 and a name of its own, in folders that are made where they are missing."""
    if not folder.is_absolute():  # a user without an entry in passwd(5) and without $HOME
        raise FileNotFoundError(errno.ENOENT, "there is no home folder")
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    if folder.parent.stat().st_mode & 0o077:
        folder.parent.chmod(0o700)
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        return tempfile.mkstemp(_UNFINISHED, start, folder)
    except FileNotFoundError:  # another run took it for an empty one, which it was
        folder.mkdir(mode=0o700, exist_ok=True)
        return tempfile.mkstemp(_UNFINISHED, start, folder)


def _worked(path: Path) -> bool:
    """By the name of its file, the run was complete and found a tunnel that works."""
    _, verdict, *rest = [*path.name.split("-"), ""]
    return any(each.works and verdict == each for each in Verdict) and rest[0] != "incomplete"


def _delete_beyond(paths: list[Path], number: int, size: int) -> None:
    """Delete those of *paths*, the most precious first, that are more than *number*, or *size* bytes, allow."""
    for path in paths:
        try:
            status = path.stat()
            number, size = number - 1, size - status.st_size
            if number < 0 or size < 0:
                path.unlink()
        except OSError:
            continue  # another run was faster, or somebody else put it there


def _tidy(folder: Path) -> None:
    """Remove what a run left that was killed while it wrote, and the folder where it is empty."""
    with contextlib.suppress(OSError):  # another run was faster, or it is not empty
        for path in folder.glob(f"*{_UNFINISHED}"):
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink()
        folder.rmdir()
