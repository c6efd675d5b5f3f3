"""Help: the keys that work on the screen it is opened from, what the glyphs mean, where the files are."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input, Static

import tunneldoctor
from tunneldoctor.model import Status, visible
from tunneldoctor.tui.dialog import Dialog, Line
from tunneldoctor.tui.words import state_words

#: What a status says about the check, for the legend.
_MEANING = {
    Status.PASS: "looked at, and in order",
    Status.WARN: "works, but not as it should",
    Status.FAIL: "broken: this is what to mend",
    Status.BLOCKED: "could not be looked at, because something before it failed",
    Status.SKIPPED: "does not apply to this tunnel",
    Status.UNKNOWN: "could not be measured",
    Status.ERROR: "a defect of tunneldoctor's own, not of the tunnel",
}
Row = tuple[str, str]
#: Columns of the left side.
_WIDEST = 14


class HelpScreen(Dialog[None]):
    """The help of *screen*. *paths* are files and folders by what they are for: configuration, history, log."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search", id="help.search"),
        Binding("question_mark,q", "cancel", "close", show=False, id="help.close"),
    ]
    DEFAULT_CSS = """
    HelpScreen #dialog { height: 90%; }
    HelpScreen #rows { height: 1fr; }
    """

    def __init__(self, screen: Screen[object], paths: Mapping[str, str]) -> None:
        super().__init__("Help")
        self._sections = {
            "Keys": list(_keys(screen)),
            "States": list(_states()),
            "Files": [(name, visible(path)) for name, path in paths.items()],
            "Versions": list(_versions()),
        }

    def compose_inside(self) -> ComposeResult:
        """The search above, the rows below."""
        yield Line(placeholder="/ to search, esc to close", id="search", select_on_focus=False)
        with VerticalScroll(id="rows"):
            yield Static(self._content("", self.app.size.width))

    def on_mount(self) -> None:
        """The rows can be scrolled at once."""
        self.query_one("#rows").focus()

    def action_search(self) -> None:
        """Type what is looked for."""
        self.query_one("#search").focus()

    def action_cancel(self) -> None:
        """While something is looked for, the search ends first."""
        search = self.query_one("#search", Line)
        if not search.value:
            self.dismiss(None)
            return
        search.value = ""
        self.query_one("#rows").focus()

    @on(Input.Changed)
    def _search(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _read(self) -> None:
        self.query_one("#rows").focus()

    @on(Resize)
    def _fit(self) -> None:
        self.call_after_refresh(lambda: self._show(self.query_one("#search", Line).value))

    def _show(self, wanted: str) -> None:
        rows = self.query_one("#rows")
        rows.query_one(Static).update(self._content(wanted, rows.scrollable_content_region.width))

    def _content(self, wanted: str, columns: int) -> Content:
        words = wanted.lower().split()
        lines: list[Content] = []
        for title, rows in self._sections.items():
            kept = [row for row in rows if all(word in f"{title} {row[0]} {row[1]}".lower() for word in words)]
            if kept:
                width = min(max(len(row[0]) for row in kept), _WIDEST)
                lines += [Content.styled(title, "bold"), *(_line(row, width, columns) for row in kept), Content("")]
        return Content("\n").join(lines) if lines else Content("Nothing of that kind.")


def _line(row: Row, width: int, columns: int) -> Content:
    """What it is on the left, what it does on the right, folded there where the terminal is narrow."""
    margin = width + 4
    first, *further = wrap(row[1], max(columns - margin, 12)) or [""]
    rest = "".join(f"\n{' ' * margin}{line}" for line in further)
    return Content.assemble((f"  {row[0]:<{width}}", "$text-accent"), f"  {first}{rest}")


def _keys(screen: Screen[object]) -> Iterator[Row]:
    """The active bindings, our own (which have ids) first; keys that do the same stand side by side."""
    keys: dict[str, list[str]] = {}
    for active in sorted(screen.active_bindings.values(), key=lambda each: each.binding.id is None):
        binding = active.binding
        told = active.tooltip or binding.tooltip or binding.description
        if told and active.enabled and not binding.system:
            keys.setdefault(told, []).append(screen.app.get_key_display(binding))
    yield from ((" ".join(dict.fromkeys(shown)), what) for what, shown in keys.items())


def _states() -> Iterator[Row]:
    yield from ((state_words(status)[0], _MEANING[status]) for status in Status)


def _versions() -> Iterator[Row]:
    from importlib.metadata import version

    yield "tunneldoctor", tunneldoctor.__version__
    yield "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield from ((name, version(name)) for name in ("textual", "paramiko", "dnspython", "cryptography"))
