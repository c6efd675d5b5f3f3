"""Every override of paramiko's private parts, and nothing else that depends on them.

paramiko reads the protocol well and throws away most of what it reads: algorithm lists, debug messages, reasons. This
subclass keeps it, bounds what a hostile server can make it hold, and replaces waits that poll or never end.
:data:`OVERRIDDEN` and :data:`USED` name the private parts; a test says which of them a paramiko still has.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import paramiko
from paramiko.common import (
    MSG_CHANNEL_DATA,
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_SUCCESS,
)
from paramiko.kex_curve25519 import KexCurve25519
from paramiko.message import Message
from paramiko.packet import Packetizer

import tunneldoctor
from tunneldoctor.ssh.algorithms import is_aead, preferring
from tunneldoctor.ssh.heard import MOST_MESSAGES, Answer, AuthReply, Heard, decoded, keep, offer_of
from tunneldoctor.ssh.identification import NotSsh, TooOld
from tunneldoctor.ssh.recording import RecordingStream

logging.getLogger("paramiko").addHandler(logging.NullHandler())

OVERRIDDEN = (
    "_activate_outbound",
    "_channel_handler_table",
    "_check_banner",
    "_kex_info",
    "_next_channel",
    "_parse_channel_open_failure",
    "_parse_channel_open_success",
    "_parse_debug",
    "_parse_disconnect",
    "_parse_ext_info",
    "_parse_request_failure",
    "_parse_request_success",
    "_preferred_ciphers",
    "_preferred_kex",
    "_really_parse_kex_init",
    "_verify_key",
)
USED = ("_channels", "_handler_table", "_key_info", "_send_message", "_send_user_message")

#: Largest packet that is taken, in bytes; OpenSSH's limit (packet.c, PACKET_MAX_SIZE).
LARGEST_PACKET = 256 * 1024
#: The message whose meaning depends on the method: PK_OK, PASSWD_CHANGEREQ or INFO_REQUEST (RFC 4252, RFC 4256).
MSG_USERAUTH_60 = 60
_EXT_INFO = 7
_CLOSE = 97
_GLOBAL_REQUEST = 80
_CHANNEL_REQUEST = 98

_PARAMIKO: Any = paramiko.Transport
#: The name under which tunneldoctor says hello to servers.
_NAME = f"SSH-2.0-tunneldoctor_{tunneldoctor.__version__}"


def _curve(preferred: Sequence[str]) -> tuple[str, ...]:
    """The RFC 8731 name of curve25519 next to libssh.org's, which is all that paramiko 5.1 knows."""
    found = [name for name in preferred if not name.startswith("curve25519")]
    curves = ["curve25519-sha256", "curve25519-sha256@libssh.org"]
    hybrid = [name for name in found if name.startswith("mlkem")]
    return (*hybrid, *curves, *(name for name in found if name not in hybrid))


