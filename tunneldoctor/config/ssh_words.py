"""A line of ssh_config(5) cut into words, as OpenSSH cuts it (misc.c: strdelim, argv_split)."""

import re

_KEYWORD = re.compile(r"""("[^"]*"|[^ \t=]+)[ \t]*=?[ \t]*""")
# A piece of a word: an escaped character, something in quotes, or neither.
_PIECE = re.compile(
    r"""\\(?P<escaped>['"\\ ])"""
    r"""|"(?P<double>[^"\\]*(?:\\.[^"\\]*)*)\""""
    r"""|'(?P<single>[^'\\]*(?:\\.[^'\\]*)*)'"""
    r"""|(?P<plain>[^ \t"'\\]+|\\)"""
)
_ESCAPE = re.compile(r"""\\(['"\\])""")


def split_keyword(line: str) -> tuple[str, str]:
    """The keyword of *line* and what follows it and the ``=`` that may stand between them."""
    match = _KEYWORD.match(line)
    return (match[1].strip('"'), line[match.end() :]) if match else ("", line)


def words(text: str) -> list[str]:
    """The words of *text* up to a comment. Raises ValueError where a quote is not closed."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
        elif text[at] == "#":
            break
        else:
            word, at = _word(text, at)
            found.append(word)
    return found


def _word(text: str, at: int) -> tuple[str, int]:
    pieces = []
    while at < len(text) and text[at] not in " \t":
        piece = _PIECE.match(text, at)
        if piece is None:
            raise ValueError("invalid quotes")
        quoted = piece["double"] if piece["double"] is not None else piece["single"]
        pieces.append(piece["escaped"] or piece["plain"] or _ESCAPE.sub(r"\1", quoted or ""))
        at = piece.end()
    return "".join(pieces), at
