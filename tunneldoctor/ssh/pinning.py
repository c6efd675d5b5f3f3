"""Writing to known_hosts: keys that were confirmed, and nothing else of the file changed (sshd(8))."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunneldoctor.ssh.host_patterns import hashed
from tunneldoctor.ssh.pins import Pin

#: Seconds that another program may take to write to the file.
_PATIENCE, _PAUSE = 5.0, 0.05
#: Bytes from which it is told whether the file's names are hashed.
_HEAD = 64 * 1024


class CannotPin(Exception):
    """The file can't be written to as wanted; nothing was changed. The text says why, for a user."""


@dataclass(frozen=True, slots=True)
class KnownHostsFile:
    """The known_hosts file that pins are written to."""

    path: Path

    def pin(self, lines: Sequence[str], old: Sequence[Pin] = ()) -> None:
        """Append *lines* (``name type key``), in place of the *old* pins. Raises CannotPin.

        File and folder are made where they are missing, for their owner alone. Names are hashed where the file's
        others are. With *old* pins a copy of the file stays beside it, as ``ssh-keygen -R`` leaves it.
        """
        try:
            with self._locked() as number:
                if old:
                    left = _without(_content(number), self._numbers(old), [line.split(" ", 1)[0] for line in lines])
                    self._replace(left + _shaped(lines, left[:_HEAD], left[-1:]))
                else:
                    _write(number, _shaped(lines, _content(number, _HEAD), _last_byte(number)))
        except OSError as error:
            raise CannotPin(f"{self.path}: {error.strerror or error}") from error

    def _numbers(self, old: Sequence[Pin]) -> Mapping[int, Pin]:
        for pin in old:
            if pin.file != str(self.path):
                raise CannotPin(f"the old key is pinned in {pin.place}, another file: take it out there by hand")
        return {pin.number: pin for pin in old}

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, open and ours alone. Raises OSError, CannotPin."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        end = time.monotonic() + _PATIENCE
        while True:
            number = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o600)
            try:
                if not stat.S_ISREG(os.fstat(number).st_mode):
                    raise CannotPin(f"{self.path} is not a file")
                if _lock(number) and self._is(number):
                    yield number
                    return
            finally:
                os.close(number)
            if time.monotonic() > end:
                raise CannotPin(f"another program is writing to {self.path}")
            time.sleep(_PAUSE)

    def _is(self, number: int) -> bool:
        """False where the file was replaced by another while its lock was waited for."""
        return os.path.samestat(os.fstat(number), self.path.stat())

    def _replace(self, data: bytes) -> None:
        """Put *data* in place of the file, in one step."""
        real = self.path.resolve()
        shutil.copy2(real, f"{real}.old")
        number, name = tempfile.mkstemp(dir=real.parent, prefix=f"{real.name}.")
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
            shutil.copymode(real, name)
            _same_owner(real, name)
            Path(name).replace(real)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


def _lock(number: int) -> bool:
    """Take the file's lock, if nobody has it; systems without flock(2) go without."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same_owner(path: Path, other: str) -> None:
    status = path.stat()
    if sys.platform != "win32" and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(other, status.st_uid, status.st_gid)


def _content(number: int, size: int = -1) -> bytes:
    with os.fdopen(os.dup(number), "rb") as file:
        file.seek(0)
        return file.read(size)


def _last_byte(number: int) -> bytes:
    with os.fdopen(os.dup(number), "rb") as file:
        return file.read(1) if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) >= 0 else b""


def _write(number: int, data: bytes) -> None:
    while data:
        data = data[os.write(number, data) :]


def _shaped(lines: Sequence[str], head: bytes, last: bytes) -> bytes:
    """*lines* as they fit a file that begins and ends so: behind a newline, and hashed if other names are."""
    if head.startswith(b"|1|") or b"\n|1|" in head:
        parts = (line.split(" ", 1) for line in lines)
        lines = [f"{hashed(name)} {rest}" for name, rest in parts]
    start = "" if last in (b"", b"\n") else "\n"
    return (start + "".join(f"{line}\n" for line in lines)).encode("utf-8", "surrogateescape")


def _without(data: bytes, old: Mapping[int, Pin], names: Sequence[str]) -> bytes:
    """*data* without what its *old* lines say of *names*; a line that also names other hosts goes on for them."""
    lines = io.BytesIO(data).readlines()  # ends lines at newlines alone, as the reader counts them
    kept = [_line_without(line, old[at], names) if at in old else line for at, line in enumerate(lines, 1)]
    return b"".join(kept)


def _line_without(line: bytes, pin: Pin, names: Sequence[str]) -> bytes:
    if base64.b64encode(pin.blob) not in line:
        raise CannotPin(f"{pin.place} was changed by somebody else just now; look again")
    field, _, rest = line.strip().partition(b" ")
    if field.startswith(b"|"):
        return b""
    if pin.marker or any(each in field for each in b"*?!"):
        raise CannotPin(f"the old key is pinned by a pattern ({pin.place}), also for other hosts: change it by hand")
    wanted = {name.encode("utf-8", "surrogateescape").lower() for name in names}
    others = [each for each in field.split(b",") if each.lower() not in wanted]
    return b",".join(others) + b" " + rest + b"\n" if others else b""
