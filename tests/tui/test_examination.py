"""What the keys of the main screen do, for whoever sits before it."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.widgets import Input, Markdown

from tests.tui.runs import events_of, sample, session, shown
from tests.tui.screen import screen_text
from tunneldoctor.model import (
    Check,
    CheckPackage,
    Context,
    Fact,
    Finding,
    Layer,
    Outcome,
    Where,
    found,
)
from tunneldoctor.tui.app import TunneldoctorApp
from tunneldoctor.tui.bridge import Installed
from tunneldoctor.tui.detail import DetailPane
from tunneldoctor.tui.examination import ExaminationScreen
from tunneldoctor.tui.log import LogPane
from tunneldoctor.tui.state import Phase, fold_all
from tunneldoctor.tui.tree import CheckTree

TUNNEL = sample("healthy").tunnel


def selected(screen: ExaminationScreen) -> object:
    return screen.query_one(CheckTree).selected


async def test_when_a_run_ends_what_is_broken_is_selected() -> None:
    async with shown(events_of(sample("broken"))) as it:
        assert selected(it.screen) == ("forward.open", "database")
        assert "nothing listens on port 5432" in screen_text(it.app)


async def test_who_looks_elsewhere_is_left_there() -> None:
    events = events_of(sample("broken"))
    async with shown(events[:4], tunnel=TUNNEL) as it:
        await it.pilot.press("down", "down")
        there = selected(it.screen)
        it.screen.show(fold_all(it.screen.state, events[4:]))
        assert selected(it.screen) == there


async def test_n_goes_from_problem_to_problem_and_round() -> None:
    async with shown(events_of(sample("degraded"))) as it:
        problems = it.screen.query_one(CheckTree).problems()
        seen = []
        for _ in range(len(problems) + 1):
            await it.pilot.press("n")
            seen.append(selected(it.screen))
        assert set(seen) == set(problems)
        assert seen[0] == seen[len(problems)]


async def test_the_filter_leaves_the_checks_with_these_words_and_escape_brings_all_back() -> None:
    async with shown(events_of(sample("broken"))) as it:
        await it.pilot.press("slash", *"listen")
        await it.pilot.pause()
        await it.pilot.press("enter")
        assert "the private key can be used" not in screen_text(it.app)
        await it.pilot.press("escape")
        await it.settle()
        assert "key" in screen_text(it.app)
        assert it.screen.query_one("#filter", Input).value == ""


@pytest.mark.parametrize(("key", "words"), [("y", "ss -ltnp"), ("Y", "# orders")])
async def test_a_fix_or_the_whole_report_is_copied(key: str, words: str) -> None:
    async with shown(events_of(sample("broken"))) as it:
        await it.pilot.press(key)
        assert words in it.app.clipboard
        await it.pilot.pause()
        assert "clipboard" in screen_text(it.app)


async def test_enter_on_a_tiny_terminal_shows_the_detail_and_escape_the_checks_again() -> None:
    async with shown(events_of(sample("broken")), (30, 8)) as it:
        assert "FAIL the bastion" in screen_text(it.app)
        await it.pilot.press("enter")
        await it.settle()
        assert "forward.open" in screen_text(it.app)
        await it.pilot.press("escape")
        await it.settle()
        assert "FAIL the bastion" in screen_text(it.app)


async def test_plus_gives_a_pane_the_whole_screen_and_plus_takes_it_back() -> None:
    async with shown(events_of(sample("broken"))) as it:
        await it.pilot.press("tab", "plus")
        await it.settle()
        assert it.screen.query_one(DetailPane).size.width > 110
        await it.pilot.press("plus")
        await it.settle()
        assert it.screen.query_one(CheckTree).display
        assert it.screen.query_one(DetailPane).size.width < 80


async def test_what_is_shown_from_a_file_can_not_be_run() -> None:
    async with shown(events_of(sample("broken"))) as it:
        for key in ("r", "R", "w"):
            await it.pilot.press(key)
        assert it.screen.state.phase is Phase.ENDED
        assert it.screen._bridge.run == 0


async def test_every_key_has_an_id_and_says_what_it_does() -> None:
    from tunneldoctor.tui.keys import bindings

    for binding in (*ExaminationScreen.BINDINGS, *TunneldoctorApp.BINDINGS, *CheckTree.BINDINGS):
        assert binding.id, binding
        assert binding.tooltip, binding
        assert len(binding.key) == 1 or binding.key in {"slash", "plus", "question_mark", "escape"}, binding
    assert "problem.next" in bindings()


async def test_a_key_of_the_configuration_file_takes_the_place_of_its_own() -> None:
    app = TunneldoctorApp(session(), events=events_of(sample("broken")), keys={"log": "v"})
    async with app.run_test(size=(120, 34)) as pilot:
        screen = app.screen
        await pilot.press("l")
        assert not screen.query(LogPane)
        await pilot.press("v")
        assert screen.query_one(LogPane).display


# with an engine behind it


SOCKET: Fact[str] = Fact("socket")


class Scene:
    """Two checks, of which the second stands on the first; both count how often they ran."""

    def __init__(self, folder: Path) -> None:
        self.ran: list[str] = []
        self.broken = True
        (folder / "tcp").mkdir()
        (folder / "tcp" / "refused.md").write_text(PAGE)
        checks = (
            self._check("tcp.connect", Layer.TCP, gives=(SOCKET,)),
            self._check("ssh.handshake", Layer.SSH, (SOCKET,)),
        )
        checks += (self._check("config.target", Layer.CONFIG),)
        self.installed = Installed((CheckPackage("scene", checks, folder),))

    def _check(self, name: str, layer: Layer, needs: tuple = (), gives: tuple = ()) -> Check:
        def run(context: Context) -> Outcome:
            self.ran.append(name)
            if name == "tcp.connect" and self.broken:
                return found(Finding("tcp.refused", {"address": "[203.0.113.2]:22 [/] *x*"}))
            return Outcome(facts=dict.fromkeys(gives, "a socket"))

        return Check(name, layer, f"{name} is well", Where.BASTION, run, needs, gives=gives, codes=("tcp.refused",))


PAGE = """\
---
title: "{bastion_host} refuses connections"
summary: "Nothing listens on {address}."
severity: error
---
## What it means
Nothing listens on {address}, see `nc {bastion_host}`.

