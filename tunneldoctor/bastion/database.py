"""What the way from the bastion to the database shows: which address it goes from, who is there, what size passes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence

from tunneldoctor.bastion.log import clock
from tunneldoctor.bastion.reading import Look
from tunneldoctor.bastion.server import Server, servers_seen
from tunneldoctor.bastion.sight import Judgement
from tunneldoctor.bastion.subject import Subject
from tunneldoctor.model import Place, Value, confirms

_STALLED = "db.tls-stalled"
_SILENT, _HUNG_UP, _FAILED = "db.no-answer", "db.closed-without-answer", "db.tls-handshake-failed"
_EXPIRED, _EARLY, _OTHER_NAME = "db.tls-expired", "db.tls-not-yet-valid", "db.tls-name-mismatch"
_ISSUER, _INTERCEPTED = "db.tls-untrusted-issuer", "db.tls-intercepted"
_DIFFER, _LOST, _ADDRESS = "db.servers-differ", "db.large-packets-lost", "db.host-not-allowed"
_ROUTE = re.compile(r"(?:local )?\S+ (?P<via>via \S+ )?.*\bsrc (?P<source>[0-9A-Fa-f.:]+)")
#: What ping(8) says where somebody on the way told the largest size, as it should be: then TCP knows it as well.
_TOLD = re.compile(r"too (long|big)|needed")
_SIZE = re.compile(r"(\d+) 2 packets transmitted, ([012]) received")
#: Bytes in front of what ping(8) sends: the IP header (RFC 791, RFC 8200) and ICMP's (RFC 792).
_HEADERS = {4: 28, 6: 48}
#: What of a packet passes anywhere: RFC 791 has every host take 576 bytes.
_SMALL = 64


def judge_servers(look: Look, subject: Subject) -> Judgement:
    """Whether the same shows there, and at which of the addresses behind the name."""
    servers = servers_seen(look)
    if not servers:
        return Judgement(puzzle="no TLS handshake was seen to its end there")
    now = clock(look)[0] or 0.0
    told = "; ".join(map(str, servers))
    faulty = [each for each in servers if _shows(each, subject, now)]
    if not faulty:
        return Judgement(puzzle=f"openssl there does not meet with the same: {told}")
    if subject.symptom in (_EXPIRED, _EARLY) and faulty[0].is_in_date(now):
        why = "by the bastion's clock that certificate is in date: a clock is wrong, or its issuer's expired"
        return Judgement(puzzle=f"{why}; {told}")
    sound = [each for each in servers if each not in faulty and _is_sound(each, subject, now)]
    if sound:
        params = {"faulty": _addresses(faulty), "sound": _addresses(sound), "fault": subject.symptom}
        return _confirmed(_DIFFER, told, params)
    return _confirmed(subject.symptom, told)


def judge_stall(look: Look, subject: Subject) -> Judgement:
    """Whether small packets come back from the database and large ones vanish without a word (RFC 2923 §2.1)."""
    section = look.section("sizes")
    seen = [(int(size), int(back)) for size, back in _SIZE.findall(section.text if section else "")]
    passed, lost = [size for size, back in seen if back], [size for size, back in seen if not back]
    told = section is not None and _TOLD.search(section.text)
    certified = any(each.fingerprint for each in servers_seen(look))  # a certificate came: large packets do pass
    if section is None or told or certified or _SMALL not in passed or not lost or max(passed) > min(lost):
        return judge_servers(look, subject)
    headers = _HEADERS[6 if ":" in section.command else 4]
    largest, smallest, own = max(passed) + headers, min(lost) + headers, max(lost) + headers
    because = (
        f"of packets that may not be cut up those of {largest} bytes came back from the database, those of {smallest} "
        f"bytes and more did not, and nobody on the way said why: {section.command}"
    )
    return _confirmed(_LOST, because, {"largest": largest, "mtu": own})


def judge_source(look: Look, subject: Subject) -> Judgement:
    """From which address the bastion speaks to the database."""
    section = look.section("route")
    route = _ROUTE.match(section.text) if section and section.status == 0 else None
    if route is None:
        return Judgement(puzzle="the bastion's route to the database was not seen there")
    try:
        source = ipaddress.ip_address(route["source"])
    except ValueError:
        return Judgement(puzzle=f"the bastion's route to the database names no address: {route[0]}")
    if route["via"]:
        because = f"the bastion sends from {source}, {route['via'].strip()}, where it may be translated on the way"
        return _confirmed(_ADDRESS, because)
    because = f"the bastion sends from {source}, and no router is in between"
    return _confirmed(_ADDRESS, because, {"address": str(source), "network": f"{source}/{source.max_prefixlen}"})


def _confirmed(code: str, because: str, params: Mapping[str, Value] | None = None) -> Judgement:
    return Judgement((confirms(code, because, params, Place.BASTION),))


def _shows(server: Server, subject: Subject, now: float) -> bool:
    """Whether *server* shows what was met with through the tunnel."""
    if subject.symptom in _WITHOUT_CERTIFICATE:
        return _WITHOUT_CERTIFICATE[subject.symptom](server)
    if subject.presented:
        return server.fingerprint == subject.presented
    return bool(server.fingerprint) and not _is_sound(server, subject, now)


def _is_sound(server: Server, subject: Subject, now: float) -> bool:
    """Whether *server* shows beyond doubt that it has not that fault."""
    if not server.fingerprint:
        return False
    if subject.symptom in (_EXPIRED, _EARLY):
        return server.is_in_date(now) is True
    if subject.symptom == _OTHER_NAME:
        return server.is_for(subject.name)
    return subject.symptom in _WITHOUT_CERTIFICATE


def _addresses(servers: Sequence[Server]) -> str:
    return ", ".join(each.address for each in servers)


_WITHOUT_CERTIFICATE: Mapping[str, Callable[[Server], bool]] = {
    _SILENT: lambda server: server.silent and server.connected,
    _STALLED: lambda server: server.silent and server.connected,
    _HUNG_UP: lambda server: server.hung_up,
    _FAILED: lambda server: server.hung_up,
}
JUDGES: Mapping[str, Callable[[Look, Subject], Judgement]] = {
    _ADDRESS: judge_source,
    _STALLED: judge_stall,
    **dict.fromkeys((_SILENT, _HUNG_UP, _FAILED, _EXPIRED, _EARLY, _OTHER_NAME, _ISSUER, _INTERCEPTED), judge_servers),
}
