"""Everything that reads bytes from a file or from a server, as the fuzz run calls it.

A reader takes any bytes and returns what came of them, in short: an answer that was not there before is worth going on
from. What it may raise by its own docstring is caught here; anything else is a defect.
"""

from __future__ import annotations

import re
import struct
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from paramiko.message import Message

from tunneldoctor.bastion import reading
from tunneldoctor.bastion.judge import JUDGES
from tunneldoctor.bastion.subject import Subject
from tunneldoctor.config import ssh_config
from tunneldoctor.model import Fleet
from tunneldoctor.net.services import described, identify
from tunneldoctor.report import NotAReport, difference, difference_json, render_markdown, saved_from
from tunneldoctor.ssh import certificates, debug, host_trust, known_hosts, userauth
from tunneldoctor.ssh.blobs import Malformed, decode
from tunneldoctor.ssh.forwarding import OpenFailure, classify
from tunneldoctor.ssh.identification import Greeting, NotSsh, TooOld
from tunneldoctor.ssh.keys import examine
from tunneldoctor.ssh.paramiko_overrides import Peer
from tunneldoctor.ssh.recording import RecordingStream
from tunneldoctor.ssh.transport import HandshakeFailure, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

HOST, PORT = "db.example.com", 2222
#: What a server says before its packets, where the input does not begin with a greeting of its own.
_GREETING = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
_WORD = re.compile(r"[a-z]{3,}")
#: What an error quotes of the input.
_QUOTED = re.compile(r"""["'].*["']""")


