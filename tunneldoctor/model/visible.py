"""Text from outside made harmless: control characters visible, length bounded."""

import unicodedata

#: Longest piece of outside text that is kept, in characters.
LIMIT = 2000

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x00": "\\0"}
# Cc: controls (C0, DEL, C1); Cf: format characters such as zero-width and bidirectional ones;
# Zl, Zp: line and paragraph separators; Cs, Co, Cn: what no terminal can be trusted with.
_UNSAFE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}


def visible(text: str | bytes, limit: int = LIMIT) -> str:
    """Return *text* with every control or invisible character written out, cut at *limit* characters.

    Bytes are read as UTF-8; what is not valid shows as ``\\xNN``. Never raises.
    """
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    cut = len(text) - limit
    shown = "".join(map(_shown, text[:limit]))
    return f"{shown} [{cut} more characters]" if cut > 0 else shown


def visible_lines(text: str | bytes, limit: int = LIMIT) -> str:
    """The same, but keep line breaks: for text of several lines such as a banner."""
    if isinstance(text, bytes):
        text = text[: limit * 4].decode("utf-8", "backslashreplace")
    return "\n".join(visible(line, limit) for line in text[:limit].splitlines())


def _shown(character: str) -> str:
    if character.isprintable() and unicodedata.category(character) not in _UNSAFE:
        return character
    if character in _NAMED:
        return _NAMED[character]
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{{{point:x}}}"
