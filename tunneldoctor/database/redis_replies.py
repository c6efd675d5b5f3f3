"""Redis' replies, read and written (redis.io, "Redis serialization protocol specification", RESP2)."""

from __future__ import annotations

from typing import NamedTuple

from tunneldoctor.database.conversation import Garbled
from tunneldoctor.database.wire import Wire

#: Longest line, and longest string that is read, in bytes. INFO and CLUSTER NODES of 1000 nodes fit.
_LINE, _STRING = 16384, 262144
#: Elements of a list that is read; no list that is asked for here is longer, or holds another.
_ELEMENTS = 64
_KINDS = b"+-:$*"


class Reply(NamedTuple):
    """One reply: ``kind`` is its first byte; ``items`` are the strings of a list."""

    kind: str
    text: str
    items: tuple[str, ...] = ()

    @property
    def refused(self) -> str:
        """The word that starts an error (``NOAUTH``), "" for any other reply."""
        return self.text.partition(" ")[0] if self.kind == "-" else ""


def command(*words: str | bytes) -> bytes:
    """A command to the server."""
    encoded = [word.encode() if isinstance(word, str) else word for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


def read(wire: Wire) -> Reply:
    """The next reply. Raises Garbled, and what *wire* raises."""
    reply, count = _head(wire)
    if reply.kind != "*":
        return reply
    if count > _ELEMENTS:
        raise Garbled(b"*" + reply.text.encode())
    return Reply("*", "", tuple(_head(wire)[0].text for _ in range(count)))


def _head(wire: Wire) -> tuple[Reply, int]:
    line = _line(wire)
    kind, text = chr(line[0]), line[1:].decode("utf-8", "replace")
    if kind in "+-":
        return Reply(kind, text), 0
    count = _number(line)
    if kind != "$":
        return Reply(kind, text), count
    if count > _STRING:
        raise Garbled(line)
    return Reply("$", "" if count < 0 else wire.exactly(count + 2)[:-2].decode("utf-8", "replace")), 0


def _number(line: bytes) -> int:
    digits = line[1:].removeprefix(b"-")
    if not digits.isdigit() or len(digits) > 18:
        raise Garbled(line)
    return int(line[1:])


def _line(wire: Wire) -> bytes:
    held = b""
    while b"\r\n" not in held:
        if len(held) > _LINE:
            raise Garbled(held)
        held += wire.some()
        if held[0] not in _KINDS:
            raise Garbled(held)
    line, _, rest = held.partition(b"\r\n")
    wire.unread(rest)
    return line
