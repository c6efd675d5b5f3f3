"""The form of a new tunnel: what is wrong is told while it is filled in, and what is right is written down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Button, Collapsible

from tests.tui.screen import SIZES
from tests.tui.stage import Home, Show, shown
from tunneldoctor.catalog import Catalog
from tunneldoctor.config import load
from tunneldoctor.tui.form import FormScreen

Form = Callable[..., AbstractAsyncContextManager[Show]]
SECRET = "hunter2-Pl4nted"
GOOD = {
    "name": "billing",
    "ssh_url": "ssh://tunnel@bastion.example.com",
    "private_key": "~/.ssh/id_ed25519",
    "remote_bind": "db.internal:5432",
}


@pytest.fixture
def form(tmp_path: Path, catalog: Catalog) -> Form:
    home = Home(tmp_path)
    home.file.write_text('# ours\n[tunnels.orders]\nssh_url = "ssh://a@b"\n')

    @asynccontextmanager
    async def show(size: tuple[int, int] = (120, 34)) -> AsyncIterator[Show]:
        configuration = load(None, home.environ, home.path)
        async with shown(FormScreen(configuration, home.file, catalog), size) as show:
            yield show

    return show


async def fill(show: Show, **fields: str) -> None:
    for key, value in fields.items():
        line = show.app.screen.query_one(f"#{key}")
        for fold in show.app.screen.query(Collapsible):
            fold.collapsed = False
        show.app.screen.set_focus(line)
        await show.type(value)


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_form(form: Form, assert_screen, size: tuple[int, int], tmp_path: Path) -> None:
    async with form(size) as show:
        button = show.app.screen.query_one("#write", Button)
        button.label, button.styles.width = "write it to FILE", len("write it to FILE") + 2
        await show.pilot.pause()
        assert_screen(show.app, "form")


async def test_what_is_typed_is_written_and_its_name_comes_back(form: Form, tmp_path: Path) -> None:
    async with form() as show:
        await fill(show, **GOOD, via="ssh://j@one ssh://j@two", keepalive="30s", local_port="5433")
        await show.press("ctrl+s")
        assert show.app.ended_with == ["billing"]
    text = (tmp_path / "tunneldoctor.toml").read_text()
    assert text.startswith('# ours\n[tunnels.orders]\nssh_url = "ssh://a@b"\n\n[tunnels.billing]\n')
    assert 'via = ["ssh://j@one", "ssh://j@two"]\n' in text
    assert "local_port = 5433\n" in text


async def test_the_button_writes_too(form: Form) -> None:
    async with form() as show:
        await fill(show, **GOOD)
        show.app.screen.set_focus(show.app.screen.query_one("#write"))
        await show.press("enter")
        assert show.app.ended_with == ["billing"]


async def test_nothing_is_complained_of_before_it_was_touched(form: Form) -> None:
    async with form() as show:
        await fill(show, name="billing")
        assert "is missing" not in show.words
        assert "Nobody says" not in show.words


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", "orders", "there is a tunnel orders already"),
        ("ssh_url", "ssh://tunnel@bastion:0x", "port"),
        ("local_port", "70000", "70000 is not a port"),
        ("keepalive", "30", "not a duration: write a number and ms, s, m or h"),
        ("provider", "ibm", "must be one of aws, azure, gcp, onprem"),
        ("host_key", "MD5:aa", "SHA256"),
        ("database", "oracle9://x", "oracle9"),
        ("remote_bind", "db.internal", "it does not name a host and a port"),
    ],
)
async def test_what_is_wrong_is_told_under_its_field_while_it_is_typed(
    form: Form, key: str, value: str, words: str
) -> None:
    async with form() as show:
        await fill(show, **{key: value})
        below = str(show.app.screen.query_one(f"#fault-{key}").render())
        assert words in below


async def test_nothing_is_written_while_something_is_wrong_and_the_first_fault_is_shown(
    form: Form, tmp_path: Path
) -> None:
    before = (tmp_path / "tunneldoctor.toml").read_bytes()
    async with form() as show:
        await fill(show, **{**GOOD, "keepalive": "30"})
        await show.press("ctrl+s")
        assert show.app.ended_with == []
        await show.pilot.pause()
        assert show.app.focused.id == "keepalive"
        assert "not a duration" in show.words
    assert (tmp_path / "tunneldoctor.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("size", "key", "value"),
    [
        ((120, 34), "database_password", SECRET),
        ((80, 24), "bastion_password", SECRET),
        ((64, 20), "ssh_url", f"ssh://me:{SECRET}@bastion.example.com"),
        ((30, 8), "database", f"postgresql://app:{SECRET}@db:5432/orders"),
        ((120, 34), "private_key", f"-----BEGIN OPENSSH PRIVATE KEY----- {SECRET} -----END OPENSSH PRIVATE KEY-----"),
    ],
)
async def test_a_pasted_secret_is_refused_and_neither_shown_nor_written(
    form: Form, tmp_path: Path, key: str, value: str, size: tuple[int, int]
) -> None:
    async with form(size) as show:
        await fill(show, **{**GOOD, key: value})
        assert "env:NAME, file:PATH or keyring:SERVICE/USER" in str(show.app.screen.query_one(f"#fault-{key}").render())
        assert SECRET not in show.text
        await show.press("ctrl+s")
        assert SECRET not in show.text
        assert show.app.ended_with == []
    assert SECRET not in (tmp_path / "tunneldoctor.toml").read_text()


async def test_a_reference_can_be_read_while_it_is_typed(form: Form) -> None:
    async with form() as show:
        for typed in ("e", "nv", ":DB"):
            await fill(show, database_password=typed)
            assert not show.app.screen.query_one("#database_password").password


async def test_control_characters_that_are_pasted_do_not_reach_the_terminal(form: Form) -> None:
    async with form() as show:
        await fill(show, name="a\x1b]0;PWNED\x07\x9b31m\u202eb", ssh_url="ssh://[/bold]@h")
        assert "\x1b" not in show.text
        assert "\u202e" not in show.text
        assert show.app.screen.query_one("#name").value == "a]0;PWNED31mb"


async def test_a_file_that_broke_meanwhile_is_told_with_its_line(form: Form, tmp_path: Path) -> None:
    async with form() as show:
        await fill(show, **GOOD)
        (tmp_path / "tunneldoctor.toml").write_text("[tunnels\n")
        await show.press("ctrl+s")
        assert "tunneldoctor.toml:1" in show.words
        assert show.app.ended_with == []


async def test_esc_leaves_without_writing(form: Form, tmp_path: Path) -> None:
    before = (tmp_path / "tunneldoctor.toml").read_bytes()
    async with form() as show:
        await fill(show, **GOOD)
        await show.press("escape")
        assert show.app.ended_with == [None]
    assert (tmp_path / "tunneldoctor.toml").read_bytes() == before
