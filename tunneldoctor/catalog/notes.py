"""A company's own words about codes: whom to page, which dashboard. Plain Markdown in a folder of its own."""

import os
import stat
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from tunneldoctor.model import visible_lines
from tunneldoctor.nearest import nearest

#: As much of a note is shown, in bytes.
LARGEST = 16 * 1024


class Notes:
    """The notes below *folder*: ``FOLDER/layer/name.md`` is about the code ``layer.name``, as a page would be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, code: str) -> str | None:
        """The note about *code*, with control characters made visible; None where there is none.

        One that can't be read says so itself: it must not be missed in silence, and nothing else depends on it.
        """
        layer, _, name = code.partition(".")
        path = self.folder / layer / f"{name}.md"
        try:
            content = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            return f"({path} can't be read: {getattr(error, 'strerror', None) or error})"
        written = content[:LARGEST].decode("utf-8-sig", "backslashreplace").expandtabs(4)
        text = visible_lines(written, LARGEST).strip("\n")
        cut = f"\n\n({path} goes on: only its first {LARGEST // 1024} KiB are shown)" if len(content) > LARGEST else ""
        return text + cut if text.strip() else None

    def faults(self, known: Callable[[str], bool], codes: Callable[[], Collection[str]]) -> Iterator[str]:
        """What is amiss with the folder, a line each: it is not there, or a file's name is no *known* code.

        *codes* gives all there are, and is asked only where one is to be suggested.
        """
        try:
            next(self.folder.iterdir(), None)
        except (FileNotFoundError, NotADirectoryError):
            yield f"{self.folder}: no such folder"
            return
        except OSError as error:
            yield f"{self.folder} can't be read: {error.strerror}"
            return
        for path in sorted(self.folder.glob("*.*.md")):
            layer, _, name = path.name.partition(".")
            yield f"{path}: belongs into {self.folder / layer / name}"
        for path in sorted(self.folder.glob("*/*.md")):
            code = f"{path.parent.name}.{path.stem}"
            if not known(code):
                yield f"{path}: no such code: {code}{nearest(code, codes())}"


def _read(path: Path) -> bytes:
    """The file's beginning. Raises OSError, ValueError where it is none: a FIFO would hold us for ever."""
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise ValueError("not a file")
        return file.read(LARGEST + 1)
