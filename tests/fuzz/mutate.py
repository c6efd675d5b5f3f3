"""Changes to bytes, from a seeded source: what a hostile server, a bad disk and a careless paste do to them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

#: Longest input that is made, in bytes.
LONGEST = 64 * 1024
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}(?:\r?\n[A-Za-z0-9+/]+)*={0,2}")
_PIECES = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\0\0\0\x01", b"\r\n", b"\n",
    b"\r", b"\\n", b" ", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"=", b"-", b",", b"*", b"?", b"!", b"|1|", b"@", b":",
    b"#", b'"', b"%h", b"%", b"\xc2\xa0", "\u200b".encode(), "\u0660".encode(), "\u2013".encode(), b"9" * 20,
    b"-1", b"0", b"\x1b[2J", b"\xed\xa0\x80",
)  # fmt: skip


def long_runs(seed: bytes) -> Iterator[bytes]:
    """*seed* with a long run of each piece in its middle: whoever goes through a run from each place in it is slow."""
    half = len(seed) // 2
    for piece in (*_PIECES, b"a", b"9", b"a ", b"\\", b"ssh-a ", b"-----BEGIN "):
        yield seed[:half] + piece * ((LONGEST - len(seed)) // len(piece)) + seed[half:]


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """One of *seeds* with one to five changes, half of the time inside a base64 body that it holds."""
    data = random.choice(seeds)
    if random.random() < 0.5 and (bodies := list(_BASE64.finditer(data))):
        return _inside(data, random.choice(bodies), seeds, random)[:LONGEST]
    return _changed(data, seeds, random)[:LONGEST]


def _inside(data: bytes, body: re.Match[bytes], seeds: Sequence[bytes], random: Random) -> bytes:
    """Change what the base64 stands for, and write it as it was written."""
    text = b"".join(body[0].split())
    try:
        inner = base64.b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        return _changed(data, seeds, random)
    packed = base64.b64encode(_changed(inner, (inner,), random))
    width = len(body[0].split()[0]) if b"\n" in body[0] else len(packed) or 1
    lines = [packed[at : at + width] for at in range(0, len(packed), width)]
    return data[: body.start()] + b"\n".join(lines) + data[body.end() :]


def _changed(data: bytes, seeds: Sequence[bytes], random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
        random.choice(_CHANGES)(changed, random, seeds)
    return bytes(changed)


def _place(data: bytearray, random: Random) -> tuple[int, int]:
    """A piece of *data*, mostly short."""
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 1, 2, 4, 8, 16, 64, 1024)))


def _flip(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _overwrite(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    piece = random.choice(_PIECES)
    start = random.randrange(len(data) + 1)
    data[start : start + len(piece)] = piece


def _insert(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    start = random.randrange(len(data) + 1)
    data[start:start] = random.choice(_PIECES) * random.choice((1, 1, 1, 2, 40, 2000))


def _noise(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    start = random.randrange(len(data) + 1)
    data[start:start] = random.randbytes(random.choice((1, 2, 4, 16, 300)))


def _delete(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    start, end = _place(data, random)
    del data[start:end]


def _repeat(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    start, end = _place(data, random)
    data[end:end] = data[start:end] * random.choice((1, 1, 3, 30))


def _move(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    start, end = _place(data, random)
    piece = bytes(data[start:end])
    del data[start:end]
    to = random.randrange(len(data) + 1)
    data[to:to] = piece


def _cut(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    del data[random.randrange(len(data) + 1) :]


def _cross(data: bytearray, random: Random, seeds: Sequence[bytes]) -> None:
    """The rest of another seed behind the beginning of this one."""
    other = random.choice(seeds)
    data[random.randrange(len(data) + 1) :] = other[random.randrange(len(other) + 1) :]


def _number(data: bytearray, random: Random, _: Sequence[bytes]) -> None:
    """A length of four bytes, a little or far too large or small."""
    if len(data) < 4:
        return
    start = random.randrange(len(data) - 3)
    value = int.from_bytes(data[start : start + 4], "big")
    value += random.choice((-1, 1, 4, -4, 255, 65536, 2**31, -value))
    data[start : start + 4] = (value % 2**32).to_bytes(4, "big")


_CHANGES = (_flip, _flip, _overwrite, _insert, _noise, _delete, _repeat, _move, _cut, _cross, _number, _number)
