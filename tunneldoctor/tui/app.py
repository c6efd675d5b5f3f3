"""The app: its screens, its themes, and how it ends, whatever ends it."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, NoReturn, cast

from textual.app import App
from textual.binding import Binding, BindingType

from tunneldoctor.model import Report, Tunnel
from tunneldoctor.tui.examination import ExaminationScreen
from tunneldoctor.tui.session import Session, UnknownTunnel
from tunneldoctor.tui.state import State

if TYPE_CHECKING:
    from textual.filter import LineFilter
    from textual.screen import Screen

    from tunneldoctor.model import Event

THEMES = ("textual-dark", "textual-light", "ansi-dark", "ansi-light")
#: What COLORTERM says of a terminal that has more than the palette's colours.
_MANY_COLOURS = {"truecolor", "24bit"}
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_NO_TERMINAL = {errno.EIO, errno.EPIPE, errno.EBADF}
#: Exit statuses where a defect of ours ended it, and where the checks can't be loaded.
DEFECT, UNUSABLE = 3, 2


class TunneldoctorApp(App[None]):
    """Opens on *tunnel*, on the *events* of a run that is over, or where there is neither on the list of tunnels."""

    CSS_PATH = "app.tcss"
    TITLE = "tunneldoctor"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit", id="quit", tooltip="Quit; a summary stays on the terminal"),
        Binding(
            "t", "theme", "theme", id="theme", show=False, tooltip="The next theme: dark, light, your terminal's own"
        ),
    ]

    def __init__(
        self,
        session: Session,
        tunnel: Tunnel | None = None,
        events: Iterable[Event] = (),
        keys: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self.report: Report | None = None
        self.told: str | None = None
        #: Whether there is a list of tunnels to go back to.
        self.picks = False
        self._tunnel = tunnel
        self._events = tuple(events)
        self._keys = dict(keys or {})
        if "TEXTUAL_THEME" not in os.environ and os.environ.get("COLORTERM") not in _MANY_COLOURS:
            self.theme = "ansi-dark"

    def get_line_filters(self) -> list[LineFilter]:
        """Where the terminal can't show more than ASCII, nothing else gets there."""
        filters = list(super().get_line_filters())
        if not self.session.unicode:
            from tunneldoctor.tui.ascii import AsciiOnly

            filters.append(AsciiOnly())
        return filters

    def on_mount(self) -> None:
        """Obey signals, and show the first screen."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._end, 128 + number)
        self.set_keymap(self._keys)
        if not self.is_headless:
            self.set_interval(1.0, self._end_without_a_terminal)
        if not (self._tunnel or self._events):
            self.pick()

    def get_default_screen(self) -> Screen[object]:
        """The examination where it is known which: a screen below it would be drawn first, for nobody."""
        if self._tunnel or self._events:
            return cast("Screen[object]", self._examination(self._tunnel, self._events))
        return super().get_default_screen()

    def pick(self) -> None:
        """The list of tunnels; the one that is chosen is examined."""
        from tunneldoctor.tui.picker import PickerScreen

        session = self.session
        self.picks = True
        history = session.history(lambda text: self.notify(text, markup=False))
        picker = PickerScreen(session.option, lambda: session.installed.catalog, history)
        self.push_screen(picker, self._picked)

    def _picked(self, name: str | None) -> None:
        if name is None:
            return
        try:
            tunnel = self.session.find(name)
        except UnknownTunnel as error:
            self.notify(str(error), severity="error", markup=False)
            self.pick()
            return
        self.push_screen(self._examination(tunnel, ()), lambda _: self.pick())

    def _examination(self, tunnel: Tunnel | None, events: Iterable[Event]) -> ExaminationScreen:
        name = tunnel.name if tunnel else ""
        return ExaminationScreen(self.session, State(name, tunnel), tuple(events))

    def action_theme(self) -> None:
        """The next theme."""
        at = THEMES.index(self.theme) if self.theme in THEMES else -1
        self.theme = THEMES[(at + 1) % len(THEMES)]
        self.notify(self.theme, markup=False)

    async def action_quit(self) -> None:
        """End, with whatever hangs left behind."""
        self._end(0)

    def action_help_quit(self) -> None:
        """For ctrl+c where nothing is selected that it could copy."""
        self._end(0)

    def give_up(self, reason: str) -> None:
        """End, since nothing can be examined; *reason* is one line for the user."""
        self.told = reason
        self._end(UNUSABLE)

    def _end(self, status: int) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ExaminationScreen):
                screen.leave()
        self.exit(return_code=status)

    def _end_without_a_terminal(self) -> None:
        """A terminal can go without SIGHUP, where it was not the one that controls us; Textual does not notice."""
        if sys.__stdin__ is None or not os.isatty(sys.__stdin__.fileno()):
            _terminal_is_gone()

    def thread_ended(self, ended: threading.ExceptHookArgs) -> None:
        """For ``threading.excepthook``: a library's thread ended with an exception, which is not for the terminal."""
        error = ended.exc_value
        if isinstance(error, OSError) and error.errno in _NO_TERMINAL:
            _terminal_is_gone()
        from tunneldoctor.examination.defect import describe, write_log

        self.call_later(self.notify, f"a thread ended; {write_log([describe(error)])}", markup=False)

    def _fatal_error(self) -> None:
        """Textual's own shows every local variable, of which any may hold a secret."""
        from tunneldoctor.examination.defect import describe, write_log

        error = sys.exc_info()[1] or self._exception
        where = write_log([describe(error)])
        self.told = f"a defect of tunneldoctor's own ({type(error).__name__}); {where}"
        self._return_code = DEFECT
        self._close_messages_no_wait()

    def panic(self, *_: object) -> None:
        """For errors that bring a text of their own, which is no safer; and where no key can be read any more."""
        self._end_without_a_terminal()
        self._fatal_error()


def _terminal_is_gone() -> NoReturn:
    """End at once: nothing is left to be restored, and Textual would wait for ever for what nobody writes any more
    (textual/drivers/_writer_thread.py: a queue of 30, whose thread has ended)."""
    os._exit(128 + signal.SIGHUP)
