"""Colour, glyphs and words of the text for terminals. A word always says what a colour or a glyph says."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap

from tunneldoctor.model import Status, Verdict
from tunneldoctor.report.shown import one_line

# ECMA-48 §8.3.117 SGR; only what every terminal has, so that the user's own palette decides.
_SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_GLYPHS = {
    Status.PASS: "✓",
    Status.WARN: "!",
    Status.FAIL: "✗",
    Status.BLOCKED: "–",
    Status.SKIPPED: "–",
    Status.UNKNOWN: "?",
    Status.ERROR: "#",
}
_WORDS = {
    Status.PASS: "ok",
    Status.WARN: "warn",
    Status.FAIL: "FAIL",
    Status.BLOCKED: "not run",
    Status.SKIPPED: "skipped",
    Status.UNKNOWN: "unknown",
    Status.ERROR: "crashed",
}
_COLOURS = {
    Status.PASS: ("green",),
    Status.WARN: ("yellow",),
    Status.FAIL: ("bold", "red"),
    Status.BLOCKED: ("dim",),
    Status.SKIPPED: ("dim",),
    Status.UNKNOWN: ("yellow",),
    Status.ERROR: ("bold", "red"),
}
_VERDICTS = {
    Verdict.HEALTHY: Status.PASS,
    Verdict.DEGRADED: Status.WARN,
    Verdict.BROKEN: Status.FAIL,
    Verdict.INCONCLUSIVE: Status.UNKNOWN,
}
_PLAIN = str.maketrans(
    {"→": "->", "✓": "+", "✗": "x", "–": "-", "—": "-", "…": "...", "’": "'", "‘": "'", "“": '"', "”": '"', "×": "x"}
)

#: Lines longer than this are hard to read, whatever the terminal's width.
WIDEST = 110
NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Style:
    """How the text is to look. ``verbose`` counts the ``-v``; use :attr:`columns` instead of ``width``."""

    color: bool
    unicode: bool
    width: int
    verbose: int = 0

    @property
    def columns(self) -> int:
        """The width to lay text out for."""
        return max(NARROWEST, min(self.width, WIDEST))

    def paint(self, text: str, *looks: str) -> str:
        """*text* in the looks named (``bold``, ``dim``, or a colour), where colour is wanted."""
        if not (self.color and looks and text):
            return text
        return f"\x1b[{';'.join(_SGR[look] for look in looks)}m{text}\x1b[0m"

    def status(self, status: Status | None, width: int = 0) -> str:
        """Glyph and word of a status, padded to *width* characters for the word; None is a stop not reached."""
        if status is None:
            return self.paint("– not reached", "dim")
        return self.paint(f"{_GLYPHS[status]} {_WORDS[status]:<{width}}", *_COLOURS[status])

    def verdict(self, verdict: Verdict, text: str, glyph: bool = True) -> str:
        """*text* with the glyph and in the colour of a verdict."""
        status = _VERDICTS[verdict]
        return self.paint(f"{_GLYPHS[status]} {text}" if glyph else text, *_COLOURS[status])


def folded(text: str, style: Style, first: str = "", rest: str = "") -> list[str]:
    """*text* on lines that fit, broken at blanks alone, so that a code, a path or an address stays in one piece.

    *first* and *rest* stand in front of the lines. No line at all for an empty text.
    """
    return wrap(
        one_line(text),
        style.columns,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def word_width(status: Status) -> int:
    """The width of the word for a status, without its glyph."""
    return len(_WORDS[status])


def plain(text: str) -> str:
    """*text* in ASCII, for a terminal or a pipe that can show nothing else."""
    return text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")
