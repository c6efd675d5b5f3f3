"""The line that is typed into to see only some of the checks."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from tunneldoctor.tui.dialog import Line
from tunneldoctor.tui.tree import CheckTree


class FilterLine(Line):
    """Filters *tree* with each character; enter goes back to it."""

    def __init__(self, tree: CheckTree) -> None:
        super().__init__(placeholder="words of the checks to show", id="filter", select_on_focus=False)
        self._tree = tree

    @on(Input.Changed)
    def _filter(self) -> None:
        self._tree.filter(self.value)

    @on(Input.Submitted)
    def _read(self) -> None:
        self._tree.focus()
