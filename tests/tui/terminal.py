"""A real terminal: the program in a tmux of its own, driven by keys and read off the screen."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

#: Seconds that anything may take to show on the screen of a machine that is busy with other tests.
PATIENCE = 30.0
_PAUSE = 0.05
_TITLE = "title of the shell"
#: tmux shows what a program does to it: titles, the clipboard, and the modes that it leaves behind.
_SETTINGS = """\
set -g default-terminal tmux-256color
set -g set-clipboard on
set -g allow-rename on
set -g escape-time 0
"""

has_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@dataclass(frozen=True)
class Terminal:
    """A window of tmux in which a shell runs the program and then says how it ended."""

    socket: str
    folder: Path

    @property
    def screen(self) -> str:
        """What it shows."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, text: str) -> str:
        """Wait until the screen has *text*, and return the screen."""
        return self.wait_until(lambda screen: text in screen, f"{text!r} did not appear")

    def wait_until(self, fits: Callable[[str], bool], complaint: str) -> str:
        """Wait until the screen *fits*, and return it."""
        end = time.monotonic() + PATIENCE
        while not fits(screen := self.screen):
            assert time.monotonic() < end, f"{complaint}; the screen:\n{screen}"
            time.sleep(_PAUSE)
        return screen

    def is_gone(self) -> bool:
        """Wait until the program has ended, whether or not anybody is there to ask how; False where it never does."""
        end = time.monotonic() + PATIENCE
        with contextlib.suppress(psutil.NoSuchProcess):
            while psutil.Process(self.program).status() != psutil.STATUS_ZOMBIE:
                if time.monotonic() > end:
                    return False
                time.sleep(_PAUSE)
        return True

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", *keys)

    @property
    def program(self) -> int:
        """The number of the program's process."""
        return int((self.folder / "pid").read_text())

    def kill(self, number: signal.Signals) -> None:
        """Send the program a signal, as another program would."""
        os.kill(self.program, number)

    def close(self) -> None:
        """Close the window, as when its tab is closed or the SSH session that it is in breaks."""
        self._tmux("kill-session")

    def wait_for_end(self) -> int:
        """Wait until the program has ended; its status."""
        screen = self.wait_for("ended with")
        return int(screen.split("ended with ")[1].split()[0])

    @property
    def left_behind(self) -> str:
        """What the program did not put back: nothing, where all is as it was."""
        modes = {"alternate_on": "0", "mouse_any_flag": "0", "cursor_flag": "1", "pane_title": _TITLE}
        now = {name: self._tmux("display-message", "-p", f"#{{{name}}}").rstrip("\n") for name in modes}
        return ", ".join(f"{name}: {now[name]}" for name in modes if now[name] != modes[name])

    @property
    def clipboard(self) -> str:
        """What was copied by OSC 52."""
        return self._tmux("show-buffer")

    def _tmux(self, command: str, *arguments: str) -> str:
        target = ["-t", "td"] if command != "show-buffer" else []
        done = subprocess.run(
            ["tmux", "-S", self.socket, command, *target, *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout


@contextlib.contextmanager
def terminal(
    folder: Path,
    arguments: list[str],
    environment: Mapping[str, str],
    size: tuple[int, int] = (120, 34),
    inside: tuple[str, ...] = (),
) -> Iterator[Terminal]:
    """The program with *arguments* in *folder*, run by the command *inside* where one is given; tmux ends with it."""
    program = shlex.join([*inside, sys.executable, "-m", "tunneldoctor", *arguments])
    # The first shell tells the number under which the program runs; the second says how it ended, and stays.
    own = shlex.quote(f"echo $$ > pid; exec {program}")
    script = f"printf '\\033]2;{_TITLE}\\007'; sh -c {own}; echo \"ended with $?\"; exec cat"
    (folder / "tmux.conf").write_text(_SETTINGS)
    place = tempfile.mkdtemp(prefix="td-")  # a socket's path has 107 characters at most (unix(7))
    tmux = ["tmux", "-S", f"{place}/tmux", "-f", str(folder / "tmux.conf")]
    columns, lines = map(str, size)
    new = [*tmux, "new-session", "-d", "-s", "td", "-x", columns, "-y", lines, script]
    subprocess.run(new, cwd=folder, env={**environment, "TERM": "xterm-256color"}, check=True)
    try:
        yield Terminal(f"{place}/tmux", folder)
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
        shutil.rmtree(place, ignore_errors=True)
