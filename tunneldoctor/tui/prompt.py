"""The masked question for a passphrase or a password; asked only where a check could not go on without it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from tunneldoctor.model import Secret, visible
from tunneldoctor.tui.dialog import Dialog


class SecretPrompt(Dialog[Secret]):
    """Asks for one secret; ends with it, or with None where none was given. What is typed is never shown."""

    def __init__(self, title: str, what: str) -> None:
        super().__init__(visible(title))
        self._what = visible(what)

    def compose_inside(self) -> ComposeResult:
        """Why it is asked, the line, and what happens to what is typed."""
        yield Static(self._what, markup=False)
        yield Input(password=True, id="secret")
        yield Static(
            "Kept until you quit, in no file and in no report. enter: use it · esc: go on without",
            markup=False,
            classes="quiet",
        )

    @on(Input.Submitted)
    def _give(self, event: Input.Submitted) -> None:
        self.dismiss(Secret.of(event.value) if event.value else None)
