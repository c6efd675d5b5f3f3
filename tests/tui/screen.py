"""What an app shows, as lines of text: the golden screens of tests/tui/screens can be read in a diff.

Textual has no public way to that; the two private names of it that are used stand here and nowhere else.
"""

from pathlib import Path

from textual.app import App

#: A terminal of today, the classic one, a narrow pane, and a corner of a screen: columns and lines.
SIZES = ((120, 34), (80, 24), (64, 20), (30, 8))

SCREENS = Path(__file__).parent / "screens"


def screen_lines(app: App) -> list[str]:
    """The lines of the terminal, top to bottom, without the blanks at their ends; a modal with what is behind it."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    return ["".join(strip.text for strip in line).rstrip() for line in update.strips]


def screen_text(app: App) -> str:
    """The same as one text."""
    return "\n".join(screen_lines(app)).rstrip("\n") + "\n"
