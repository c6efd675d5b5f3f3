"""Writing a file so that nobody ever sees half of it."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Put *content* in place of the file at *path* in one step; a link stays a link. Raises OSError.

    A new file, and its folder where that is missing, is for its owner alone; one that was there keeps its mode and,
    where the system lets us, its owner, unless it is to be *private* from now on.
    """
    real = path.resolve()
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name[:100]}.")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            if not private:
                _like(real, file.fileno())
            os.fsync(file.fileno())
        Path(name).replace(real)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _like(old: Path, number: int) -> None:
    """Give the open file *number* the mode and owner of the *old* one, if there is one."""
    try:
        status = old.stat()
    except FileNotFoundError:
        return
    if hasattr(os, "fchown"):
        with contextlib.suppress(PermissionError):
            os.fchown(number, status.st_uid, status.st_gid)
    if hasattr(os, "fchmod"):
        os.fchmod(number, stat.S_IMODE(status.st_mode))
