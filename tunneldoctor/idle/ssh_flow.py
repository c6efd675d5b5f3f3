"""One SSH connection of its own, logged in and then left alone: nothing is sent on it but what its arm asks for.

paramiko sends no keepalive and never exchanges keys by the clock; its thread only reads. What the server asks is
answered, as any client does: a server that keeps its connections alive by itself is not idle, and :meth:`silence` shows
it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunneldoctor.idle.flow import Arm, How, Leg, Loss, NotOpened
from tunneldoctor.idle.tcp_info import keep_alive, tcp_info
from tunneldoctor.model import BudgetSpent, Secret, visible
from tunneldoctor.net.stream import peer_address
from tunneldoctor.ssh.again import another
from tunneldoctor.ssh.handshake import HandshakeFailure
from tunneldoctor.ssh.host_trust import judge
from tunneldoctor.ssh.transport import Transport
from tunneldoctor.ssh.userauth import password_method, public_part

if TYPE_CHECKING:
    import paramiko

    from tunneldoctor.model import Context
    from tunneldoctor.net.stream import Stream
    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.pins import Pins
    from tunneldoctor.ssh.userauth import Refusal

#: A packet sent six times without an answer is not lost but dropped: at 1 % loss that happens once in 10^12.
DEAD = 5
#: After so many it is worth looking at the others already.
_DOUBTFUL = 3
#: Seconds between two looks while an answer is waited for.
_LOOK = 0.05
#: Where retransmissions can't be counted, or somebody takes the packets in and nobody answers: seconds to wait.
_PATIENCE, _DOUBT = 30.0, 3.0

#: On these something is sent every few seconds.
_KEPT = (Arm.BUSY, Arm.SSH_KEEPALIVE, Arm.WITNESS)


@dataclass(frozen=True, slots=True)
class Door:
    """How one gets in once more: the way, the pins of the host key, the user, and what was accepted already."""

    context: Context
    stream: Stream
    pins: Pins
    username: str
    offers: Sequence[paramiko.PKey | Secret]
    keepalive: float
    _peer: tuple[str, int] | None = field(init=False)

    def __post_init__(self) -> None:
        # all of them go to one address: another of the same name may be behind another box
        object.__setattr__(self, "_peer", peer_address(self.stream))

    def flow(self, arm: Arm) -> SshFlow:
        """A connection of its own that is not open yet."""
        return SshFlow(arm, lambda timeout: self._enter(arm, timeout))

    def _enter(self, arm: Arm, timeout: float) -> tuple[Transport, socket.socket | None]:
        end = time.monotonic() + timeout
        try:
            self.context.budget.further_login(self.context.hop.name)
            stream = socket.create_connection(self._peer, timeout) if self._peer else another(self.stream, timeout)
        except (BudgetSpent, OSError) as error:
            raise NotOpened(_why(error)) from error
        sock = stream if isinstance(stream, socket.socket) else None
        if arm is Arm.TCP_KEEPALIVE and not (sock and keep_alive(sock, self.keepalive)):
            stream.close()
            raise NotOpened("the kernel keeps no connection alive through a jump host, or can't be told to here")
        wanted = self.pins.key_types()
        made = Transport.handshake(stream, timeout=max(0.1, end - time.monotonic()), preferred_host_key_types=wanted)
        if isinstance(made, HandshakeFailure):
            raise NotOpened(f"the SSH handshake failed: {made.stage}{_said(made.first)}")
        transport = self.context.closing(made)
        try:
            self._log_in(transport, end)
        except NotOpened:
            transport.close()
            raise
        return transport, sock

    def _log_in(self, transport: Transport, end: float) -> None:
        if not judge(self.pins, transport.host_key).trusted:
            raise NotOpened("another host key was presented than the one that is known: nothing was sent")
        refusal: Refusal | None = None
        for offer in self.offers:
            refusal = self._offer(transport, offer, max(0.1, end - time.monotonic()))
            if refusal is None:
                return
            if not refusal.partial:
                break
        if not self.offers and (refusal := transport.ask_methods(self.username, end - time.monotonic())) is None:
            return
        if refusal and refusal.kind in {"refused", "closed"}:
            self.context.budget.refused(self.context.hop.name)
        how = refusal.kind if refusal else "there is nothing to log in with"
        raise NotOpened(f"the login was not accepted this time: {how}")

    def _offer(self, transport: Transport, offer: paramiko.PKey | Secret, seconds: float) -> Refusal | None:
        if not isinstance(offer, Secret):
            return transport.authenticate(self.username, offer, seconds)
        asked = transport.ask_methods(self.username, seconds)
        method = password_method(asked.methods) if asked else None
        return transport.authenticate(self.username, offer, seconds, method=method) if method else asked


def what_got_in(
    session: Transport, identities: Sequence[Identity], password: Secret | None
) -> list[paramiko.PKey | Secret]:
    """What *session* was logged in with: the key of *identities* that it was, then the *password* if there is one."""
    line = session.login_lines[1] or session.login_lines[0]
    offers: list[paramiko.PKey | Secret] = []
    for offer in (offer for each in identities for offer in each.offers()):
        if line and not offers and _line(offer) == line:
            offers.append(offer)
    if password:
        offers.append(password)
    return offers


def _line(offer: paramiko.PKey) -> str:
    from tunneldoctor.ssh.blobs import public_line

    return public_line(public_part(offer)[1])


def witness(session: Transport, stream: Stream | None) -> SshFlow:
    """The run's own connection: open already, and closed by others."""
    sock = stream if isinstance(stream, socket.socket) else None
    flow = SshFlow(Arm.WITNESS, lambda timeout: (session, sock))
    flow.open(0.0)
    return flow


