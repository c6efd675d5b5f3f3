"""A stage for one screen at a time, and a home with tunnels in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.app import App
from textual.events import Paste
from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui.screen import screen_text


class Stage(App[None]):
    """Shows one screen and keeps what it ended with."""

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._first = screen
        self.ended_with: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self._first, self.ended_with.append)


@dataclass
class Show:
    """A screen on its stage."""

    app: Stage
    pilot: Pilot[None]

    @property
    def text(self) -> str:
        """What the terminal shows."""
        return screen_text(self.app)

    @property
    def words(self) -> str:
        """The same in one line, where a text may be folded over several."""
        return " ".join(self.text.replace("│", " ").split())

    async def type(self, text: str) -> None:
        """Hand *text* to what has the focus in one piece, as a terminal does with a paste: keys take long in tests."""
        assert self.app.focused is not None
        self.app.focused.post_message(Paste(text))
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press *keys*, and wait for what comes of it."""
        await self.pilot.press(*keys)
        await self.pilot.pause()


@asynccontextmanager
async def shown(screen: Screen[Any], size: tuple[int, int] = (120, 34)) -> AsyncIterator[Show]:
    """*screen* on a terminal of *size*."""
    app = Stage(screen)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield Show(app, pilot)


@dataclass
class Home:
    """A folder that is home and current folder at once."""

    path: Path
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environ = {"HOME": str(self.path), "XDG_CONFIG_HOME": str(self.path / ".config"), "PATH": "/nowhere"}

    @property
    def file(self) -> Path:
        """Its configuration."""
        return self.path / "tunneldoctor.toml"

    def write_ssh_config(self, text: str) -> None:
        """Give it an ssh_config."""
        (self.path / ".ssh").mkdir(exist_ok=True)
        (self.path / ".ssh" / "config").write_text(text)
