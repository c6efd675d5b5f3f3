"""Copying: by the terminal itself, which works over SSH too, and by the machine's own clipboard."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from textual.app import App

from tunneldoctor.model import Secret, visible
from tunneldoctor.report import redact_text

#: Seconds that a program may take; one that asks its display and gets no answer would hold the keyboard up.
_PATIENCE = 0.5
#: Longest text, in bytes, that every terminal takes: xterm's limit of 100,000 characters of base64 (ctlseqs, OSC 52).
_LONGEST = 74_000


def copy(app: App[object], text: str, secrets: Sequence[Secret] = ()) -> str:
    """Copy *text* without *secrets* and control characters; return where it went, in words.

    No terminal says whether it took it, so this says what was done, not that it arrived.
    """
    clean = "\n".join(visible(line, len(line)) for line in redact_text(text, secrets).split("\n"))
    app.copy_to_clipboard(clean)
    words = "sent to the terminal's clipboard (OSC 52)"
    program = next((each for each in _programs(os.environ) if _feed(each, clean)), None)
    if program:
        words += f" and to {program[0]}"
    elif len(clean.encode()) > _LONGEST:
        words += "; it is long, and some terminals cut it: s saves it"
    return words


def _programs(environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The programs that reach this machine's clipboard; over SSH that is not the one of who sits there."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return
    if sys.platform == "darwin":
        yield ("pbcopy",)
    if environ.get("WAYLAND_DISPLAY"):
        yield ("wl-copy",)
    if environ.get("DISPLAY"):
        yield ("xclip", "-selection", "clipboard")
        yield ("xsel", "--clipboard", "--input")


def _feed(command: Sequence[str], text: str) -> bool:
    """True where the program took it. Its stdin is the text, so that no list of processes shows it."""
    if shutil.which(command[0]) is None:
        return False
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(command, input=text.encode(), stdout=quiet, stderr=quiet, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
