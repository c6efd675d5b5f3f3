"""For a terminal that speaks no Unicode: every screen in ASCII, each sign as wide as the one it stands for."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS = {
    **dict(zip("✓✗–—…’‘“”·•→←↑↓×Δ›»▶▼▲◀▸▾■□▏▎▍▌", "+x--.''\"\"..><^v*d>>>v^<>v##||||", strict=True)),
    **dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺▁▂▔", "-"),
    **dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻▕▐", "|"),
    **dict.fromkeys("▃▄▅▆▇█▀", "#"),
}
#: Corners and crossings of lines (the rest of the block Box Drawing).
_BOX = range(0x2500, 0x2580)


class AsciiOnly(LineFilter):
    """Give one of these with :meth:`textual.app.App.get_line_filters`."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """*segments* in ASCII; their widths stay, or the screen's columns would not fit together."""
        return [Segment(_ascii(text), style, control) for text, style, control in segments]


def _ascii(text: str) -> str:
    return text if text.isascii() else "".join(map(_sign, text))


def _sign(character: str) -> str:
    if character.isascii():
        return character
    known = _SIGNS.get(character)
    return known or ("+" if ord(character) in _BOX else "?" * cell_len(character))
