"""What ends a command with a line on stderr instead of a result."""

from __future__ import annotations

import sys


class Failure(Exception):
    """The command can't do what was asked; the message is one line for the user."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def complain(message: str) -> None:
    """Say *message* as an error on stderr."""
    _say(f"tunneldoctor: error: {message}")


def note(message: str) -> None:
    """Say *message* on stderr."""
    _say(f"tunneldoctor: {message}")


def _say(line: str) -> None:
    from tunneldoctor.model import visible  # 20 ms that --help does not need
    from tunneldoctor.report import redact_text

    if sys.stderr is None:  # started with 2>&-
        return
    line = redact_text(line)
    encoding = sys.stderr.encoding or "ascii"
    sys.stderr.write(visible(line).encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stderr.flush()
