"""Choosing one of a few: whose commands the advice shows, or the screen's theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tunneldoctor.model import Provider
from tunneldoctor.tui.dialog import Dialog


class ChooseScreen(Dialog[str]):
    """Ends with one of *names*, or with None; *now* is the one that counts so far."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", "next", id="choose.down", show=False),
        Binding("k", "move(-1)", "previous", id="choose.up", show=False),
    ]
    DEFAULT_CSS = """
    ChooseScreen #dialog { width: 40; }
    ChooseScreen OptionList, ChooseScreen OptionList:focus { border: none; padding: 0; background: transparent; }
    """

    def __init__(self, heading: str, names: Sequence[str], now: str | None) -> None:
        super().__init__(heading)
        self._names = tuple(names)
        self._now = now

    @classmethod
    def of_providers(cls, now: Provider | None) -> ChooseScreen:
        """Whose commands the advice is to show."""
        return cls("Whose commands?", tuple(Provider), now)

    def compose_inside(self) -> ComposeResult:
        """The names."""
        yield OptionList(
            *(Option(f"{name} (now)" if name == self._now else name) for name in self._names), markup=False
        )

    def on_mount(self) -> None:
        """What counts so far is selected."""
        if self._now in self._names:
            self.query_one(OptionList).highlighted = self._names.index(self._now)

    def action_move(self, step: int) -> None:
        """One further up or down."""
        options = self.query_one(OptionList)
        (options.action_cursor_down if step > 0 else options.action_cursor_up)()

    @on(OptionList.OptionSelected)
    def _take(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])