class SshFlow:
    """A connection under measurement; *enter* opens it. See :class:`tunneldoctor.idle.flow.Flow`."""

    leg = Leg.BASTION

    def __init__(self, arm: Arm, enter: Callable[[float], tuple[Transport, socket.socket | None]]) -> None:
        self.arm = arm
        self.name = str(arm)
        self.gap = 0.0
        self._enter = enter
        self._transport: Transport | None = None
        self.sock: socket.socket | None = None
        self._begun = 0.0
        self._bare = False

    @property
    def transport(self) -> Transport:
        """The connection. Raises NotOpened before it is there."""
        if self._transport is None:
            raise NotOpened("not open")
        return self._transport

    def open(self, timeout: float) -> None:
        """Connect and log in. Raises NotOpened."""
        self._transport, self.sock = self._enter(timeout)

    def begin(self, gap: float) -> None:
        """Leave it alone from now on. What counts is the last byte either way, which was a moment ago."""
        self.gap, self._begun = gap, time.monotonic() - (self.silence() or 0.0)

    def look(self) -> Loss | None:
        """What its thread has read, and what the kernel has not heard."""
        if not self.transport.is_active:
            return self._ended(How.CLOSED)
        self._bare = not self.transport.carries_channels
        info = tcp_info(self.sock)
        if info and info.backoff >= DEAD:
            return Loss(How.SILENT, self._last_sign(), f"{info.retransmits + 1} transmissions were not answered")
        return None

    def keep(self) -> None:
        """Ask the server something, and wait for nothing: :meth:`look` sees what comes of it."""
        if self.arm in _KEPT:
            self.transport.question()

    def probe(self, patience: float, stop: threading.Event, doubt: Callable[[], object]) -> Loss | None:
        """Ask the server something; *doubt* is called once when the answer seems not to come."""
        if loss := self.look():
            return loss
        asked_at, sent = time.monotonic(), self._last_sign()
        answer = self.transport.question()
        while not stop.is_set():
            if answer is None or answer.arrived.wait(_LOOK):
                return None if answer and answer.granted is not None else self._ended(How.RESET, sent)
            info, waited = tcp_info(self.sock), time.monotonic() - asked_at
            if waited > _DOUBT or (info and info.backoff >= _DOUBTFUL):
                doubt()
            if info and info.backoff >= DEAD:
                return Loss(How.SILENT, sent, f"{info.retransmits + 1} transmissions were not answered")
            heard_by_somebody = info is None or info.unacknowledged == 0
            if waited > (min(patience, _PATIENCE) if heard_by_somebody else patience):
                return Loss(How.SILENT, sent, f"no answer in {waited:.0f} s", by_time=True)
        return None

    def silence(self) -> float | None:
        """By the kernel's count."""
        info = tcp_info(self.sock)
        return info.silence if info else None

    def close(self) -> None:
        """End the connection."""
        if self._transport:
            self._transport.close()

    def _last_sign(self) -> float:
        """Where something is sent all the time the answer before it is the last sign of life; else it is now."""
        info = tcp_info(self.sock) if self.arm in _KEPT else None
        return max(0.0, self._age() - (info.unheard if info else 0.0))

    def _age(self) -> float:
        return time.monotonic() - self._begun

    def _ended(self, how: How, after: float | None = None) -> Loss:
        end, disconnect = self.transport.end, self.transport.disconnect
        if after is None:
            after = max(0.0, self.transport.started + end.seconds - self._begun) if end else self._age()
        said = visible(disconnect[1], 200) if disconnect else ""
        words = f"the connection was {end.kind}" if end else "the connection ended"
        return Loss(how, after, words, said=said, abrupt=bool(end and end.kind == "reset"), bare=self._bare)


def _why(error: Exception) -> str:
    """In words: of a system's error those of strerror(3), without its number."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return visible(words or type(error).__name__, 200).lower()


def _said(first: bytes) -> str:
    return f", after {visible(first[:100].decode('utf-8', 'backslashreplace'))!r}" if first else ""
