"""A database server as openssl on the bastion saw it: s_client(1) at one address, and x509(1) on the certificate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from tunneldoctor.bastion.reading import Look, Section
from tunneldoctor.net.scope import parse

#: Statuses of timeout(1) and of busybox's.
TIMED_OUT = (124, 143)
_FIELD = re.compile(r"(subject|issuer|notBefore|notAfter) ?= ?(.*)")
_FINGERPRINT = re.compile(r"sha256 Fingerprint=([0-9A-F:]{95})", re.IGNORECASE)
_NAME = re.compile(r"(?:DNS|IP Address):([^,\s]+)")
_COMMON_NAME = re.compile(r"(?:^|[,/] ?)CN ?= ?([^,/]+)")
#: What s_client says where it can't connect, and where no certificate came; the plainest first.
_ERRORS = tuple(
    re.compile(words)
    for words in (
        "Connection refused", "No route to host", "Network is unreachable", "Connection reset", r"alert [a-z ]+",
        r"(?<=SSL routines:).*?:([a-z ]+)", "Didn't find STARTTLS[a-z ]*", r"errno=\d+",
    )
)  # fmt: skip
_NEW = re.compile(r"New, (\S+), Cipher is (\S+)")


@dataclass(frozen=True, slots=True)
class Server:
    """What one address of the database showed. Without a certificate ``fields`` and ``fingerprint`` are empty.

    ``connected``: TCP came about. ``silent``: then nothing until the deadline of three seconds.
    """

    address: str
    connected: bool
    silent: bool
    said: str
    fields: dict[str, str]
    fingerprint: str
    listed: tuple[str, ...]

    @classmethod
    def of(cls, section: Section) -> Server:
        """From the lines under ``tls ADDRESS``."""
        fields = {match[1]: match[2] for match in map(_FIELD.match, section.lines) if match}
        fingerprint = _FINGERPRINT.search(section.text)
        connected = "CONNECTED" in section.text
        return cls(
            address=section.about,
            connected=connected,
            silent=section.status in TIMED_OUT and not fingerprint,
            said=_said(section),
            fields=fields,
            fingerprint=fingerprint[1].replace(":", "").lower() if fingerprint else "",
            listed=tuple(_NAME.findall(section.text)) or tuple(_COMMON_NAME.findall(fields.get("subject", ""))[:1]),
        )

    @property
    def hung_up(self) -> bool:
        """The connection came about, and ended without a certificate."""
        return self.connected and not self.fingerprint and not self.silent

    def is_in_date(self, now: float) -> bool | None:
        """Whether the certificate is good at *now*, in seconds since 1970; None without one."""
        begins, ends = (_moment(self.fields.get(name, "")) for name in ("notBefore", "notAfter"))
        return None if begins is None or ends is None else begins <= now <= ends

    def is_for(self, name: str) -> bool:
        """Whether the certificate names *name* (RFC 9525 §6.3: a wildcard is a whole first label)."""
        if address := parse(name):
            return any(parse(each) == address for each in self.listed)
        wanted = name.lower().rstrip(".")
        return bool({wanted, f"*.{wanted.partition('.')[2]}"} & {each.lower() for each in self.listed})

    def __str__(self) -> str:
        if not self.fingerprint:
            return f"{self.address}: {self.said}"
        subject, issuer, ends = (self.fields.get(name, "?") for name in ("subject", "issuer", "notAfter"))
        return f"{self.address}: {self.said}, a certificate of {subject}, issued by {issuer}, good until {ends}"


def servers_seen(look: Look) -> tuple[Server, ...]:
    """Every address that a handshake was tried with, in the order of the resolver's answer; whole sections only."""
    return tuple(Server.of(section) for section in look.all("tls") if section.status is not None)


def _said(section: Section) -> str:
    if (found := _NEW.search(section.text)) and found[1] != "(NONE)":
        return f"{found[1]} with {found[2]}"
    if section.status in TIMED_OUT:
        return "connected, and no answer within 3 s" if "CONNECTED" in section.text else "nothing within 3 s"
    errors = (found[0] for words in _ERRORS if (found := words.search(section.text)))
    said = next(errors, None)
    if "CONNECTED" in section.text:
        return f"connected, and then: {said or 'it hung up'}"
    return said or f"openssl ended with {section.status}"


def _moment(text: str) -> float | None:
    """``Nov 22 09:00:00 2026 GMT``, as x509(1) prints it."""
    try:
        return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
