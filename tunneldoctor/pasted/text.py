"""Bytes of unknown origin as text: any size, any encoding, piece by piece."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

#: Bytes that are read at a time.
_PIECE = 1024 * 1024
#: Characters that each block repeats of the one before: what is searched for is never longer than that.
OVERLAP = 8192
#: What compressed files begin with: gzip (RFC 1952), bzip2, xz, zip, zstd (RFC 8878).
_COMPRESSED = {
    b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"PK\x03\x04": "unzip",
    b"\x28\xb5\x2f\xfd": "unzstd",
}  # fmt: skip
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
#: ECMA-48: control sequences (colours), and operating system commands (titles, links).
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
#: More than this share of control characters, and it is no text.
_BINARY = 0.1


class NotText(ValueError):
    """It can't be read as text; the message says what it is and what to do."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the text. ``fresh`` is where the part begins that no earlier block held, and ``line`` the number of
    the line in which the block begins, from 1."""

    text: str
    fresh: int
    line: int
    last: bool


def blocks(stream: BinaryIO) -> Iterator[Block]:
    """The text of *stream*, escape sequences taken out; each block overlaps the one before. Raises NotText, OSError."""
    first = stream.read(_PIECE)
    decoder = _decoder(first)
    held, line, data = "", 1, first
    while True:
        following = stream.read(_PIECE) if data else b""
        fresh = _without_escapes(decoder.decode(data, final=not following)).replace('\\"', '"')
        yield Block(held + fresh, len(held), line, last=not following)
        if not following:
            return
        whole = held + fresh
        kept = max(0, len(whole) - OVERLAP)
        line += whole.count("\n", 0, kept)
        held, data = whole[kept:], following


def _without_escapes(text: str) -> str:
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def _decoder(first: bytes) -> codecs.IncrementalDecoder:
    for magic, program in _COMPRESSED.items():
        if first.startswith(magic):
            raise NotText(f"it is compressed: hand on what {program} makes of it")
    encoding = next((name for mark, name in _MARKS.items() if first.startswith(mark)), None) or _guessed(first)
    return codecs.getincrementaldecoder(encoding)(errors="replace")


def _guessed(first: bytes) -> str:
    """UTF-8, or UTF-16 without its mark, as some Windows programs write it. Raises NotText."""
    sample = first[:65536]
    if not sample:
        return "utf-8"
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 3 and sample[offset::2].count(0) > len(sample) * 0.4:
            return name
    controls = sum(sample.count(bytes([code])) for code in (*range(9), *range(14, 27), *range(28, 32)))
    if controls > len(sample) * _BINARY:
        raise NotText("it is no text: too many of its bytes are control characters")
    return "utf-8"
