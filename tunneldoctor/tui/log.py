"""What was really done, as it was done, and the command that does the same by hand."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import RichLog

from tunneldoctor.model import visible
from tunneldoctor.tui.state import Note, State
from tunneldoctor.tui.words import state_words

#: Lines that are kept on the screen.
LINES_KEPT = 2000
_INDENT = " " * 10


class LogPane(RichLog):
    """Shows a state's log, and only writes what is new in it."""

    DEFAULT_CSS = "LogPane { scrollbar-size-vertical: 1; }"

    def __init__(self) -> None:
        super().__init__(id="log", max_lines=LINES_KEPT, markup=False, highlight=False, wrap=True, min_width=0)
        self._written: tuple[Note, ...] = ()

    def show(self, state: State) -> None:
        """Write what *state* has and is not written yet."""
        if state.log[: len(self._written)] != self._written:
            self.clear()
            self._written = ()
        for note in state.log[len(self._written) :]:
            for line in lines(note):
                self.write(Text(line), expand=True, scroll_end=self.is_vertical_scroll_end)
        self._written = state.log


def lines(note: Note) -> list[str]:
    """One note as lines of text: when, where, what; below it the command that does the same by hand."""
    when = f"{note.at_ms / 1000:8.3f}s"
    where = f" {note.key[0]} ({note.key[1]})" if note.key else ""
    state = f" {state_words(note.status)[0]}:" if note.status else ":" if where else ""
    first = f"{when}{where}{state} {visible(note.text)}"
    return [first, *(f"{_INDENT}$ {line}" for line in note.command.splitlines())]
