"""A file that a command is to read: one with a name, or stdin."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

#: What stands for stdin in the place of a file's name.
STDIN = "-"


def opened(file: str) -> AbstractContextManager[BinaryIO]:
    """*file*, to be read; an empty one where stdin is closed. Raises OSError."""
    if file != STDIN:
        return Path(file).open("rb")
    return contextlib.nullcontext(sys.stdin.buffer if sys.stdin else io.BytesIO())


def content(file: str, most: int) -> bytes:
    """The first *most* bytes of it, and one more where it is longer. Raises OSError."""
    with opened(file) as stream:
        return stream.read(most + 1)