class BoundedPacketizer(Packetizer):
    """Takes no packet that is larger than any honest one, and starts no timer thread that outlives the connection."""

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Read *n* bytes. Raises SSHException where that is more than a packet may have."""
        if n > LARGEST_PACKET:
            raise paramiko.SSHException(f"a packet of {n} bytes was announced")
        return super().read_all(n, check_rekey)

    def start_handshake(self, timeout: float) -> None:
        """Nothing: whoever waits for the handshake has the deadline."""


def _bounded_feed(channel: paramiko.Channel, message: Message) -> None:
    """A server that sends beyond the window we gave it is cut off, not buffered (RFC 4254 §5.2)."""
    inner: Any = channel
    if len(inner.in_buffer) > 2 * inner.in_window_size + LARGEST_PACKET:
        raise paramiko.SSHException("the server sends more than it may")
    inner._feed(message)


class Peer(paramiko.Transport):
    """paramiko's transport with nothing thrown away. ``over`` is set when its thread has ended."""

    # What is used of paramiko's private parts, for the type checker: types-paramiko does not know it.
    _channels: Any
    _handler_table: dict[int, Any]
    _send_message: Callable[[Message], None]
    _send_user_message: Callable[[Message], None]

    _kex_info = {**_PARAMIKO._kex_info, "curve25519-sha256": KexCurve25519}  # noqa: RUF012 - as in paramiko
    _preferred_kex = _curve(_PARAMIKO._preferred_kex)
    _preferred_ciphers = tuple(sorted(_PARAMIKO._preferred_ciphers, key=lambda name: not is_aead(name)))
    _channel_handler_table = {**_PARAMIKO._channel_handler_table, MSG_CHANNEL_DATA: _bounded_feed}  # noqa: RUF012

    def __init__(self, stream: RecordingStream, host_key_types: Sequence[str]) -> None:
        self.heard = Heard()
        self.news = threading.Condition()
        self.over = threading.Event()
        self.service_accepted = False
        self.auth_replies: deque[AuthReply] = deque()
        self.refusals: dict[int, tuple[int, str]] = {}
        self._wanted_types = tuple(host_key_types)
        self._answers: deque[Answer] = deque()
        self._asking = threading.Lock()
        self._mine = threading.local()
        socket_like: Any = stream
        super().__init__(socket_like, packetizer_class=BoundedPacketizer)
        self.local_version = _NAME
        self.clear_to_send_timeout = 5.0
        self._handler_table |= {
            MSG_SERVICE_ACCEPT: self._on_service_accept,
            MSG_USERAUTH_FAILURE: self._on_auth_failure,
            MSG_USERAUTH_SUCCESS: self._on_auth_success,
            MSG_USERAUTH_BANNER: self._on_auth_banner,
            MSG_USERAUTH_60: self._on_auth_60,
        }

    # -- the thread ----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Read until the end; then wake everybody who waits."""
        try:
            super().run()
        finally:
            self.over.set()
            if self.completion_event is not None:
                self.completion_event.set()
            for answer in list(self._answers):
                answer.arrived.set()
            self._tell()

    def wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until *condition* holds or the connection is over. True where it holds."""
        with self.news:
            self.news.wait_for(lambda: condition() or self.over.is_set(), timeout)
            return condition()

    def send(self, *fields: Any) -> None:
        """Send one message: an int in front is its number; then bool, int (uint32), str and bytes as RFC 4251 §5."""
        message = Message()
        message.add_byte(bytes([fields[0]]))
        for each in fields[1:]:
            _add(message, each)
        self._send_message(message)

    def ask(self, kind: str, *fields: Any) -> Answer:
        """Send a global request that wants a reply; replies come in the order of requests (RFC 4254 §4)."""
        message = Message()
        message.add_byte(bytes([_GLOBAL_REQUEST]))
        for each in (kind, True, *fields):
            _add(message, each)
        answer = Answer()
        with self._asking:
            self._answers.append(answer)
            self._send_user_message(message)
        if self.over.is_set():
            answer.arrived.set()
        return answer

    def channels_open(self) -> int:
        """How many channels are open."""
        return len(self._channels)

    def last_channel(self) -> int | None:
        """The number of the channel that this thread asked for last."""
        return getattr(self._mine, "channel", None)

    def _tell(self) -> None:
        with self.news:
            self.news.notify_all()

    # -- identification and key exchange -------------------------------------------------------------------------

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Host key algorithms, those of pinned types first."""
        return preferring(self._wanted_types, tuple(super().preferred_keys))

    def _check_banner(self) -> None:
        stream: Any = self.sock
        while self.is_active():
            try:
                data = stream.recv(4096)
            except TimeoutError:
                continue
            if not data:
                raise EOFError
            try:
                complete = self.heard.greeting.feed(data)
            except (NotSsh, TooOld) as error:
                raise paramiko.SSHException(str(error)) from error
            if complete:
                self.remote_version, rest = complete
                stream.unread(rest)
                return
        raise EOFError

    def _really_parse_kex_init(self, m: Message, ignore_first_byte: bool = False) -> dict[str, Any]:
        inner: Any = super()
        parsed: dict[str, Any] = inner._really_parse_kex_init(m, ignore_first_byte)
        if not ignore_first_byte:
            if self.heard.offer is None:
                self.heard.offer, self.heard.markers = offer_of(parsed)
            self._spare_mac(parsed)
        return parsed

    def _spare_mac(self, parsed: dict[str, Any]) -> None:
        """With an AEAD cipher no MAC is needed, though paramiko insists on a common one (RFC 5647 §5.1)."""
        for side in ("client", "server"):
            ciphers = parsed[f"{side}_encrypt_algo_list"]
            chosen = next((name for name in self.preferred_ciphers if name in ciphers), "")
            macs = parsed[f"{side}_mac_algo_list"]
            if is_aead(chosen) and not set(macs) & set(self.preferred_macs):
                macs.append(self.preferred_macs[0])

    def _verify_key(self, host_key: bytes, sig: bytes) -> None:
        self.heard.host_key = bytes(host_key)
        inner: Any = super()
        inner._verify_key(host_key, sig)

    def _activate_outbound(self) -> None:
        inner: Any = super()
        inner._activate_outbound()
        if not self.initial_kex_done and "ext-info-s" in self.heard.markers:
            # OpenSSH 9.6 and later then announces the user's own PubkeyAcceptedAlgorithms during the login.
            self.send(_EXT_INFO, 1, "ext-info-in-auth@openssh.com", "0")

    # -- what paramiko only logs ---------------------------------------------------------------------------------

    def _parse_ext_info(self, m: Message) -> None:
        self.heard.ext_infos += 1
        for _ in range(min(m.get_int(), MOST_MESSAGES)):
            name, value = m.get_binary(), m.get_binary()
            if name == b"server-sig-algs":
                self.heard.sig_algs = tuple(decoded(value, LARGEST_PACKET).split(","))
        self._tell()

    def _parse_disconnect(self, m: Message) -> None:
        self.heard.disconnect = (m.get_int(), decoded(m.get_binary()))

    def _parse_debug(self, m: Message) -> None:
        m.get_boolean()
        keep(self.heard.debug_messages, m.get_binary())
        self._tell()

    def _parse_request_success(self, m: Message) -> None:
        self._answered(m)

    def _parse_request_failure(self, m: Message) -> None:
        self._answered(None)

    def _answered(self, message: Message | None) -> None:
        if self._answers:
            answer = self._answers.popleft()
            answer.message, answer.granted = message, message is not None
            answer.arrived.set()

    # -- channels ------------------------------------------------------------------------------------------------

    def _next_channel(self) -> int:
        inner: Any = super()
        number: int = inner._next_channel()
        self._mine.channel = number
        return number

    def _parse_channel_open_failure(self, m: Message) -> None:
        number, code, text = m.get_int(), m.get_int(), decoded(m.get_binary())
        if number in self.channel_events:
            self.refusals[number] = (code, text)
        in_utf8 = Message()  # paramiko gives the whole connection up over a text that is not
        for each in (number, code, text, ""):
            _add(in_utf8, each)
        in_utf8.rewind()
        inner: Any = super()
        inner._parse_channel_open_failure(in_utf8)

    def _parse_channel_open_success(self, m: Message) -> None:
        number, theirs = m.get_int(), m.get_int()
        if self._channels.get(number) is None and number in self.channels_seen:
            # Nobody waits for it any more: the far side must not be left with an open connection.
            self.send(_CLOSE, theirs)
            return
        m.rewind()
        inner: Any = super()
        inner._parse_channel_open_success(m)

    # -- login ---------------------------------------------------------------------------------------------------

    def _on_service_accept(self, m: Message) -> None:
        self.service_accepted = True
        self._tell()

    def _on_auth_failure(self, m: Message) -> None:
        methods = tuple(decoded(m.get_binary()).split(","))
        self._reply(AuthReply("failure", tuple(filter(None, methods)), m.get_boolean()))

    def _on_auth_success(self, m: Message) -> None:
        self.authenticated = True
        self._reply(AuthReply("success"))

    def _on_auth_60(self, m: Message) -> None:
        self._reply(AuthReply("60", rest=m))

    def _on_auth_banner(self, m: Message) -> None:
        keep(self.heard.auth_banners, m.get_binary())
        self._tell()

    def _reply(self, reply: AuthReply) -> None:
        with self.news:
            if len(self.auth_replies) < MOST_MESSAGES:
                self.auth_replies.append(reply)
            self.news.notify_all()


def request(channel: paramiko.Channel, kind: str, *fields: Any, timeout: float) -> bool | None:
    """Send a channel request that wants a reply (RFC 4254 §5.4); None without one within *timeout* seconds.

    paramiko's own requests wait for ever. A channel that is refused one is closed by paramiko.
    """
    inner: Any = channel
    message = Message()
    message.add_byte(bytes([_CHANNEL_REQUEST]))
    for each in (inner.remote_chanid, kind, True, *fields):
        _add(message, each)
    inner.event.clear()
    inner.event_ready = False
    inner.transport._send_user_message(message)
    if not inner.event.wait(timeout):
        return None
    return bool(inner.event_ready)


def _add(message: Message, value: Any) -> None:
    if isinstance(value, bool):
        message.add_boolean(value)
    elif isinstance(value, int):
        message.add_int(value)
    else:
        message.add_string(value)
