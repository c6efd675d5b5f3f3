"""A private key's file is replaced: all or nothing, with the original kept beside it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tunneldoctor.ssh import ssh_keygen
from tunneldoctor.ssh.blobs import Malformed, decode, fingerprint
from tunneldoctor.ssh.openssh_key import OPENSSH
from tunneldoctor.ssh.repair import Plan

#: A folder with more originals than this is somebody's mistake.
_MOST_ORIGINALS = 1000


class NotReplaced(Exception):
    """The file is as it was; the text says why."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Where the old file is kept, and how it is known that the new one is good, in words."""

    original: Path
    proof: tuple[str, ...]


def replace(path: Path, before: bytes, plan: Plan) -> Replaced:
    """Put what *plan* made of *before* in its place.

    Both files are for their owner alone, whom the new one keeps; a symbolic link stays one. The new file must load as
    the same key before it takes the old one's place. Raises :class:`NotReplaced` and OSError.
    """
    real = _target(path)
    status = real.stat()
    if real.read_bytes() != before:
        raise NotReplaced(f"{path} has just been changed by somebody else")
    with contextlib.ExitStack() as undo:
        original = _beside(real, undo)
        _fill(original, before, status)
        new = _unnamed(real, undo)
        _fill(new, plan.content or b"", status)
        proof = _proven(new, plan)
        new.replace(real)
        undo.pop_all()
    _settle(real.parent)
    return Replaced(original, (*proof, *_compared(path, plan)))


def _proven(new: Path, plan: Plan) -> list[str]:
    """How the new file shows that it is the key; *plan* has loaded it already. Raises NotReplaced where it is not."""
    known = not any(each.code == "key.passphrase-missing" for each in plan.left)
    proof = ["it loads here" if known else "its outside is whole; what is inside takes the passphrase to see"]
    if plan.locked and OPENSSH.encode() not in (plan.content or b""):
        return proof
    try:
        read = ssh_keygen.public_half(new, plan.locked)
    except ssh_keygen.NotLoaded as error:
        raise NotReplaced(f"ssh-keygen does not take the mended file: {error}") from error
    if read and plan.public and read != plan.public:
        raise NotReplaced(f"the mended file would be another key, {read}")
    return [*proof, f"ssh-keygen reads it: {read}"] if read else proof


def _compared(path: Path, plan: Plan) -> list[str]:
    public = public_beside(path)
    if public is None or plan.public is None:
        return []
    return [f"it is the key of {path}.pub" if public == plan.public else f"{path}.pub is another key's: {public}"]


def close_to_others(path: Path) -> None:
    """Take every right from group and others. Raises OSError, NotReplaced."""
    real = _target(path)
    real.chmod(real.stat().st_mode & 0o700)


def _target(path: Path) -> Path:
    """The file itself; a link that somebody else has put there leads nowhere (as with fs.protected_symlinks)."""
    real = path.resolve(strict=True)
    if path.is_symlink() and path.lstat().st_uid not in (os.geteuid(), 0, real.stat().st_uid):
        raise NotReplaced(f"{path} is a link that belongs to somebody else")
    if not real.is_file():
        raise NotReplaced(f"{real} is not a file")
    return real


def _beside(real: Path, undo: contextlib.ExitStack) -> Path:
    """A new file FILE.orig, FILE.orig.1 …; what is there already stays as it is."""
    for number in range(_MOST_ORIGINALS):
        original = real.with_name(f"{real.name}.orig{f'.{number}' if number else ''}")
        with contextlib.suppress(FileExistsError):
            os.close(os.open(original, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            undo.callback(original.unlink, missing_ok=True)
            return original
    raise NotReplaced(f"{real.name}.orig and {_MOST_ORIGINALS - 1} more are there already")


def _unnamed(real: Path, undo: contextlib.ExitStack) -> Path:
    """A new file in the same folder, with mode 0600."""
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    os.close(handle)
    undo.callback(Path(name).unlink, missing_ok=True)
    return Path(name)


def _fill(path: Path, content: bytes, status: os.stat_result) -> None:
    """Write *content* to disk for the owner that *status* names. *path* was made by us, for us alone."""
    with path.open("wb") as file:
        if hasattr(os, "fchown") and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(file.fileno(), status.st_uid, status.st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """The new name survives a power cut, too; some file systems have no such thing."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def public_beside(path: Path) -> str | None:
    """The fingerprint of FILE.pub, where there is one that can be read."""
    beside = path.with_name(f"{path.name}.pub")
    try:
        if not beside.is_file():
            return None
        with beside.open("rb") as file:
            return fingerprint(decode(file.read(64 * 1024).split()[1]))
    except (OSError, IndexError, Malformed):
        return None
