"""What the main screen shows in each situation, on terminals of each size."""

import pytest

from tests.tui.runs import events_of, sample, shown
from tests.tui.screen import screen_text
from tunneldoctor.model import CheckProgress, CheckStarted, Event
from tunneldoctor.tui.tree import CheckTree

SITUATIONS = ("healthy", "degraded", "inconclusive", "interrupted", "broken", "symptom", "jump-hosts")
MIDDLE = "auth.login"


def half_way() -> list[Event]:
    """Up to where the login has begun and not come back."""
    events = events_of(sample("healthy"))
    at = next(n for n, event in enumerate(events) if isinstance(event, CheckStarted) and event.check == MIDDLE)
    return [*events[: at + 1], CheckProgress(500.0, MIDDLE, "bastion", "waiting for the server to answer")]


@pytest.mark.parametrize("name", SITUATIONS)
async def test_a_run_that_ended(name: str, assert_screen) -> None:
    async with shown(events_of(sample(name))) as it:
        async for _ in it.sizes():
            assert_screen(it.app, f"ended-{name}")


async def test_a_run_half_way(assert_screen) -> None:
    async with shown(half_way(), tunnel=sample("healthy").tunnel) as it:
        it.clock.now = 4.1
        it.screen.show(it.screen.state)
        async for _ in it.sizes():
            assert_screen(it.app, "running")


async def test_a_run_that_only_begins(assert_screen) -> None:
    async with shown(events_of(sample("healthy"))[:1], tunnel=sample("healthy").tunnel) as it:
        async for _ in it.sizes():
            assert_screen(it.app, "begins")


@pytest.mark.parametrize("name", [*SITUATIONS, "hostile"])
async def test_the_smallest_corner_shows_something_and_breaks_nothing(name: str) -> None:
    async with shown(events_of(sample(name)), (20, 5)) as it:
        await it.pilot.press("n", "enter", "end", "escape", "l", "plus", "escape", "l")
        await it.settle()
        assert sample(name).tunnel.name in screen_text(it.app) or "you" in screen_text(it.app)


async def test_a_terminal_without_unicode_gets_ascii_alone() -> None:
    async with shown(events_of(sample("symptom")), unicode=False) as it:
        text = screen_text(it.app)
        assert text.isascii()
        assert "you ---> bastion" in text
        assert "x FAIL" in text


async def test_the_log_shows_what_was_done_and_the_command_that_does_the_same(assert_screen) -> None:
    async with shown(events_of(sample("broken"))) as it:
        await it.pilot.press("l", "plus")
        await it.settle()
        assert "$ nc -vz -w10 bastion.example.com 22" in screen_text(it.app)
        assert_screen(it.app, "log")


async def test_an_idle_measurement_shows_its_countdown_and_each_connection_alive_or_dead(assert_screen) -> None:
    events = half_way()
    values = {"elapsed_seconds": 90.0, "left_seconds": 270.0, "alive": 5, "dead": 2, "dead_after_seconds": 62.0}
    events.append(CheckProgress(90_000.0, MIDDLE, "bastion", "1:30 of 6:00", values))
    async with shown(events, tunnel=sample("healthy").tunnel) as it:
        it.screen.query_one(CheckTree).go((MIDDLE, "bastion"))
        await it.settle()
        text = screen_text(it.app)
        assert "4 min 30 s to go" in text
        assert "✓ ✓ ✓ ✓ ✓ ✗ ✗ 5 alive, 2 dead" in text
        assert_screen(it.app, "idle")
