"""Saving: the same documents as on the command line, for this user alone, and nothing replaced unasked."""

from pathlib import Path

import pytest

from tests.report.scenarios import SCENARIOS
from tests.tui.screen import SIZES
from tests.tui.stage import Show, shown
from tunneldoctor.model import RunFinished
from tunneldoctor.report import event_line, render_markdown, report_json
from tunneldoctor.tui.save import SaveScreen

REPORT = SCENARIOS["symptom"]()
EVENTS = (RunFinished(1.0, REPORT),)


async def save_as(show: Show, path: Path | str) -> None:
    line = show.app.screen.query_one("#path")
    line.value = ""
    await show.type(str(path))
    await show.press("enter")


@pytest.mark.parametrize(
    ("ending", "document"),
    [
        ("md", render_markdown(REPORT)),
        ("json", report_json(REPORT)),
        ("ndjson", "".join(event_line(event) for event in EVENTS)),
    ],
)
async def test_the_ending_says_what_is_written(tmp_path: Path, ending: str, document: str) -> None:
    path = tmp_path / f"report.{ending}"
    async with shown(SaveScreen(REPORT, EVENTS)) as show:
        await save_as(show, path)
        assert show.app.ended_with == [path]
    assert path.read_text().rstrip() == document.rstrip()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("size", SIZES)
async def test_the_question(tmp_path: Path, assert_screen, size: tuple[int, int]) -> None:
    async with shown(SaveScreen(REPORT, EVENTS, tmp_path), size) as show:
        assert_screen(show.app, "save")


async def test_the_name_that_is_offered_is_saved_in_the_current_folder(tmp_path: Path) -> None:
    async with shown(SaveScreen(SCENARIOS["hostile"](), EVENTS, tmp_path)) as show:
        await show.press("enter")
    (path,) = tmp_path.iterdir()
    assert path.name == "orders-5m-x-20261122-030405.md"


async def test_a_file_that_is_there_is_replaced_by_a_second_enter_only(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("mine")
    path.chmod(0o644)
    async with shown(SaveScreen(REPORT, EVENTS)) as show:
        await save_as(show, path)
        assert "enter once more replaces it" in show.words
        assert path.read_text() == "mine"
        await show.press("enter")
        assert show.app.ended_with == [path]
    assert path.read_text() != "mine"
    assert path.stat().st_mode & 0o777 == 0o600


async def test_another_name_is_asked_about_anew(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("mine")
    async with shown(SaveScreen(REPORT, EVENTS)) as show:
        await save_as(show, tmp_path / "a.md")
        await save_as(show, tmp_path / "b.md")
        assert show.app.ended_with == []
    assert (tmp_path / "b.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "words"),
    [("report", ".md, .json, .ndjson"), ("report.pdf", ".md, .json"), ("nowhere/report.md", "no folder"), (".", ".md")],
)
async def test_what_can_not_be_written_is_told(tmp_path: Path, name: str, words: str) -> None:
    async with shown(SaveScreen(REPORT, EVENTS, tmp_path)) as show:
        await save_as(show, name)
        assert words in show.words
        assert show.app.ended_with == []
    assert list(tmp_path.iterdir()) == []
