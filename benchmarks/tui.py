"""The screens, in a terminal of their own: how soon they are up, how soon they answer a key, how soon they are gone."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks.figures import Figure, median, spread
from benchmarks.scene import program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The smallest program of Textual's that shows something and can be ended.
_EMPTY = """\
from textual.app import App
from textual.widgets import Static
class Empty(App):
    BINDINGS = [("q", "quit", "quit")]
    def compose(self): yield Static("waiting")
Empty().run()
"""
_CHECKS, _LOG_LINES, _KEYS = 200, 2000, 30
#: Seconds that anything may take before the measurement is given up, and of silence that count as done.
_PATIENCE, _SILENCE = 20.0, 0.4


def measure(pairs: int) -> list[Figure]:
    """All of them; *pairs* of starts, ours and an empty app's in turn."""
    with tempfile.TemporaryDirectory() as folder, _silent_server() as port:
        home = Path(folder)
        config = _configuration(home, port)
        figures = _starts([*program(), "tui", "silent", "--no-history", "--config", str(config)], home, pairs)
        figures.append(_key(_large_run(home), home))
        return figures


def _starts(command: list[str], home: Path, pairs: int) -> list[Figure]:
    paints, empties, begins, ends = [], [], [], []
    for number in range(pairs + 1):
        with Terminal([sys.executable, "-c", _EMPTY], home) as empty:
            bare = empty.until(b"waiting")
            empty.end()
        with Terminal(command, home) as ours:
            paint, begin = ours.until(b"waiting"), ours.until(b"running")
            end = ours.end()
        if number:  # the first is for the caches
            paints, empties = [*paints, paint], [*empties, bare]
            begins, ends = [*begins, begin], [*ends, end]
    ratios = [ours / bare for ours, bare in zip(paints, empties, strict=True)]
    detail = f"{median(paints):.0f} ms beside {median(empties):.0f} ms of an empty Textual app; {spread(ratios, 'x')}"
    return [
        Figure("first screen of the TUI", median(paints), "ms", 600, spread(paints)),
        Figure("first screen beside an empty app's", median(ratios), "x", 1.6, detail),
        Figure("first check of the TUI begun", median(begins), "ms", 800, spread(begins)),
        Figure("TUI ended while checks hang", median(ends), "ms", 500, f"key to the process' end; {spread(ends)}"),
    ]


def _key(events: Path, home: Path) -> Figure:
    """The cursor goes down among many checks, below it a long log."""
    taken = []
    with Terminal([*program(), "tui", "--open", str(events)], home) as ours:
        ours.until(b"quit")
        ours.settle()
        for key in (b"l", b"\t"):  # the log gets the keys, and behind it comes the tree
            ours.write(key)
            ours.settle()
        for number in range(_KEYS):
            start = time.perf_counter()
            ours.write(b"jk"[number % 2 :][:1])
            ours.read()
            taken.append((time.perf_counter() - start) * 1000)
            ours.settle()
        ours.end()
    what = f"a key, with {_CHECKS} checks and {_LOG_LINES} lines of log"
    return Figure(f"{what}, until the screen changes", median(taken), "ms", 50, spread(taken))


class Terminal:
    """A command in a terminal of its own, 120 columns by 34 lines. Times are milliseconds since it was started."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 34, 120, 0, 0))
        env = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR")}
        env |= {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._start = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def read(self, seconds: float = _PATIENCE) -> bytes:
        """What comes next; nothing where nothing comes for so long. Raises OSError where the program ended."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return b""
        data = os.read(self._ours, 1 << 16)
        self._seen += data
        return data

    def until(self, words: bytes) -> float:
        """When *words* were on the screen. Raises OSError where they never are."""
        while words not in self._seen:
            if not self.read():
                raise OSError(f"{words!r} did not come:\n{self._seen[-2000:]!r}")
        return (time.perf_counter() - self._start) * 1000

    def settle(self) -> None:
        """Until nothing more comes."""
        while self.read(_SILENCE):
            pass

    def write(self, keys: bytes) -> None:
        """Press *keys*."""
        os.write(self._ours, keys)

    def end(self) -> float:
        """Quit; milliseconds from the key to the end of the process."""
        start = time.perf_counter()
        self.write(b"q")
        with contextlib.suppress(OSError):
            while self.read():
                pass
        self._process.wait(_PATIENCE)
        return (time.perf_counter() - start) * 1000


@contextlib.contextmanager
def _silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word: what asks it hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield server.getsockname()[1]


def _configuration(folder: Path, port: int) -> Path:
    path = folder / "tunneldoctor.toml"
    path.write_text(
        f"""\
[tunnels.silent]
ssh_url = "ssh://tunnel@127.0.0.1:{port}"
private_key = "agent:"
remote_bind = "db.internal:5432"
"""
    )
    return path


def _large_run(folder: Path) -> Path:
    """A saved run of many checks and many words."""
    from tests.report.scenarios import SCENARIOS
    from tests.tui.runs import events_of
    from tunneldoctor.model import CheckProgress, Status
    from tunneldoctor.report import event_line

    report = SCENARIOS["broken"]()
    warning = replace(report.checks[6], status=Status.WARN)  # so that its layer is open, and each line of it drawn
    more = tuple(replace(warning, id=f"ssh.further-{n}") for n in range(_CHECKS - len(report.checks)))
    events = events_of(replace(report, checks=(*report.checks[:7], *more, *report.checks[7:])))
    said = [CheckProgress(40.0, "ssh.handshake", "bastion", f"line {number}") for number in range(_LOG_LINES)]
    path = folder / "large.ndjson"
    path.write_text("".join(map(event_line, [events[0], *said, *events[1:]])))
    return path
