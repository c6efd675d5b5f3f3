"""What somebody may have meant who wrote a name that does not exist."""

import difflib
from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str:
    """`` (did you mean …?)`` with the nearest of *candidates*, or nothing."""
    near = difflib.get_close_matches(name, list(candidates), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
