"""``make screens``: the pictures of the README. Made of reports with fixed times, so that they change with the screens
alone; they name no host to fetch a font from."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import RunFinished
from tunneldoctor.tui.app import TunneldoctorApp
from tunneldoctor.tui.session import Session, UnknownTunnel

SIZE = (110, 30)
THEMES = {"dark": "textual-dark", "light": "textual-light"}
#: Textual's pictures fetch their font from a host of its maker's choice; every reader has a monospaced one.
_FETCHED = re.compile(r"@font-face\s*\{[^}]*\}|<!--.*?-->", re.DOTALL)


def _nobody(name: str) -> None:
    raise UnknownTunnel(name)


async def picture(scenario: str, theme: str) -> str:
    """The examination of *scenario* as SVG."""
    report = SCENARIOS[scenario]()
    app = TunneldoctorApp(Session(find=_nobody), events=(RunFinished(report.duration_ms, report),))
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        await pilot.pause(1.0)  # the pages are read, and the detail shown, after the first screen
        drawn = _FETCHED.sub("", app.export_screenshot(title="tunneldoctor"))
    return re.sub(r"Fira ?Code", "monospace", drawn)


def main(folder: Path) -> None:
    """Write them to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, theme in THEMES.items():
        drawn = asyncio.run(picture("symptom", theme))
        (folder / f"examination-{name}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
