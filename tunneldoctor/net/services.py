"""What answers on a port, by its first bytes."""

from __future__ import annotations

import re

#: First bytes and who sends them, most particular first. Sources: RFC 4253 §4.2 (SSH), RFC 9112 §4 (HTTP), RFC 8446
#: §5.1 (TLS record), MySQL "Protocol::HandshakeV10" and "X Protocol", redis.io protocol, RFC 5321 §4.2, RFC 959,
#: RFC 1939, RFC 9051, RFC 6143 §7.1.1 (RFB), PostgreSQL "Message Formats" (ErrorResponse), MS-TDS 2.2.3, MS-RDPBCGR
#: (TPKT), RFC 854, "MongoDB Wire Protocol" (OP_MSG), Wireshark's packet-tns.c.
_SIGNS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"SSH-"), "SSH"),
    (re.compile(rb"(?s)HTTP/\d.{0,300}trying to access MongoDB over HTTP"), "MongoDB"),
    (re.compile(rb"(?s)HTTP/\d.{0,900}(sent to HTTPS port|to an SSL-enabled server|to an HTTPS server)"), "HTTPS"),
    (re.compile(rb"HTTP/\d|<!DOCTYPE|<html", re.IGNORECASE), "HTTP"),
    (re.compile(rb"[\x14-\x17]\x03[\x00-\x04]"), "TLS"),
    (re.compile(rb"(?s)...\x00\xff.{2}.{0,40}is blocked because of many connection errors"), "MySQL"),
    (re.compile(rb"(?s)...\x00\x0a[0-9][^\x00]*MariaDB"), "MariaDB"),
    (re.compile(rb"(?s)...\x00\x0a[0-9]+\."), "MySQL"),
    (re.compile(rb"(?s)...\x00\xff.{2}"), "MySQL"),
    (re.compile(rb"\x05\x00\x00\x00\x0b\x08\x05"), "MySQL X Protocol (its port is 33060)"),
    (re.compile(rb"-(ERR|DENIED|NOAUTH|NOPERM|LOADING|MASTERDOWN|BUSY|MISCONF) |\+PONG"), "Redis"),
    (re.compile(rb"(?s)E\x00\x00..S(FATAL|ERROR)\x00|E\x00\x00..SFATAL|EFATAL: "), "PostgreSQL"),
    (re.compile(rb"(?s)\x04\x01..\x00"), "SQL Server"),
    (re.compile(rb"220[ -].*(SMTP|ESMTP|Postfix|Exim|sendmail)", re.IGNORECASE), "SMTP"),
    (re.compile(rb"220[ -].*FTP", re.IGNORECASE), "FTP"),
    (re.compile(rb"220[ -]"), "SMTP or FTP"),
    (re.compile(rb"\* OK "), "IMAP"),
    (re.compile(rb"\+OK "), "POP3"),
    (re.compile(rb"AMQP[\x00-\x03]"), "AMQP"),
    (re.compile(rb"RFB \d{3}\.\d{3}"), "VNC"),
    (re.compile(rb"\x03\x00\x00"), "RDP"),
    (re.compile(rb"\xff[\xfb-\xfe]"), "Telnet"),
    (re.compile(rb"(?s).{3}\x00.{8}\xdd\x07\x00\x00"), "MongoDB"),
    (re.compile(rb"(?s)[\x00-\x1f].\x00\x00[\x02\x04\x05\x0b]\x00\x00\x00"), "Oracle"),
)
#: Control characters that no line of text before an SSH identification holds (tab, CR, LF and ESC may be there).
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]")


def identify(first: bytes) -> str | None:
    """The protocol that starts with these bytes, or None where they tell nothing (yet).

    ``SSH`` and the names of databases are spelled as their makers do; ``a binary protocol`` stands for bytes that no
    text starts with.
    """
    for sign, name in _SIGNS:
        if sign.match(first):
            return name
    return "a binary protocol" if len(first) >= 8 and _BINARY.search(first[:64]) else None


def described(first: bytes, limit: int = 48) -> str:
    """The first bytes for a reader: as text where they are text, else in hexadecimal."""
    if not first:
        return "no bytes"
    shown = first[:limit]
    if _BINARY.search(shown):
        return f"{shown.hex(' ')} (hexadecimal)"
    return shown.decode("utf-8", "backslashreplace")
