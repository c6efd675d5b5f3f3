"""What holds for the whole test run: its options, and the signals that it begins with."""

import signal
from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-screens", action="store_true", help="write tests/tui/screens anew: look at the diff")


@pytest.fixture(autouse=True)
def nothing_is_ignored() -> Iterator[None]:
    """Under nohup or in a shell's background tests inherit ignored signals, and so would what they start."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
