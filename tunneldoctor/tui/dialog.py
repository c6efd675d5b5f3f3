"""What the screens that ask something have in common: a frame that fits every terminal, and lines to type in."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

T = TypeVar("T")

#: Widths and heights of a terminal, in columns and lines, from which there is room for more.
WIDTHS = [(0, "-narrow"), (60, "-wide")]
HEIGHTS = [(0, "-short"), (16, "-tall")]


class Line(Input):
    """A line to type in. What can't be seen is dropped: a terminal might obey it when the line is shown."""

    def validate_value(self, value: str) -> str:
        """Whatever way it comes in: typed, pasted or given."""
        return value if value.isprintable() else "".join(each for each in value if each.isprintable())


class Dialog(ModalScreen[T | None]):
    """A framed box above the screen; without its frame, and all over the terminal, where that is small.

    ``escape`` ends it with None. *heading* may come from outside: it must be harmless already.
    """

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "close", id="dialog.close")]
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        #dialog {
            width: 76;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            background: $surface;
            border: round $primary;
            border-title-color: $text;
            padding: 0 1;
        }
        Input, Input:focus { border: none; height: 1; padding: 0; background: $boost; }
        Input:focus { background: $primary 30%; }
        .heading { display: none; text-style: bold; }
        .quiet { color: $text-muted; }
        .fault { color: $text-error; }
    }
    Dialog.-short, Dialog.-narrow {
        #dialog { width: 100%; height: 100%; border: none; padding: 0; }
        .heading { display: block; height: 1; }
    }
    """

    def __init__(self, heading: str) -> None:
        super().__init__()
        self._heading = heading

    def compose(self) -> ComposeResult:
        """The box with its heading, and in it what the dialog is about."""
        with Vertical(id="dialog") as box:
            box.border_title = Content(self._heading)
            yield Static(self._heading, markup=False, classes="heading")
            yield from self.compose_inside()

    @abstractmethod
    def compose_inside(self) -> ComposeResult:
        """What stands in the box."""

    def action_cancel(self) -> None:
        """Nothing was wanted."""
        self.dismiss(None)
