"""Tests that are coroutines, as driving an app wants them; golden screens."""

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App

from tests.tui.screen import SCREENS, screen_text
from tunneldoctor import __version__
from tunneldoctor.catalog import Catalog


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True


@pytest.fixture
def assert_screen(request: pytest.FixtureRequest) -> Callable[[App, str], None]:
    """``assert_screen(app, "picker")``: it shows what screens/picker-120x34.txt has, for a terminal of that size.

    With ``--update-screens`` the file is written instead. Wait for the app to be idle first: ``await pilot.pause()``.
    """

    def compare(app: App, name: str) -> None:
        golden = SCREENS / f"{name}-{app.size.width}x{app.size.height}.txt"
        text = screen_text(app).replace(__version__, "VERSION")
        if request.config.getoption("--update-screens"):
            SCREENS.mkdir(exist_ok=True)
            golden.write_text(text, encoding="utf-8")
        assert golden.is_file(), f"{golden.name} is not there yet: write it with --update-screens, and look at it"
        assert text == golden.read_text(encoding="utf-8"), f"{golden.name} changed; look at it, then --update-screens"

    return compare


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The pages of the built-in checks."""
    return Catalog([Path(__file__).parents[2] / "checks" / "tunneldoctor_checks"])
