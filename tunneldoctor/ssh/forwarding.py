"""Channels through an SSH server: an open one as a stream, and why one was not opened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from paramiko import Channel

    from tunneldoctor.net.stream import Stream

#: Reason codes of RFC 4254 §5.1.
PROHIBITED, CONNECT_FAILED, UNKNOWN_TYPE, SHORTAGE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class OpenFailure:
    """A channel that was not opened.

    ``code`` is the server's reason (RFC 4254 §5.1), 0 where it gave none; ``text`` its words; ``seconds`` until the
    answer. ``timed_out``: no answer came in time. ``closed``: the SSH connection ended instead. ``software`` is the
    server's own name, as its words mean what it means by them.
    """

    code: int
    text: str
    seconds: float
    timed_out: bool = False
    closed: bool = False
    software: str = ""


class ForwardedStream:
    """An open channel to some host and port behind an SSH server; a :class:`tunneldoctor.net.stream.Stream`.

    ``another`` opens one more to the same place, within the seconds given.
    """

    def __init__(self, channel: Channel, another: Callable[[float], Stream | OpenFailure]) -> None:
        self._channel = channel
        self.another = another

    def recv(self, size: int, /) -> bytes:
        """At most *size* bytes; ``b""`` at the end. Raises TimeoutError."""
        return self._channel.recv(size)

    def send(self, data: bytes, /) -> int:
        """Send some of *data*. Raises TimeoutError, OSError."""
        return self._channel.send(data)

    def sendall(self, data: bytes, /) -> None:
        """Send all of *data*. Raises TimeoutError, OSError."""
        self._channel.sendall(data)

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound every later wait."""
        self._channel.settimeout(seconds)

    @property
    def has_ended(self) -> bool:
        """True once the other side has said that nothing more comes, or the SSH connection is over."""
        return bool(self._channel.eof_received or self._channel.closed)

    def close(self) -> None:
        """Close the channel; the SSH connection stays."""
        self._channel.close()


#: What asyncssh says, with reason 2, of what the program around it does not allow; the operating system's own refusal
#: has an errno in front (connection.py, _process_direct_tcpip_open).
_ASYNCSSH_RULE = "Connection refused"

#: What servers say with reason 2, and what it means; the first that matches counts. Sources: OpenSSH channels.c and
#: the C library's messages that it passes on; dropbear tcpfwd.c ("Error resolving …"); asyncssh and Go's net package,
#: which send their language's own error texts.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"name or service not known|name resolution|error resolving|no such host|nodename nor servname"
            r"|no address associated|name does not resolve|unknown host|getaddrinfo|dial tcp: lookup"
            r"|\[Errno -\d+\]",
            re.IGNORECASE,
        ),
        "forward.name-not-resolved",
    ),
    (re.compile(r"refused|\[Errno (111|61)\]|\[WinError 10061\]", re.IGNORECASE), "forward.refused"),
    (
        re.compile(r"timed? ?out|timeout|\[Errno (110|60)\]|deadline exceeded", re.IGNORECASE),
        "forward.timeout",
    ),
    (
        re.compile(r"no route to host|unreachable|\[Errno (101|113|51|65)\]", re.IGNORECASE),
        "forward.no-route",
    ),
)


def classify(failure: OpenFailure) -> str:
    """The code of *failure*, by the server's reason and words.

    ``forward.connect-failed`` where the server says that it could not connect and not why.
    """
    if failure.closed:
        return "forward.unclassified"
    if failure.timed_out:
        return "forward.timeout"
    if failure.code == CONNECT_FAILED:
        by_rule = failure.text == _ASYNCSSH_RULE and failure.software.startswith("AsyncSSH")
        return "forward.prohibited" if by_rule else _by_words(failure.text)
    return {
        PROHIBITED: "forward.prohibited",
        UNKNOWN_TYPE: "forward.not-supported",
        SHORTAGE: "forward.resource-shortage",
    }.get(failure.code, "forward.unclassified")


def _by_words(text: str) -> str:
    for words, code in _WORDS:
        if words.search(text):
            return code
    return "forward.connect-failed"
