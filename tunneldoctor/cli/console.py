"""What stdout can show, and how documents get there whole."""

from __future__ import annotations

import codecs
import contextlib
import os
import shutil
import sys
from dataclasses import dataclass
from typing import IO, Self, TextIO

from tunneldoctor.cli.failure import Failure


def wants_color(choice: str, stream: TextIO) -> bool:
    """``--color`` first, then NO_COLOR (no-color.org) and FORCE_COLOR, then whether *stream* is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


@dataclass(frozen=True, slots=True)
class Style:
    """How text is to be laid out. ``width`` is in columns, None where nothing limits it."""

    color: bool
    unicode: bool
    width: int | None


class Output:
    """Where the document goes: stdout, or the file of ``-o``. Use as a context manager.

    Raises :class:`Failure` at once where it can't be written to, and not after minutes of examination.
    """

    def __init__(self, path: str | None, color: str = "auto") -> None:
        self._file: IO[bytes] | None = None
        if sys.stdout is None and path in (None, "-"):
            raise Failure("stdout is closed: write the document with -o FILE")
        self._color = color
        if path and path != "-":
            try:
                self._file = open(path, "wb")  # noqa: SIM115, PTH123 - closed by __exit__; click hands out strings
            except OSError as error:
                raise Failure(f"can't write {path}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file of ``-o``; stdout stays open."""
        if self._file:
            self._file.close()

    @property
    def is_terminal(self) -> bool:
        """The document goes to a terminal."""
        return self._file is None and sys.stdout.isatty()

    def style(self) -> Style:
        """What a text document may use here."""
        if self._file:
            return Style(self._color == "always", unicode=True, width=None)
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else None
        return Style(wants_color(self._color, sys.stdout), speaks_unicode(sys.stdout), width)

    def write(self, document: str, machine: bool = False) -> None:
        """Write *document* and a final newline. For machines the bytes are UTF-8 whatever the locale says."""
        data = document if document.endswith("\n") else f"{document}\n"
        encoding = "utf-8" if machine or self._file else sys.stdout.encoding or "utf-8"
        try:
            stream = self._file or _binary(sys.stdout)
            stream.write(data.encode(encoding, "backslashreplace"))
            stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._give_up()
            raise Failure(f"can't write the document: {error.strerror}", exit_code=3) from error

    def _give_up(self) -> None:
        """What is buffered would be tried again, and fail again, when the process ends."""
        if self._file is None:
            drop_stdout()
            return
        with contextlib.suppress(OSError):
            self._file.close()


def speaks_unicode(stream: TextIO) -> bool:
    """*stream* takes more than ASCII and Latin letters."""
    try:
        return codecs.lookup(stream.encoding or "ascii").name.startswith("utf")
    except LookupError:
        return False


def _binary(stream: TextIO) -> IO[bytes]:
    stream.flush()
    return stream.buffer


def drop_stdout() -> None:
    """Its reader went away: what is still buffered must not be complained about when the process ends."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - os.devnull is text
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
