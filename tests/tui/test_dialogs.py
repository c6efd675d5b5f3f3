"""Help, the difference, the choice of a few, the clipboard, and terminals that speak ASCII alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from textual.app import App
from textual.filter import LineFilter
from textual.widgets import Static

from tests.report.scenarios import SCENARIOS
from tests.tui.screen import SIZES, screen_text
from tests.tui.stage import shown
from tunneldoctor.model import Provider, Secret
from tunneldoctor.tui.ascii import AsciiOnly
from tunneldoctor.tui.choose import ChooseScreen
from tunneldoctor.tui.clipboard import copy
from tunneldoctor.tui.difference import DifferenceScreen
from tunneldoctor.tui.help import HelpScreen

SECRET = "hunter2-Pl4nted"


@pytest.mark.parametrize("size", SIZES)
async def test_help_lists_every_key_that_works_where_it_is_opened(size: tuple[int, int]) -> None:
    screen = ChooseScreen.of_providers(None)
    async with shown(screen, size) as show:
        keys = [active.binding.description for active in screen.active_bindings.values() if active.binding.description]
        show.app.push_screen(HelpScreen(screen, {"configuration": "/home/\x1b]0;x\x07[/bold]/tunneldoctor.toml"}))
        await show.pilot.pause()
        text = "".join(str(show.app.screen.query_one("#rows Static", Static).render()).split())  # folded in between
        assert all(key.replace(" ", "") in text for key in keys)
        assert "couldnotbemeasured" in text
        assert "tunneldoctor.toml" in text
        assert "\x1b" not in show.text


async def test_help_can_be_searched_and_closed() -> None:
    screen = ChooseScreen.of_providers(None)
    async with shown(screen) as show:
        show.app.push_screen(HelpScreen(screen, {"configuration": "/x"}))
        await show.pilot.pause()
        rows = show.app.screen.query_one("#rows Static", Static)
        await show.press("slash")
        await show.type("measured")
        assert str(rows.render()).split("\n") == ["States", "  ? unknown  could not be measured", ""]
        await show.press("escape")
        assert "configuration" in str(rows.render())
        await show.press("q")
        assert show.app.screen is screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_difference_is_that_of_the_command_line(assert_screen, size: tuple[int, int]) -> None:
    before, after = SCENARIOS["healthy"](), SCENARIOS["broken"]()
    after = replace(after, started_at=before.started_at + timedelta(hours=2))
    async with shown(DifferenceScreen(before, after), size) as show:
        assert_screen(show.app, "difference")
        await show.press("j", "k", "escape")
        assert show.app.ended_with == [None]


async def test_words_of_a_hostile_server_in_a_difference_are_harmless() -> None:
    async with shown(DifferenceScreen(SCENARIOS["healthy"](), SCENARIOS["hostile"]())) as show:
        assert "\x1b" not in show.text
        assert "\u202e" not in show.text
        assert "ssh.not-ssh" in show.text


@pytest.mark.parametrize("size", SIZES)
async def test_one_of_a_few_is_chosen_and_the_present_one_is_marked(size: tuple[int, int]) -> None:
    async with shown(ChooseScreen.of_providers(Provider.AZURE), size) as show:
        assert "azure (now)" in show.text
        await show.press("j", "enter")
        assert show.app.ended_with == ["gcp"]


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def no_clipboard(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_CONNECTION", "SSH_TTY", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.usefixtures("no_clipboard")
async def test_a_copy_goes_to_the_terminal_first_and_says_so() -> None:
    async with App[None]().run_test() as pilot:
        assert copy(pilot.app, "sudo systemctl start ssh") == "sent to the terminal's clipboard (OSC 52)"
        assert pilot.app.clipboard == "sudo systemctl start ssh"


@pytest.mark.usefixtures("no_clipboard")
async def test_the_machines_own_clipboard_gets_it_too_but_not_over_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "xclip", "sys.exit(1)")
    program(tmp_path, "xsel", f"open({str(tmp_path / 'got')!r}, 'w').write(sys.stdin.read() + str(sys.argv[1:]))")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    async with App[None]().run_test() as pilot:
        assert copy(pilot.app, "fix it") == "sent to the terminal's clipboard (OSC 52) and to xsel"
        assert (tmp_path / "got").read_text() == "fix it['--clipboard', '--input']"
        monkeypatch.setenv("SSH_CONNECTION", "x")
        assert copy(pilot.app, "fix it") == "sent to the terminal's clipboard (OSC 52)"


@pytest.mark.usefixtures("no_clipboard")
async def test_a_clipboard_program_that_hangs_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "wl-copy", "import signal; signal.pause()")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    async with App[None]().run_test() as pilot:
        assert copy(pilot.app, "fix it") == "sent to the terminal's clipboard (OSC 52)"


@pytest.mark.usefixtures("no_clipboard")
async def test_neither_secrets_nor_control_characters_are_copied() -> None:
    async with App[None]().run_test() as pilot:
        copy(pilot.app, f"a {SECRET}\nssh://me:{SECRET}@h\x1b]0;x\x07", [Secret.of(SECRET)])
        assert SECRET not in pilot.app.clipboard
        assert pilot.app.clipboard.startswith("a [removed: secret]\nssh://me:")
        assert "\x1b" not in pilot.app.clipboard


async def test_on_a_terminal_without_unicode_every_line_is_ascii_and_as_wide() -> None:
    class Plain(App[None]):
        def get_line_filters(self) -> list[LineFilter]:
            return [*super().get_line_filters(), AsciiOnly()]

    async with Plain().run_test(size=(80, 24)) as pilot:
        pilot.app.push_screen(DifferenceScreen(SCENARIOS["healthy"](), SCENARIOS["hostile"]()))
        await pilot.pause()
        pilot.app.screen.query_one("#text", Static).update("✓ ok → 漢字 …")
        await pilot.pause()
        text = screen_text(pilot.app)
        assert text.isascii()
        assert "+ ok > ???? ." in text
        assert "+- What changed -" in text


def test_this_package_needs_no_terminal_library_for_json() -> None:
    script = "import sys, tunneldoctor.report, tunneldoctor.config.writing; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
