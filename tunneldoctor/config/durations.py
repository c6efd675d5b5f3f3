"""Durations as the configuration writes them: ``500ms``, ``10s``, ``5m``, ``1h``."""

import re

_FORM = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
#: Longest duration that is taken: a week, well under what a wait of the operating system can hold.
LONGEST = 7 * 24 * 3600.0


def duration(text: str) -> float:
    """Return *text* in seconds. Raises ValueError, with the form to use, where it is not a duration."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not a duration: write a number and ms, s, m or h, as in 500ms, 10s, 5m or 1h")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > LONGEST:
        raise ValueError("longer than a week (168h)")
    return seconds
