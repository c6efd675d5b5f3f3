"""What we say to SQL Server: PRELOGIN, LOGIN7 and batches (MS-TDS §2.2.6.5, §2.2.6.4, §2.2.6.7)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from tunneldoctor.database.conversation import Garbled

#: Values of PRELOGIN's option ENCRYPTION.
OFF, ON, NOT_SUPPORTED, REQUIRED = 0, 1, 2, 3
_VERSION, _ENCRYPTION, _END = 0x00, 0x01, 0xFF
_MOST_OPTIONS = 20
#: TDS 7.4 and 8.0, as LOGIN7 spells them.
_TDS_74, _TDS_8 = 0x74000004, 0x08000000
#: The fixed part of LOGIN7, in bytes.
_FIXED = 94
#: fUseDB, fDatabase (the initial database must open) and fSetLang; fLanguage and fODBC; fReadOnlyIntent.
_FLAGS_1, _FLAGS_2, _READ_ONLY = 0xE0, 0x03, 0x20


class Answer(NamedTuple):
    """The server's PRELOGIN: its version and its wish about encryption (None: it says nothing)."""

    version: str
    encryption: int | None


def prelogin(encryption: int) -> bytes:
    """Our PRELOGIN: a version that means nothing to the server, and *encryption*."""
    head = struct.pack("!BHHBHHB", _VERSION, 11, 6, _ENCRYPTION, 17, 1, _END)
    return head + bytes(6) + bytes((encryption,))


def read_prelogin(payload: bytes) -> Answer:
    """The server's. Raises Garbled."""
    values: dict[int, bytes] = {}
    for at in range(0, 5 * _MOST_OPTIONS, 5):
        option = payload[at : at + 5]
        if option[:1] == bytes((_END,)):
            break
        if len(option) < 5:
            raise Garbled(payload[:64])
        offset, length = struct.unpack("!HH", option[1:])
        values[option[0]] = payload[offset : offset + length]
    version, encryption = values.get(_VERSION, b""), values.get(_ENCRYPTION, b"")
    if len(version) < 4:
        raise Garbled(payload[:64])
    return Answer(f"{version[0]}.{version[1]}.{int.from_bytes(version[2:4], 'big')}", _known(encryption))


def _known(encryption: bytes) -> int | None:
    """Without the bit that asks for a client certificate (0x80)."""
    return encryption[0] & 0x7F if encryption else None


def login7(user: str, password: str, server: str, database: str, *, strict: bool, read_only: bool) -> bytes:
    """The login. *password* is only disguised in it: this must not go out in clear unless that is wanted."""
    fields = ["tunneldoctor", user, password, "tunneldoctor", server, "", "tunneldoctor", "", database]
    data = [field.encode("utf-16-le") for field in fields]
    data[2] = bytes(((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in data[2])
    table, at = b"", _FIXED
    for part in data:
        table += struct.pack("<HH", at, len(part) // 2)
        at += len(part)
    table += bytes(6) + struct.pack("<HHHHHHI", at, 0, at, 0, at, 0, 0)  # ClientID, SSPI, file, new password
    head = struct.pack(
        "<IIIIIIBBBBiI", at, _TDS_8 if strict else _TDS_74, 4096, 0, 0, 0,
        _FLAGS_1, _FLAGS_2, _READ_ONLY if read_only else 0, 0, 0, 0,
    )  # fmt: skip
    return head + table + b"".join(data)


def batch(sql: str) -> bytes:
    """A batch outside any transaction."""
    headers = struct.pack("<IIHQI", 22, 18, 2, 0, 1)
    return headers + sql.encode("utf-16-le")
