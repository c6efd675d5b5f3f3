"""How a handshake went wrong: how far it came, what was sent, how and when it ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunneldoctor.ssh.algorithms import KINDS, Offer, first_without_common
from tunneldoctor.ssh.identification import NotSsh, TooOld

if TYPE_CHECKING:
    from tunneldoctor.ssh.paramiko_overrides import Peer
    from tunneldoctor.ssh.recording import End, RecordingStream

#: The stages in which a handshake fails by silence.
NO_BANNER, NO_KEXINIT, KEX_STALLED = "no-banner", "no-kexinit", "kex-stalled"
GARBLED = "garbled"


_NO_COMMON = "no-common-"


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """A handshake that did not come to its end.

    ``stage``: ``reset-at-once`` (before the server can have read anything of ours), ``closed-before-banner``,
    ``no-banner`` (silence until the deadline, or lines of text and no identification), ``not-ssh``,
    ``protocol-too-old``, ``no-kexinit`` (identification, then silence), ``kex-stalled`` (silence later on),
    ``no-common-kex``, ``no-common-host-key``, ``no-common-cipher``, ``no-common-mac``, ``closed-during-kex`` or
    ``garbled`` (what came is no valid packet).

    ``first`` holds the first bytes received (at most 4096), ``end`` how the peer ended the stream (None: it did not),
    ``seconds`` the time spent. ``what`` names the protocol that is not SSH. ``offered`` is None where the server's
    lists were not received.
    """

    stage: str
    first: bytes
    end: End | None
    seconds: float
    software: str | None = None
    what: str | None = None
    ours: Offer = field(default_factory=Offer)
    offered: Offer | None = None
    disconnect: tuple[int, str] | None = None
    text: str = ""

    @property
    def disputed(self) -> str | None:
        """What the two sides have no algorithm in common for, as :meth:`Offer.of` names it; None for other failures."""
        if self.offered is None or not self.stage.startswith(_NO_COMMON):
            return None
        return self.stage.removeprefix(_NO_COMMON).replace("-", "_")


@dataclass(slots=True)
class SlowHandshake:
    """A handshake of which half of the time is gone, for a follow-up look to leave a note with.

    ``stage`` is where it waits (``no-banner``, ``no-kexinit`` or ``kex-stalled``), or ``closed-before-banner``.
    ``address`` is the server's IP address and port, None where the connection is no socket of this machine's own.
    """

    stage: str
    address: tuple[str, int] | None = None
    _notes: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, text: str) -> None:
        """Leave *text*; it becomes evidence of the finding, should the handshake fail."""
        with self._lock:
            self._notes.append(text)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left so far."""
        with self._lock:
            return tuple(self._notes)


def waiting_stage(peer: Peer) -> str:
    """Where an unfinished handshake waits for the server."""
    if not peer.remote_version:
        return NO_BANNER
    return KEX_STALLED if peer.heard.offer else NO_KEXINIT


def failure_of(peer: Peer, stream: RecordingStream, seconds: float) -> HandshakeFailure:
    """Why the handshake of *peer* did not succeed; called before we close it ourselves."""
    error = peer.saved_exception
    cause = error.__cause__ if error else None
    heard = peer.heard
    ours = Offer(
        tuple(peer.preferred_kex), tuple(peer.preferred_keys), tuple(peer.preferred_ciphers), tuple(peer.preferred_macs)
    )
    return HandshakeFailure(
        stage=_stage(peer, stream, error, cause, ours),
        first=stream.first,
        end=stream.end,
        seconds=seconds,
        software=software_of(peer.remote_version),
        what=cause.what if isinstance(cause, NotSsh) else None,
        ours=ours,
        offered=heard.offer,
        disconnect=heard.disconnect,
        text=cause.text if isinstance(cause, TooOld) else str(error or ""),
    )


def software_of(identification: str) -> str | None:
    """``OpenSSH_9.2p1 Debian-2`` of ``SSH-2.0-OpenSSH_9.2p1 Debian-2``."""
    return identification.split("-", 2)[2] if identification.count("-") >= 2 else None


def _stage(
    peer: Peer, stream: RecordingStream, error: Exception | None, cause: BaseException | None, ours: Offer
) -> str:
    if isinstance(cause, NotSsh):
        return "not-ssh"
    if isinstance(cause, TooOld):
        return "protocol-too-old"
    if not peer.remote_version:
        return _before_banner(stream)
    if peer.heard.offer and (missing := first_without_common(ours, peer.heard.offer)) and error:
        whole = all(peer.heard.offer.of(kind) for kind in KINDS)  # RFC 4253 §7.1: no list is empty
        return f"{_NO_COMMON}{missing.replace('_', '-')}" if whole else GARBLED
    if stream.end or peer.heard.disconnect:
        return "closed-during-kex"
    if peer.over.is_set():
        return GARBLED
    return waiting_stage(peer)


def _before_banner(stream: RecordingStream) -> str:
    end = stream.end
    if end is None:
        return NO_BANNER
    # an answer to our first bytes takes a round trip; half of one leaves room for how much it varies
    early = stream.round_trip is not None and end.seconds < stream.round_trip / 2
    return "reset-at-once" if end.kind == "reset" and early and not stream.received else "closed-before-banner"
