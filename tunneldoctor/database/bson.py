"""As much BSON as MongoDB's ``hello`` needs (bsonspec.org, version 1.1)."""

from __future__ import annotations

import struct

from tunneldoctor.database.conversation import Garbled

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

#: Nested documents, and elements of one, that are read.
_DEEPEST, _MOST_ELEMENTS = 8, 500
#: Elements of one size that tell nothing here: ObjectId, datetime, timestamp, decimal, the two ends of an order.
_SKIPPED = {0x07: 12, 0x09: 8, 0x11: 8, 0x13: 16, 0xFF: 0, 0x7F: 0}


def document(values: dict[str, str | int]) -> bytes:
    """A document of texts and small numbers."""
    parts = b"".join(_element(name.encode() + b"\0", value) for name, value in values.items())
    return struct.pack("<i", len(parts) + 5) + parts + b"\0"


def _element(name: bytes, value: str | int) -> bytes:
    if isinstance(value, int):
        return b"\x10" + name + struct.pack("<i", value)
    text = value.encode() + b"\0"
    return b"\x02" + name + struct.pack("<i", len(text)) + text


def read(data: bytes) -> dict[str, Value]:
    """The first document in *data*. Raises Garbled."""
    try:
        return _document(data, 0, 0)[0]
    except (struct.error, ValueError, IndexError) as error:
        raise Garbled(data[:64]) from error


def _document(data: bytes, at: int, depth: int) -> tuple[dict[str, Value], int]:
    """The document at *at*, and where it ends."""
    (size,) = struct.unpack_from("<i", data, at)
    end = at + size
    if size < 5 or end > len(data) or depth > _DEEPEST:
        raise ValueError("size")
    values: dict[str, Value] = {}
    at += 4
    for _ in range(_MOST_ELEMENTS):
        kind = data[at]
        if kind == 0:
            return values, end
        stop = data.index(b"\0", at + 1, end)
        name = data[at + 1 : stop].decode("utf-8", "replace")
        values[name], at = _value(kind, data, stop + 1, depth)
    raise ValueError("elements")


def _value(kind: int, data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if kind == 0x01:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if kind == 0x02:
        (size,) = struct.unpack_from("<i", data, at)
        if not 1 <= size <= len(data):
            raise ValueError("text")
        return data[at + 4 : at + 3 + size].decode("utf-8", "replace"), at + 4 + size
    if kind in (0x03, 0x04):
        inner, end = _document(data, at, depth + 1)
        return (inner if kind == 0x03 else list(inner.values())), end
    if kind == 0x05:
        (size,) = struct.unpack_from("<i", data, at)
        if not 0 <= size <= len(data):
            raise ValueError("binary")
        return None, at + 5 + size
    if kind == 0x08:
        return bool(data[at]), at + 1
    if kind == 0x0A:
        return None, at
    if kind in (0x10, 0x12):
        return struct.unpack_from("<i" if kind == 0x10 else "<q", data, at)[0], at + (4 if kind == 0x10 else 8)
    if kind in _SKIPPED:
        return None, at + _SKIPPED[kind]
    raise ValueError("kind")
