"""The first screen: which tunnel? Those of the file and of ssh_config, and how each was when it was last looked at."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from tunneldoctor.config import ConfigError, load
from tunneldoctor.config.configuration import without_file
from tunneldoctor.config.file import NAME
from tunneldoctor.config.writing import place_for_new
from tunneldoctor.model import visible
from tunneldoctor.tui.choices import Choice, choices, lines
from tunneldoctor.tui.dialog import HEIGHTS, WIDTHS, Line

if TYPE_CHECKING:
    from tunneldoctor.catalog import Catalog
    from tunneldoctor.history import History

_EMPTY = """\
There is no tunnel here yet{looked}.

Press a to write the first one down: it goes to {path}.
A Host of ~/.ssh/config that has a LocalForward is listed by itself.
To look around without a tunnel of your own: tunneldoctor demo"""


class Tunnels(OptionList):
    """The list, with the keys of the other lists here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "examine", id="picker.open", tooltip="examine the tunnel"),
        Binding("j,down", "cursor_down", "next", id="picker.down", show=False),
        Binding("k,up", "cursor_up", "previous", id="picker.up", show=False),
    ]


class PickerScreen(Screen[str | None]):
    """Ends with the name of the tunnel to examine.

    *option* is the file of ``--config``. *catalog* gives the words for what is wrong in the form of a new tunnel; it is
    asked for them when that form is opened, because reading them takes long.
    """

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "add", id="picker.add", tooltip="write a new tunnel down"),
        Binding("slash", "filter", "filter", id="picker.filter", tooltip="show only tunnels with these words"),
        Binding("r", "reload", "reload", id="picker.reload", tooltip="read the file again"),
        Binding(
            "question_mark", "help", "help", id="help", tooltip="all keys, what the signs mean, where the files are"
        ),
        Binding("escape", "unfilter", "show all", id="picker.unfilter"),
    ]
    DEFAULT_CSS = """
    PickerScreen {
        #head { height: 1; text-wrap: nowrap; text-overflow: ellipsis; color: $text-muted; padding: 0 1; }
        #fault { height: auto; max-height: 50%; color: $text-error; padding: 0 1; display: none; }
        #fault.shown, #empty.shown { display: block; }
        #empty { height: 1fr; padding: 1; display: none; }
        #filter { border: none; height: 1; padding: 0 1; display: none; }
        #filter.shown { display: block; }
        Tunnels, Tunnels:focus { border: none; height: 1fr; padding: 0; background: transparent; }
        Tunnels > .option-list--option-highlighted, Tunnels:focus > .option-list--option-highlighted {
            background: $primary 25%;
            color: $text;
            text-style: bold;
        }
        &:ansi Tunnels > .option-list--option-highlighted, &:ansi Tunnels:focus > .option-list--option-highlighted {
            background: ansi_bright_black;
        }
    }
    PickerScreen.-short { #empty { padding: 0 1; } }
    """

    class Loaded(Message):
        """What there is to choose from was read."""

        def __init__(self, rows: Sequence[Choice]) -> None:
            super().__init__()
            self.rows = rows

    def __init__(
        self,
        option: Path | None,
        catalog: Callable[[], Catalog],
        history: History | None = None,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._option = option
        self._catalog = catalog
        self._history = history
        self._environ = os.environ if environ is None else environ
        self._cwd = cwd or Path.cwd()
        self._now = now
        self._configuration = without_file(self._environ, self._cwd)
        self._rows: Sequence[Choice] = ()
        self._shown: list[Choice] = []
        self._wanted = ""
        #: Set while what is shown is up to date.
        self.settled = asyncio.Event()

    def compose(self) -> ComposeResult:
        """Where the tunnels come from, the list, and the keys."""
        yield Static(id="head", markup=False)
        yield Static(id="fault", markup=False)
        yield Tunnels(markup=False)
        yield Static(id="empty", markup=False)
        yield Line(placeholder="words of the tunnel", id="filter", select_on_focus=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Read the file."""
        self.query_one(Tunnels).focus()
        self.action_reload()

    def action_reload(self, select: str | None = None) -> None:
        """Read the file and the history again; then *select*, or what was selected, is selected again."""
        self.settled.clear()
        self._wanted = select or self._selected_name() or self._wanted
        fault = self.query_one("#fault", Static)
        try:
            self._configuration = load(self._option, self._environ, self._cwd)
        except ConfigError as error:
            fault.update(Content(visible(str(error))))
            fault.add_class("shown")
            self._configuration = without_file(self._environ, self._cwd)
        else:
            fault.remove_class("shown")
        threading.Thread(target=self._read, name="tunnels", daemon=True).start()

    def _read(self) -> None:
        """On a thread of its own: a home on a network that hangs must not hold the keys up."""
        self.post_message(self.Loaded(tuple(choices(self._configuration, self._history))))

    @on(Loaded)
    def _take(self, event: Loaded) -> None:
        self._rows = event.rows
        self._show()
        self.settled.set()

    @on(Resize)
    def _refit(self) -> None:
        self._wanted = self._selected_name() or self._wanted
        self._show()

    @on(Input.Changed, "#filter")
    def _filter(self) -> None:
        self._wanted = self._selected_name() or self._wanted
        self._show()

    @on(Input.Submitted, "#filter")
    @on(OptionList.OptionSelected)
    def open(self) -> None:
        """Examine the tunnel that is selected."""
        if name := self._selected_name():
            self.dismiss(name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """All are shown again only where some are not."""
        return action != "unfilter" or self.query_one("#filter").has_class("shown")

    def action_filter(self) -> None:
        """Type words that the tunnel has."""
        line = self.query_one("#filter", Line)
        line.add_class("shown")
        line.focus()
        self.refresh_bindings()

    def action_unfilter(self) -> None:
        """Show all again."""
        line = self.query_one("#filter", Line)
        line.value = ""
        line.remove_class("shown")
        self.query_one(Tunnels).focus()
        self.refresh_bindings()

    def action_add(self) -> None:
        """Write a new tunnel down."""
        from tunneldoctor.tui.form import FormScreen

        self.app.push_screen(FormScreen(self._configuration, self._place(), self._catalog()), self._added)

    def action_help(self) -> None:
        """All keys, what the signs mean, where the files are."""
        import platformdirs

        from tunneldoctor.tui.help import HelpScreen

        paths = {"configuration": self._short(self._configuration.path or self._place())}
        if self._history:
            paths["history"] = self._short(self._history.folder)
        paths["log of defects"] = self._short(platformdirs.user_log_path("tunneldoctor", appauthor=False))
        self.app.push_screen(HelpScreen(cast("Screen[object]", self), paths))

    def _added(self, name: str | None) -> None:
        if name is not None:
            self.action_reload(select=name)

    def _place(self) -> Path:
        return place_for_new(self._option, self._environ, self._cwd)

    def _selected_name(self) -> str:
        at = self.query_one(Tunnels).highlighted
        return self._shown[at].name if at is not None and at < len(self._shown) else ""

    def _show(self) -> None:
        wanted = self.query_one("#filter", Line).value
        self._shown = [row for row in self._rows if row.fits(wanted)]
        tunnels = self.query_one(Tunnels)
        tunnels.clear_options()
        tunnels.add_options(map(Option, lines(self._shown, self.size.width - 2, self._now())))
        names = [row.name for row in self._shown]
        if names:
            tunnels.highlighted = names.index(self._wanted) if self._wanted in names else 0
        empty = self.query_one("#empty", Static)
        empty.update(Content(self._how_to_begin()))
        empty.set_class(not self._rows, "shown")
        tunnels.display = bool(self._rows)
        self.query_one("#head", Static).update(Content(self._head()))

    def _how_to_begin(self) -> str:
        new = self._short(self._place())
        looked = "" if self._configuration.path else f": neither ./{NAME} nor {new} is there"
        return _EMPTY.format(looked=looked, path=new)

    def _head(self) -> str:
        path = self._configuration.path
        where = f" · {self._short(path)}" if path else ""
        number = f"{len(self._shown)} of {len(self._rows)}" if len(self._shown) < len(self._rows) else len(self._rows)
        return f"tunneldoctor · {number} tunnel{'' if len(self._rows) == 1 else 's'}{where}"

    def _short(self, path: Path) -> str:
        home = self._configuration.surroundings.home
        return visible(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))