## How it shows
It shows.

## What else it could be
Nothing.

## How to fix it
Start it.

## How to make sure
Look.
"""


async def until(condition, pilot) -> None:
    """Wait for *condition*, at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await pilot.pause()
            await asyncio.sleep(0.01)


async def test_a_tunnel_is_examined_at_once_and_one_check_again_with_what_stands_on_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    app = TunneldoctorApp(session(installed=scene.installed), TUNNEL)
    async with app.run_test(size=(120, 34)) as pilot:
        screen = app.screen
        assert isinstance(screen, ExaminationScreen)
        await until(lambda: screen.state.phase is Phase.ENDED, pilot)
        assert screen.state.report.verdict == "broken"
        assert sorted(scene.ran) == ["config.target", "tcp.connect"]
        assert selected(screen) == ("tcp.connect", "bastion")
        await until(lambda: screen.query(Markdown), pilot)
        await screen.draw_detail()
        await pilot.pause()
        assert "Nothing listens on [203.0.113.2]:22 [/] *x*, see nc" in " ".join(screen_text(app).split())
        scene.ran.clear()
        scene.broken = False
        await pilot.press("r")
        await until(lambda: screen.state.phase is Phase.ENDED and scene.ran == ["tcp.connect", "ssh.handshake"], pilot)
        assert screen.state.report.verdict == "healthy"
        assert screen.state.looks["config.target", "bastion"].status == "pass"


async def test_cancel_ends_what_hangs_and_keeps_what_was_found(tmp_path: Path) -> None:
    hanging = Check(
        "tcp.connect", Layer.TCP, "it answers", Where.BASTION, lambda context: context.cancelled.wait() and Outcome()
    )
    installed = Installed((CheckPackage("scene", (hanging,), tmp_path),))
    app = TunneldoctorApp(session(installed=installed), TUNNEL)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        await until(lambda: screen.state.in_phase(Phase.RUNNING), pilot)
        await pilot.press("x")
        await until(lambda: screen.state.phase is Phase.ENDED, pilot)
        assert not screen.state.report.complete
        assert app.report is screen.state.report


class Slow(Installed):
    """Checks that take as long to load as the test wants."""

    loaded = threading.Event()

    @property
    def packages(self) -> Sequence[CheckPackage]:
        assert self.loaded.wait(10)
        return super().packages


async def test_what_is_cancelled_while_the_checks_are_loaded_runs_none_of_them(tmp_path: Path) -> None:
    ran = threading.Event()
    check = Check("tcp.connect", Layer.TCP, "it answers", Where.BASTION, lambda context: ran.set() or Outcome())
    installed = Slow((CheckPackage("scene", (check,), tmp_path),))
    app = TunneldoctorApp(session(installed=installed), TUNNEL)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        await until(lambda: screen.state.phase is Phase.RUNNING, pilot)
        await pilot.press("x")
        installed.loaded.set()
        await until(lambda: screen.state.phase is Phase.ENDED, pilot)
        assert not screen.state.report.complete
        assert not ran.is_set()


async def test_a_defect_shows_no_local_variable_and_names_its_log(tmp_path: Path, monkeypatch, capsys) -> None:
    secret = "correct-horse-battery-staple"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    app = TunneldoctorApp(session(), events=events_of(sample("broken")))

    def broken() -> None:
        password = secret
        raise ValueError(f"with {password}")

    with pytest.raises(ValueError, match="with"):
        async with app.run_test(size=(80, 24)) as pilot:
            app.call_later(broken)
            await pilot.pause()
    assert app.told.startswith("a defect of tunneldoctor's own (ValueError); details are in ")
    log = Path(app.told.rpartition("details are in ")[2])
    assert log.stat().st_mode & 0o777 == 0o600
    output = capsys.readouterr()
    assert secret not in log.read_text() + app.told + output.out + output.err
