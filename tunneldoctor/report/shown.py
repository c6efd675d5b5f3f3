"""The last step of any text on its way out: what a check or a configuration let through is made harmless here."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from tunneldoctor.model import visible, visible_lines

#: Characters of a text that is shown at most. What came from outside is far shorter; a page's script is not.
LONGEST = 32_000


def one_line(text: str) -> str:
    """*text* with line breaks and every other control or invisible character written out."""
    return text if text.isprintable() else visible(text)


def lines(text: str) -> list[str]:
    """*text* line by line, each harmless; no line at all for an empty text."""
    return multiline(text).split("\n") if text else []


def multiline(text: str) -> str:
    """*text* with its line breaks kept and everything else written out."""
    return text if len(text) <= LONGEST and text.isprintable() else visible_lines(text, LONGEST)


def without_double_blanks(lines: Iterable[str]) -> Iterator[str]:
    """*lines*, with one empty line wherever several stood, and none at the start."""
    previous = ""
    for line in lines:
        if line or previous:
            yield line
        previous = line


def moment(time: datetime, timespec: str = "milliseconds") -> str:
    """RFC 3339 in UTC, with milliseconds or up to ``seconds``; a time without a zone is taken for UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
