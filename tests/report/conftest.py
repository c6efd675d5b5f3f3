"""Every situation of scenarios.py, for every test that asks for a ``scenario``; and the goldens."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.scenarios import SCENARIOS
from tunneldoctor import __version__
from tunneldoctor.model import Report

GOLDENS = Path(__file__).parent / "goldens"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write the goldens of tests/report anew")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" in metafunc.fixturenames:
        metafunc.parametrize("scenario", SCENARIOS)


@pytest.fixture
def report(scenario: str) -> Report:
    """The situation's report."""
    return SCENARIOS[scenario]()


@pytest.fixture
def assert_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden of a name; with ``--update-goldens``, write it."""
    update = request.config.getoption("--update-goldens", default=False)

    def compare(name: str, text: str) -> None:
        golden = GOLDENS / name
        text = text.replace(__version__, "VERSION")
        if update:
            golden.write_text(text, encoding="utf-8")
        assert text == golden.read_text(encoding="utf-8"), f"{name} changed; look at it, then --update-goldens"

    return compare
