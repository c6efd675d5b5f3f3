"""What ends the reading of a configuration, and of one URL in it."""

import difflib
from collections.abc import Iterable


class ConfigError(Exception):
    """The configuration can't be used at all: exit status 2. The text is one line with place, fault and remedy."""


class BadUrl(Exception):
    """A URL that can't be used. No argument ever holds a piece of the URL that may belong to a password.

    ``part`` is ``scheme``, ``user``, ``password``, ``host``, ``port``, ``path``, ``query`` or ``whole``; ``reason``
    says what is wrong with it, ``correction`` how to write it.
    """

    def __init__(self, part: str, reason: str, correction: str) -> None:
        super().__init__(reason)
        self.part = part
        self.reason = reason
        self.correction = correction


def nearest(name: str, candidates: Iterable[str]) -> str:
    """``; did you mean …?`` with the nearest of *candidates*, or nothing."""
    near = difflib.get_close_matches(name, list(candidates), n=1)
    return f"; did you mean {near[0]}?" if near else ""
