"""What a server has said on a connection, kept within bounds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunneldoctor.ssh.algorithms import Offer
from tunneldoctor.ssh.identification import Greeting

if TYPE_CHECKING:
    from paramiko.message import Message

#: Most messages of one sort that are kept, and most bytes of each.
MOST_MESSAGES = 64
LONGEST_TEXT = 4000
_MARKERS = ("ext-info-", "kex-strict-")


@dataclass(slots=True)
class Heard:
    """What a server has said so far that paramiko itself would only log."""

    greeting: Greeting = field(default_factory=Greeting)
    offer: Offer | None = None
    markers: tuple[str, ...] = ()
    host_key: bytes = b""
    debug_messages: list[str] = field(default_factory=list)
    auth_banners: list[str] = field(default_factory=list)
    disconnect: tuple[int, str] | None = None
    sig_algs: tuple[str, ...] | None = None
    ext_infos: int = 0


@dataclass(slots=True)
class Answer:
    """The reply to one global request, once ``arrived`` is set; ``granted`` stays None where the connection ended."""

    arrived: threading.Event = field(default_factory=threading.Event)
    granted: bool | None = None
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class AuthReply:
    """One reply to a login: ``success``, ``failure`` or ``60`` with the message's rest, still to be read."""

    kind: str
    methods: tuple[str, ...] = ()
    partial: bool = False
    rest: Message | None = None


def offer_of(parsed: dict[str, Any]) -> tuple[Offer, tuple[str, ...]]:
    """The server's lists, and the markers that stand among its key exchange methods (RFC 8308 §2.1)."""
    names = _names(parsed, "kex")
    markers = tuple(name for name in names if name.startswith(_MARKERS))
    kex = tuple(name for name in names if not name.startswith(_MARKERS))
    return Offer(kex, _names(parsed, "server_key"), _both(parsed, "encrypt"), _both(parsed, "mac")), markers


def _names(parsed: dict[str, Any], word: str) -> tuple[str, ...]:
    """One list; paramiko reads an empty one as one empty name."""
    return tuple(filter(None, parsed[f"{word}_algo_list"]))


def _both(parsed: dict[str, Any], word: str) -> tuple[str, ...]:
    """What the server takes in both directions; a hostile list may be as long as a packet."""
    sent = set(_names(parsed, f"server_{word}"))
    return tuple(name for name in _names(parsed, f"client_{word}") if name in sent)


def decoded(data: bytes, limit: int = LONGEST_TEXT) -> str:
    """At most *limit* bytes of *data* as text; what is not UTF-8 is written out."""
    return data[:limit].decode("utf-8", "backslashreplace")


def keep(messages: list[str], data: bytes) -> None:
    """Add *data* to *messages*, unless there are enough of them."""
    if len(messages) < MOST_MESSAGES:
        messages.append(decoded(data))
