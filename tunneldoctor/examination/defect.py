"""Defects of tunneldoctor's own: where they are written down, without anything that could be a secret."""

from __future__ import annotations

import os
import platform
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import tunneldoctor

if TYPE_CHECKING:
    from collections.abc import Sequence


def describe(error: BaseException | None) -> str:
    """What *error* is and where it came from: types, files, lines. No message and no local variable: either could
    hold a secret or the words of a hostile server."""
    parts: list[str] = []
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        parts.append("\n".join([f"{type(error).__module__}.{type(error).__qualname__}", *lines]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\ncaused by ".join(parts)


def write_log(descriptions: Sequence[str]) -> str:
    """Write them to a file of their own that only this user can read; return where it is, in words."""
    import platformdirs

    now = datetime.now(UTC)
    try:
        folder = Path(platformdirs.user_log_path("tunneldoctor", appauthor=False))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"defect-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as log:
            log.write("\n\n".join([_heading(now), *descriptions]) + "\n")
    except OSError as error:
        return f"no log could be written: {error.strerror}"
    return f"details are in {path}"


def _heading(now: datetime) -> str:
    system = f"Python {platform.python_version()} on {platform.platform()}"
    return f"tunneldoctor {tunneldoctor.__version__}, {system}, {now.isoformat(timespec='seconds')}"
