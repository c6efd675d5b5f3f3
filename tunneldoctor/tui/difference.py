"""What changed between two runs of the tunnel."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

from tunneldoctor.model import Report
from tunneldoctor.report.difference import difference
from tunneldoctor.report.difference_formats import render_difference
from tunneldoctor.tui.dialog import Dialog

#: Columns that the frame takes, with the scroll bar.
_FRAME = 6


class DifferenceScreen(Dialog[None]):
    """Compares *after*, the run on the screen, with *before*; in the words of ``tunneldoctor diff``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,q", "cancel", "close", id="difference.close", show=False),
        Binding("j", "scroll(1)", "down", id="difference.down", show=False),
        Binding("k", "scroll(-1)", "up", id="difference.up", show=False),
    ]
    DEFAULT_CSS = """
    DifferenceScreen #dialog { width: 116; }
    DifferenceScreen #changes { height: auto; max-height: 1fr; }
    """

    def __init__(self, before: Report, after: Report) -> None:
        super().__init__("What changed")
        self._found = difference(before, after)

    def compose_inside(self) -> ComposeResult:
        """The text, as long as it is."""
        with VerticalScroll(id="changes"):
            yield Static(id="text", markup=False)
        yield Static("esc: back", classes="quiet", markup=False)

    @on(Resize)
    def _fit(self) -> None:
        width = self.query_one("#dialog").size.width or self.size.width
        words = render_difference(self._found, color=False, unicode=True, width=width - 2)
        self.query_one("#text", Static).update(Content(words))

    def action_scroll(self, step: int) -> None:
        """A line further up or down."""
        self.query_one("#changes").scroll_relative(y=step)
