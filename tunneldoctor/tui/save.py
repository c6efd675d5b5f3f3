"""Saving the report to a file, in the format that its name ends in; by the renderers of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from tunneldoctor.model import Event, Report, visible
from tunneldoctor.report import event_line, render_markdown, render_text, report_json
from tunneldoctor.tui.dialog import Dialog, Line
from tunneldoctor.whole_file import write_whole

#: Columns of a text in a file, as the command line has them where there is no terminal.
_WIDTH = 100
Render = Callable[[Report, Sequence[Event]], str]
FORMATS: Mapping[str, Render] = {
    ".md": lambda report, events: render_markdown(report),
    ".json": lambda report, events: report_json(report),
    ".ndjson": lambda report, events: "".join(event_line(event) for event in events),
    ".txt": lambda report, events: render_text(report, color=False, unicode=True, width=_WIDTH, verbose=1, quiet=False),
}


class SaveScreen(Dialog[Path]):
    """Ends with the path that *report*, and the *events* that led to it, were saved to; both are clean already."""

    DEFAULT_CSS = """
    SaveScreen .fault { display: none; }
    SaveScreen .fault.shown { display: block; }
    """

    def __init__(self, report: Report, events: Sequence[Event], cwd: Path | None = None) -> None:
        super().__init__("Save the report")
        self._report = report
        self._events = events
        self._cwd = cwd or Path.cwd()
        self._asked_to_replace: Path | None = None

    def compose_inside(self) -> ComposeResult:
        """The path, with one that is likely wanted, and the endings there are."""
        yield Line(value=self._likely(), id="path", select_on_focus=False)
        yield Static(id="fault", classes="fault", markup=False)
        yield Static(f"{' '.join(FORMATS)} · enter: save · esc: leave", classes="quiet", markup=False)

    def _likely(self) -> str:
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", self._report.tunnel.name).strip("-")[:60] or "tunnel"
        return f"{name}-{self._report.started_at:%Y%m%d-%H%M%S}.md"

    @on(Input.Changed)
    def _think_again(self) -> None:
        self._asked_to_replace = None
        self._complain("")

    @on(Input.Submitted)
    def _save(self, event: Input.Submitted) -> None:
        path = self._cwd / Path(event.value.strip()).expanduser()
        render = FORMATS.get(path.suffix.lower())
        if render is None:
            self._complain(f"the name's ending says what to write: {', '.join(FORMATS)}")
        elif path.is_dir() or not path.parent.is_dir():
            self._complain(f"{path if path.is_dir() else path.parent} is {'a' if path.is_dir() else 'no'} folder")
        elif path.exists() and path != self._asked_to_replace:
            self._asked_to_replace = path
            self._complain("there is such a file already: enter once more replaces it")
        else:
            self._write(path, render)

    def _write(self, path: Path, render: Render) -> None:
        try:
            write_whole(path, f"{render(self._report, self._events).rstrip()}\n".encode(), private=True)
        except (OSError, ValueError) as error:
            self._complain(f"can't be written: {error.strerror if isinstance(error, OSError) else error}")
            return
        self.dismiss(path)

    def _complain(self, words: str) -> None:
        fault = self.query_one("#fault", Static)
        fault.update(visible(words))
        fault.set_class(bool(words), "shown")
