"""One SSH connection: its handshake, its login, and the channels through it.

Wraps paramiko, hands out nothing of it, and keeps what the server says on the way. Every wait has a deadline, none of
them polls, and nothing is sent that a bare exchange by hand would not send.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import paramiko

from tunneldoctor.model import Address, Secret
from tunneldoctor.ssh.algorithms import Negotiated, Offer, is_aead
from tunneldoctor.ssh.blobs import key_type, public_line
from tunneldoctor.ssh.certificate_blob import plain_key
from tunneldoctor.ssh.command import Ran, run_command
from tunneldoctor.ssh.forwarding import ForwardedStream, OpenFailure
from tunneldoctor.ssh.handshake import HandshakeFailure, SlowHandshake, failure_of, software_of, waiting_stage
from tunneldoctor.ssh.heard import Answer
from tunneldoctor.ssh.paramiko_overrides import Peer
from tunneldoctor.ssh.recording import End, RecordingStream, reset_already
from tunneldoctor.ssh.userauth import Login, Refusal, Result, public_part

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream

__all__ = ["HandshakeFailure", "OpenFailure", "Refusal", "SlowHandshake", "Transport"]

#: What goes wrong on a connection that is ending: paramiko's own, the stream's, and its word for the end.
_ENDING = (paramiko.SSHException, OSError, EOFError)


class Transport:
    """An SSH connection whose key exchange is done. Whether its host key is the right one is not judged here."""

    def __init__(self, peer: Peer, stream: RecordingStream, negotiated: Negotiated, host_key: paramiko.PKey) -> None:
        self._peer = peer
        self._stream = stream
        self._login = Login(peer)
        self._plain_host_key = host_key.asbytes()
        self._answered = False
        self.algorithms = negotiated
        #: The signature algorithm of the key or certificate that logged in; empty for a password.
        self.login_algorithm = ""
        self._login_blob = b""
        #: True once a credential was right, if not enough: the server knows the user and lets it in.
        self.has_accepted = False

    @classmethod
    def handshake(
        cls,
        stream: Stream,
        *,
        timeout: float,
        preferred_host_key_types: Sequence[str] = (),
        half_time: float | None = None,
        on_half_time: Callable[[str], object] | None = None,
    ) -> Transport | HandshakeFailure:
        """Exchange identifications and keys over *stream* within *timeout* seconds.

        ``preferred_host_key_types`` are asked for first, named as in known_hosts. ``on_half_time`` is called with the
        stage that is waited in (``no-banner``, ``no-kexinit``, ``kex-stalled``) once *half_time* seconds (default:
        half of *timeout*) have passed without an end. On failure the stream is closed.
        """
        at_once = reset_already(stream)
        recording = RecordingStream(stream)
        if at_once:
            recording.close()
            return HandshakeFailure("reset-at-once", b"", End("reset", 0.0), 0.0)
        _no_delay(stream)
        try:
            peer = Peer(recording, preferred_host_key_types)
        except OSError as error:  # the stream is closed already, here or by the other end
            return HandshakeFailure("closed-before-banner", b"", End("closed", 0.0), 0.0, text=str(error))
        settled = threading.Event()
        peer.start_client(event=settled)
        _wait(peer, settled, timeout, timeout / 2 if half_time is None else half_time, on_half_time)
        if peer.initial_kex_done and (made := _made(peer)) is not None and peer.host_key is not None:
            return cls(peer, recording, made, peer.host_key)
        if settled.is_set():
            peer.over.wait(1.0)
        failure = failure_of(peer, recording, time.monotonic() - recording.started)
        _close(peer, recording)
        return failure

    # -- what is known of the server -----------------------------------------------------------------------------

    @property
    def banner(self) -> str:
        """The server's identification line: ``SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7``."""
        return self._peer.remote_version

    @property
    def software(self) -> str:
        """The same without the protocol's version: ``OpenSSH_9.2p1 Debian-2+deb12u7``."""
        return software_of(self.banner) or self.banner

    @property
    def host_key(self) -> bytes:
        """The host key as presented, in the wire format; the certificate where it is one."""
        return self._peer.heard.host_key

    @property
    def plain_host_key(self) -> bytes:
        """The host key in the wire format, taken out of the certificate where it is one."""
        return self._plain_host_key

    @property
    def offered(self) -> Offer:
        """The lists of the server's key exchange message."""
        return self._peer.heard.offer or Offer()

    @property
    def server_sig_algs(self) -> tuple[str, ...] | None:
        """The signature algorithms that the server says it takes (RFC 8308 §3.1), as last announced."""
        return self._peer.heard.sig_algs

    @property
    def sig_algs_are_the_users(self) -> bool:
        """True where the list was announced anew during the login, and so holds for this very user."""
        return self._peer.heard.ext_infos > 1

    @property
    def debug_messages(self) -> tuple[str, ...]:
        """The server's SSH_MSG_DEBUG texts so far."""
        return tuple(self._peer.heard.debug_messages)

    @property
    def auth_banners(self) -> tuple[str, ...]:
        """The server's SSH_MSG_USERAUTH_BANNER texts so far."""
        return tuple(self._peer.heard.auth_banners)

    @property
    def disconnect(self) -> tuple[int, str] | None:
        """Reason and words of the server's SSH_MSG_DISCONNECT."""
        return self._peer.heard.disconnect

    @property
    def end(self) -> End | None:
        """How the server ended the connection, if it did."""
        return self._stream.end

    @property
    def started(self) -> float:
        """The moment of the monotonic clock from which ``end`` counts its seconds."""
        return self._stream.started

    @property
    def carries_channels(self) -> bool:
        """Whether a channel is open through it."""
        return self._peer.channels_open() > 0

    @property
    def is_active(self) -> bool:
        """True while neither side has ended the connection, as far as is known here."""
        return self._peer.is_active()

    @property
    def is_logged_in(self) -> bool:
        """True once a login succeeded."""
        return bool(self._peer.authenticated)

    @property
    def login_lines(self) -> tuple[str, str]:
        """The public key that logged in and the certificate used with it, as ``type base64``; empty for none."""
        if not self._login_blob:
            return "", ""
        plain = plain_key(self._login_blob) if "-cert-v01@" in key_type(self._login_blob) else None
        line = public_line(self._login_blob)
        return (public_line(plain), line) if plain else (line, "")

    @property
    def has_answered(self) -> bool:
        """True once a :meth:`round_trip` came back: a connection that ends now was in order until then."""
        return self._answered

    # -- login ---------------------------------------------------------------------------------------------------

    def authenticate(
        self, username: str, credential: paramiko.PKey | Secret, timeout: float, *, method: str = "password"
    ) -> Refusal | None:
        """Try *credential* once: a private key (with its certificate, if it has one) or a password.

        A password goes by *method*, ``password`` or ``keyboard-interactive``. None means that the login succeeded.
        """
        if isinstance(credential, Secret):
            return self._try(method, lambda: ("", self._login.with_password(username, credential, method, timeout)))
        refusal = self._try("publickey", lambda: self._login.with_key(username, credential, timeout))
        if refusal is None:
            _, self._login_blob = public_part(credential)
        return refusal

    def ask_methods(self, username: str, timeout: float) -> Refusal | None:
        """What the server takes from this user, asked without a credential; None where it lets the user in as is."""
        return self._try("none", lambda: ("", self._login.with_nothing(username, timeout)))

    def _try(self, method: str, attempt: Callable[[], tuple[str, Result]]) -> Refusal | None:
        started = time.monotonic()
        algorithm = ""
        try:
            algorithm, result = attempt()
            kind, methods, text = result.kind, result.methods, result.text
        except _ENDING as error:
            kind, methods, text = "closed", (), str(error)
        self.has_accepted |= kind in {"success", "partial"}
        if kind == "success":
            self.login_algorithm = algorithm
            return None
        if kind in {"closed", "no-service"}:
            self._peer.over.wait(1.0)
        return Refusal(
            kind,
            method,
            algorithm,
            methods,
            text,
            time.monotonic() - started,
            self.end,
            self.disconnect,
            self.debug_messages,
            self.auth_banners,
        )

    # -- after the login -----------------------------------------------------------------------------------------

    def open(self, address: Address, timeout: float) -> ForwardedStream | OpenFailure:
        """Have the server connect to *address* (``direct-tcpip``) and wait at most *timeout* seconds for its answer."""
        started = time.monotonic()
        try:
            channel = self._peer.open_channel(
                "direct-tcpip", (address.host, address.port), ("127.0.0.1", 0), timeout=timeout
            )
        except _ENDING as error:
            return self._open_failure(time.monotonic() - started, str(error))
        return ForwardedStream(channel, lambda seconds: self.open(address, seconds))

    def execute(self, command: str, text: bytes, timeout: float) -> Ran | OpenFailure:
        """Run *command* with *text* on its standard input, within *timeout* seconds; no terminal, nothing forwarded."""
        started = time.monotonic()
        try:
            channel = self._peer.open_channel("session", timeout=timeout)
            return run_command(channel, command, text, started + timeout)
        except _ENDING as error:
            return self._open_failure(time.monotonic() - started, str(error))

    def _open_failure(self, seconds: float, text: str) -> OpenFailure:
        refusal = self._peer.refusals.pop(self._peer.last_channel() or 0, None)
        if refusal:
            return OpenFailure(*refusal, seconds, software=self.software)
        closed = not self.is_active
        return OpenFailure(0, self._last_words() or text if closed else "", seconds, not closed, closed)

    def _last_words(self) -> str:
        return self.disconnect[1] if self.disconnect else str(self.end or "")

    def round_trip(self, timeout: float) -> float | None:
        """Seconds until the server answers a question that it need not understand; None without an answer in time."""
        started = time.monotonic()
        answer = self.question()
        if answer is None or not answer.arrived.wait(timeout) or answer.granted is None:
            return None
        self._answered = True
        return time.monotonic() - started

    def question(self) -> Answer | None:
        """Ask that question without waiting for the answer; None where the connection is over."""
        try:
            return self._peer.ask("keepalive@openssh.com")
        except _ENDING:
            return None

    def may_listen(self, timeout: float) -> bool | None:
        """Whether the server would listen for us on its loopback; it stops at once. None without an answer in time."""
        deadline = time.monotonic() + timeout
        answer = self._ask("tcpip-forward", "127.0.0.1", 0, timeout=timeout)
        if answer is None or answer.granted is None:
            return None
        if answer.granted:
            port = answer.message.get_int() if answer.message else 0
            self._ask("cancel-tcpip-forward", "127.0.0.1", port, timeout=max(0.0, deadline - time.monotonic()))
        return answer.granted

    def _ask(self, kind: str, *fields: str | int, timeout: float) -> Answer | None:
        try:
            answer = self._peer.ask(kind, *fields)
        except _ENDING:
            return None
        return answer if answer.arrived.wait(timeout) else None

    def close(self) -> None:
        """End the connection with all its channels; may be called twice, from any thread."""
        _close(self._peer, self._stream)


def _wait(
    peer: Peer,
    settled: threading.Event,
    timeout: float,
    half_time: float,
    on_half_time: Callable[[str], object] | None,
) -> None:
    deadline = time.monotonic() + timeout
    if on_half_time and not settled.wait(min(half_time, timeout)):
        on_half_time(waiting_stage(peer))
    settled.wait(max(0.0, deadline - time.monotonic()))


def _made(peer: Peer) -> Negotiated | None:
    """What was agreed on, from the two sides' lists by the rule of RFC 4253 §7.1 (the client's first in common)."""
    offer = peer.heard.offer
    if offer is None or not peer.host_key_type:
        return None
    kex = next(name for name in peer.preferred_kex if name in offer.kex)
    mac = "implicit" if is_aead(peer.local_cipher) else str(peer.local_mac)
    return Negotiated(kex, peer.host_key_type, peer.local_cipher, mac)


def _no_delay(stream: Stream) -> None:
    if isinstance(stream, socket.socket):
        with contextlib.suppress(OSError):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _close(peer: Peer, stream: RecordingStream) -> None:
    with contextlib.suppress(*_ENDING):
        peer.close()
    stream.close()
