"""The first screen: which tunnels there are, how they were, and how to begin where there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.report.samples import STARTED
from tests.report.scenarios import SCENARIOS
from tests.tui.screen import SIZES
from tests.tui.stage import Home, Show, shown
from tunneldoctor.catalog import Catalog
from tunneldoctor.history import History
from tunneldoctor.tui.picker import PickerScreen

TUNNELS = """\
[defaults]
private_key = "~/.ssh/id_ed25519"

[tunnels.orders]
ssh_url = "ssh://tunnel@bastion.example.com"
database = "postgresql://app@db.internal.corp:5432/orders"

[tunnels.billing]
ssh_url = "ssh://tunnel@bastion.example.com"
remote_bind = "mysql.internal.corp:3306"

[tunnels.unfinished]
admin = ""
"""
SSH_CONFIG = """\
Host reports
  HostName reports.example.com
  LocalForward 5433 dwh.internal.corp:5432
Host git plain
  User git
Host *
  ServerAliveInterval 30
"""
HOSTILE = "[/bold][link='x']evil\\u001b]0;PWNED\\u0007\\u202e 漢字" + "x" * 300


def told(text: str) -> None:
    raise AssertionError(text)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.file.write_text(TUNNELS)
    home.write_ssh_config(SSH_CONFIG)
    return home


@pytest.fixture
def picker(home: Home, catalog: Catalog) -> Callable[..., object]:
    history = History(home.path / "history", told)
    for scenario, name in (("broken", "orders"), ("healthy", "billing")):
        made = SCENARIOS[scenario]()
        history.keep(replace(made, tunnel=replace(made.tunnel, name=name)))

    @asynccontextmanager
    async def show(size: tuple[int, int] = (120, 34), option: Path | None = None) -> AsyncIterator[Show]:
        screen = PickerScreen(
            option,
            lambda: catalog,
            history,
            home.environ,
            home.path,
            now=lambda: STARTED + timedelta(hours=2, minutes=5),
        )
        async with shown(screen, size) as show:
            await screen.settled.wait()
            await show.pilot.pause()
            yield show

    return show


@pytest.mark.parametrize("size", SIZES)
async def test_tunnels_and_hosts_with_their_last_run(picker, home: Home, assert_screen, size: tuple[int, int]) -> None:
    async with picker(size) as show:
        assert_screen(show.app, "picker")


async def test_only_hosts_that_forward_a_port_are_listed(picker) -> None:
    async with picker() as show:
        assert "reports.example.com → dwh.internal.corp:5432" in show.text
        assert "plain" not in show.text


async def test_enter_opens_what_is_selected(picker) -> None:
    async with picker() as show:
        await show.press("j", "enter")
        assert show.app.ended_with == ["billing"]


async def test_a_filter_leaves_what_has_all_its_words_and_enter_opens_it(picker) -> None:
    async with picker() as show:
        await show.press("slash")
        await show.type("mysql heal")
        assert "billing" in show.text
        assert "orders" not in show.text
        assert "1 of 4 tunnels" in show.text
        await show.press("enter")
        assert show.app.ended_with == ["billing"]


async def test_esc_ends_the_filter_and_what_was_selected_stays_so(picker) -> None:
    async with picker() as show:
        await show.press("slash", *"bil", "escape")
        assert "orders" in show.text
        await show.press("enter")
        assert show.app.ended_with == ["billing"]


async def test_a_filter_that_nothing_has_opens_nothing(picker) -> None:
    async with picker() as show:
        await show.press("slash", *"zzz", "enter")
        assert show.app.ended_with == []


async def test_a_file_that_can_not_be_read_is_told_with_its_line_and_hosts_are_there_all_the_same(
    picker, home: Home
) -> None:
    home.file.write_text("[tunnels.orders]\nssh_url = \n")
    async with picker() as show:
        assert "tunneldoctor.toml:2" in show.text
        assert "not TOML" in show.text
        assert "reports" in show.text
        home.file.write_text(TUNNELS)
        await show.press("r")
        await show.app.screen.settled.wait()
        await show.pilot.pause()
        assert "not TOML" not in show.text
        assert "orders" in show.text


@pytest.mark.parametrize("size", SIZES)
async def test_without_any_tunnel_it_says_how_to_begin(
    picker, home: Home, assert_screen, size: tuple[int, int]
) -> None:
    home.file.unlink()
    home.write_ssh_config("")
    async with picker(size) as show:
        assert_screen(show.app, "picker-empty")


async def test_a_file_that_was_named_and_is_not_there_is_told_and_made_by_a(picker, home: Home) -> None:
    path = home.path / "mine.toml"
    async with picker(option=path) as show:
        assert "mine.toml: no such file" in show.text
        await show.press("a")
        await show.type("fresh")
        await show.press("tab")
        await show.type("ssh://me@bastion")
        await show.press("tab")
        await show.type("agent:")
        await show.press("tab", "tab")
        await show.type("db:5432")
        await show.press("ctrl+s")
        await show.app.screen.settled.wait()
        await show.pilot.pause()
        assert "no such file" not in show.text
        await show.press("enter")
    assert path.read_text().startswith("[tunnels.fresh]\n")
    assert show.app.ended_with == ["fresh"]


@pytest.mark.parametrize("size", SIZES)
async def test_names_from_a_file_can_neither_drive_the_terminal_nor_break_the_screen(
    picker, home: Home, size: tuple[int, int]
) -> None:
    home.file.write_text(f'[tunnels."{HOSTILE}"]\nssh_url = "ssh://u@[bastion.example.com]:22"\n')
    async with picker(size) as show:
        assert "\x1b" not in show.text
        assert "\u202e" not in show.text
        assert "[/bold]"[: size[0] // 5] in show.text
        await show.press("enter")
    assert show.app.ended_with[0].startswith("[/bold]")


async def test_help_says_where_the_files_are(picker) -> None:
    async with picker((120, 60)) as show:
        await show.press("question_mark")
        assert "~/tunneldoctor.toml" in show.text
        assert "~/history" in show.text
        assert "write a new tunnel down" in show.text