class _Canned:
    """A stream of bytes that are there already, and then its end. What is sent to it is gone."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def recv(self, size: int, /) -> bytes:
        given, self._data = self._data[:size], self._data[size:]
        return given

    def sendall(self, data: bytes, /) -> None:
        pass

    def settimeout(self, seconds: float | None, /) -> None:
        pass

    def close(self) -> None:
        self._data = b""


def _key(data: bytes) -> Hashable:
    """Never with a passphrase: deriving a key from one is slow on purpose."""
    seen = examine(data)
    assert seen.damages or seen.key, "neither a key nor anything wrong with it"
    return (*sorted(_shape(damage.seen) for damage in seen.damages), seen.key and seen.key.get_name())


def _certificate(data: bytes) -> Hashable:
    try:
        certificate = certificates.read(data)
    except certificates.CertificateError as error:
        return _shape(str(error))
    problems = certificates.problems(certificate, "tunnel", datetime.now(UTC))
    return certificate.type, certificate.key_type, *(each.code for each in problems)


def _host_key(data: bytes) -> Hashable:
    """The blob that a server presents, against lines that speak about that server."""
    try:
        blob = decode(data.split()[1])
    except (IndexError, Malformed):
        blob = data
    pins, bad = known_hosts.read([known_hosts.File("lines", data)]).examine(HOST, PORT)
    judged = host_trust.judge(pins, blob)
    return judged.trust, judged.key_type[:40], _shape(judged.because), len(pins.lines), bad.count


def _known_hosts(data: bytes) -> Hashable:
    files = known_hosts.read([known_hosts.File("fuzz", data)])
    pins, bad = files.examine(HOST, PORT)
    places = [each for pin in pins.lines[:2] for each in pins.elsewhere(pin.blob)]
    reasons = tuple(sorted({line.reason for line in bad.first}))
    return min(len(pins.lines), 3), min(len(pins.bare), 3), pins.key_types(), reasons, len(places)


def _greeting(data: bytes) -> Hashable:
    """In pieces, as it comes from a network."""
    greeting, size = Greeting(), 1 + len(data) % 61
    described(data), identify(data)
    try:
        for at in range(0, len(data), size):
            if complete := greeting.feed(data[at : at + size]):
                return complete[0].startswith("SSH-2"), min(len(greeting.lines), 3)
    except (NotSsh, TooOld) as error:
        return type(error).__name__, _shape(str(error))
    return min(len(greeting.lines), 3)


def _handshake(data: bytes) -> Hashable:
    """All that a server sends up to the end of the key exchange; a message alone is put in a packet."""
    stream = _Canned(data if data.startswith(b"SSH-") else _GREETING + _packet(data))
    failure = Transport.handshake(stream, timeout=5)
    assert isinstance(failure, HandshakeFailure), "no server can finish a key exchange without its key"
    assert failure.stage != "kex-stalled", "it waited for what was there already"
    return failure.stage, _shape(failure.text), failure.disconnect and failure.disconnect[0]


def _packet(payload: bytes) -> bytes:
    """A packet without encryption (RFC 4253 §6)."""
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def _message(data: bytes) -> Hashable:
    """One message of a server, after the key exchange: its number, and the rest."""
    peer = Peer(RecordingStream(_Canned(b"")), ())
    table: dict[int, Callable[[Message], None]] = {
        1: peer._parse_disconnect,
        4: peer._parse_debug,
        7: peer._parse_ext_info,
        51: peer._on_auth_failure,
        53: peer._on_auth_banner,
        60: peer._on_auth_60,
        82: peer._parse_request_failure,
        92: peer._parse_channel_open_failure,
    }
    number = data[0] if data else 0
    if number not in table:
        return None
    peer.channel_events[0] = threading.Event()
    table[number](Message(data[1:]))
    heard, texts = peer.heard, [*peer.heard.debug_messages, *peer.heard.auth_banners]
    for reply in peer.auth_replies:
        texts += userauth._prompts(reply) if number == 60 and len(data) % 2 else [userauth._shown(reply)]
    methods = sum(len(reply.methods) for reply in peer.auth_replies)
    return number, min(len(texts), 4), bool(heard.disconnect), min(methods, 3), len(peer.refusals)


def _texts(data: bytes) -> Hashable:
    """What a server says in words: debug messages about the login, and why a channel was not opened."""
    lines = data.decode("utf-8", "backslashreplace").splitlines()
    options = debug.key_options(lines)
    failure = classify(OpenFailure(len(data) % 5, "\n".join(lines), 0.0))
    facts = options and (options.allows_forwarding, options.limits_destinations)
    return facts, tuple(sorted(debug.refusal_causes(lines))), bool(debug.egress_address(lines)), failure


def _ssh_config(data: bytes) -> Hashable:
    with tempfile.NamedTemporaryFile(prefix="tunneldoctor-fuzz-") as file:
        file.write(data)
        file.flush()
        path = Path(file.name)
        reading = ssh_config.read(path, path.parent, ssh_config.Asked(HOST))
    return reading.named, len(reading.options), _shape((reading.fault or "").partition(": ")[2])


def _evidence(data: bytes) -> Hashable:
    """What somebody sends back from a look on the bastion, and what follows from it."""
    try:
        look = reading.read(data)
        subject = Subject.of(look.values())
    except ValueError as error:  # NotALook is one
        return _shape(str(error))
    judge = JUDGES.get(subject.symptom)
    judgement = judge and judge(look, subject)
    return judgement and (subject.symptom, tuple(sorted(ruling.code for ruling in judgement.rulings)))


def _saved(data: bytes) -> Hashable:
    """A report, a fleet or a stream of events that somebody saved, and what is made of it."""
    try:
        found = saved_from(data)
    except NotAReport as error:
        return _shape(_QUOTED.sub("", str(error)))
    reports = found.reports if isinstance(found, Fleet) else (found,)
    for report in reports:
        render_markdown(report)
        difference_json(difference(reports[0], report))
    return tuple((report.verdict, len(report.checks)) for report in reports[:3])


def _shape(text: str) -> str:
    """The first words of a text, without what it may quote of the input."""
    return " ".join(_WORD.findall(text)[:5])


@dataclass(frozen=True, slots=True)
class Reader:
    """``read`` raises nothing that is allowed; ``share`` of a hundred inputs are for it."""

    name: str
    read: Callable[[bytes], Hashable]
    share: int


READERS = (
    Reader("key", _key, 29),
    Reader("certificate", _certificate, 14),
    Reader("known_hosts", _known_hosts, 16),
    Reader("host key", _host_key, 6),
    Reader("identification", _greeting, 10),
    Reader("KEXINIT", _handshake, 8),
    Reader("messages", _message, 4),
    Reader("texts", _texts, 3),
    Reader("ssh_config", _ssh_config, 5),
    Reader("evidence", _evidence, 2),
    Reader("saved", _saved, 3),
)
