"""What the file system says about a key file."""

import os
import stat
from pathlib import Path

from tunneldoctor.model import Evidence, Finding, Reference


def path_of(reference: Reference) -> Path | None:
    """The file that *reference* names, or None where it names none."""
    if reference.scheme != "file" or not reference.name:
        return None
    try:
        return Path(reference.name).expanduser()
    except RuntimeError:  # no home folder for ~user
        return None


def kind(reference: Reference) -> str:
    """What a name that is no file is, in words."""
    path = path_of(reference)
    if path is not None and path.is_dir():
        return "other files: it is a folder"
    return "nothing to keep: it is a pipe, a socket or a device"


def permissions(reference: Reference) -> tuple[Finding, ...]:
    """sshkey_perm_ok in authfile.c: a key of our own that group or others may touch is ignored by ssh."""
    path = path_of(reference)
    if path is None or os.name == "nt":
        return ()
    try:
        status = path.stat()
    except OSError:
        return ()
    if status.st_uid != os.getuid() or not status.st_mode & 0o077:
        return ()
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    seen = Evidence("file", f"{path}: {stat.filemode(status.st_mode)}, uid {status.st_uid}")
    return (Finding("key.permissions-too-open", {"path": str(path), "mode": mode}, (seen,)),)


def facts(reference: Reference) -> tuple[Evidence, ...]:
    """Mode and owner of the nearest part of the path that is there, and who is asking."""
    path = path_of(reference)
    if path is None or os.name == "nt":
        return ()
    for part in (path, *path.parents):
        try:
            status = part.lstat()
        except OSError:
            continue
        return (
            Evidence("file", f"{part}: {stat.filemode(status.st_mode)}, uid {status.st_uid}; we are {os.getuid()}"),
        )
    return ()
