"""The tokens of a SQL Server response (MS-TDS §2.2.7), as far as a login and one row of text need them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from tunneldoctor.database.conversation import Garbled

_ERROR, _INFO, _LOGINACK, _ENVCHANGE = 0xAA, 0xAB, 0xAD, 0xE3
_COLMETADATA, _ROW, _FEATUREEXTACK = 0x81, 0xD1, 0xAE
#: Tokens that are skipped, by the bytes of their length: ORDER, SSPI, TABNAME, COLINFO; SESSIONSTATE, FEDAUTHINFO.
_WITH_LENGTH = {0xA9: 2, 0xED: 2, 0xA4: 2, 0xA5: 2, 0xE4: 4, 0xEE: 4}
#: Tokens of one size: RETURNSTATUS, DONE, DONEPROC, DONEINPROC.
_OF_SIZE = {0x79: 4, 0xFD: 12, 0xFE: 12, 0xFF: 12}
_ROUTING = 20
_NVARCHAR = 0xE7
_MOST_TOKENS, _MOST_COLUMNS = 1000, 8
#: Characters of a message that are kept.
_MESSAGE = 2000


class ServerError(NamedTuple):
    """An ERROR token."""

    number: int
    state: int
    severity: int
    message: str


@dataclass(slots=True)
class Answer:
    """What a response comes to. ``version`` is empty where no login was acknowledged; ``routing`` is host and port."""

    errors: list[ServerError] = field(default_factory=list)
    version: str = ""
    routing: tuple[str, int] | None = None
    row: list[str | None] = field(default_factory=list)


class _Reader:
    """Little-endian values one after another. Raises Garbled where they end early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def more(self) -> bool:
        return self.at < len(self.data)

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) < count:
            raise Garbled(self.data[:64])
        self.at += count
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self, size: int) -> str:
        """A text whose length in characters stands in *size* bytes before it."""
        return self.take(2 * self.number(size)).decode("utf-16-le", "replace")


def read(payload: bytes) -> Answer:
    """All tokens up to the first that is not known here. Raises Garbled."""
    answer, reader, columns = Answer(), _Reader(payload), 0
    for _ in range(_MOST_TOKENS):
        if not reader.more:
            break
        token = reader.number(1)
        if token == _COLMETADATA:
            columns = _columns(reader)
        elif token == _ROW and columns:
            answer.row = answer.row or _row(reader, columns)
        elif not _take(token, reader, answer):
            break
    return answer


def _take(token: int, reader: _Reader, answer: Answer) -> bool:
    if token in (_ERROR, _INFO, _LOGINACK, _ENVCHANGE):
        body = _Reader(reader.take(reader.number(2)))
        if token == _ERROR:
            answer.errors.append(_error(body))
        elif token == _LOGINACK:
            answer.version = _version(body)
        elif token == _ENVCHANGE:
            answer.routing = _routing(body) or answer.routing
    elif token in _WITH_LENGTH:
        reader.take(reader.number(_WITH_LENGTH[token]))
    elif token in _OF_SIZE:
        reader.take(_OF_SIZE[token])
    elif token == _FEATUREEXTACK:
        while reader.number(1) != 0xFF:
            reader.take(reader.number(4))
    else:
        return False
    return True


def _error(body: _Reader) -> ServerError:
    number, state, severity = struct.unpack("<iBB", body.take(6))
    return ServerError(number, state, severity, body.text(2)[:_MESSAGE])


def _version(body: _Reader) -> str:
    body.take(5)
    body.text(1)
    major, minor, build = struct.unpack("!BBH", body.take(4))
    return f"{major}.{minor}.{build}"


def _routing(body: _Reader) -> tuple[str, int] | None:
    """ENVCHANGE of type 20: protocol 0 is TCP, then the port and the other server's name."""
    if body.number(1) != _ROUTING:
        return None
    body.take(3)
    port = body.number(2)
    return body.text(2)[:255], port


def _columns(reader: _Reader) -> int:
    """How many columns a row has; 0 where they are not all short texts, which is all that is asked for here."""
    count = reader.number(2)
    if not 0 < count <= _MOST_COLUMNS:
        return 0
    for _ in range(count):
        reader.take(6)
        if reader.number(1) != _NVARCHAR:
            return 0
        reader.take(7)
        reader.text(1)
    return count


def _row(reader: _Reader, columns: int) -> list[str | None]:
    return [_value(reader) for _ in range(columns)]


def _value(reader: _Reader) -> str | None:
    size = reader.number(2)
    return None if size == 0xFFFF else reader.take(size).decode("utf-16-le", "replace")
