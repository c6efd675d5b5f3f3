"""What sshd logged about the login in question: its own words for the cause (OpenSSH's auth.c and auth2-pubkey.c)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from tunneldoctor.bastion.reading import Look
from tunneldoctor.bastion.subject import Subject

#: ISO 8601 or syslog's own time, the host, with busybox the facility, the process.
_LINE = re.compile(
    r"(?P<when>\d{4}-\S+|[A-Z][a-z]{2} +\d+ [\d:]{8}) \S+ (?:\S+ )?sshd(?:-session|-auth)?\[(?P<id>\d+)\]: (?P<text>.*)"
)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d|Z)?")
_KEY = re.compile(r"(SHA256:[A-Za-z0-9+/]{43})")
_FROM = re.compile(r"(?:from|user \S+|ip=) ?([0-9a-fA-F.:]{3,45})\b")

#: Words of a line, and the cause that they prove. Those of a certificate: sshkey.c, sshkey_cert_check_authority.
_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(words), code)
    for words, code in (
        (r"^Invalid user ", "auth.unknown-user"),
        (r"not allowed because account is locked|^Account \S+ has expired", "auth.account-locked"),
        (r"^User \S+ (from \S+ )?not allowed because|^ROOT LOGIN REFUSED", "auth.user-not-allowed"),
        (r"not in PubkeyAccepted(Algorithms|KeyTypes)", "auth.algorithm-not-accepted"),
        (r"certificate signature algorithm", "key.certificate-signed-with-sha1"),
        (r"Certificate critical option .* is not supported", "key.certificate-unknown-option"),
        (r"refusing \S+ key: Invalid key length", "auth.key-too-short-for-server"),
        (r"revoked by file|in revoked keys file", "auth.key-revoked"),
        (r"bad ownership or modes for", "auth.bad-permissions"),
        (r"authorized keys? .*(is not a regular file|Permission denied)", "auth.authorized-keys-unreadable"),
        (r"correct key but not from a permitted host", "auth.from-mismatch"),
        (r"entry expired at", "auth.key-expired"),
        (r"bad key options", "auth.key-not-authorized"),
        (r"not from a permitted source address", "auth.certificate-source-address"),
        (r"does not contain an authorized principal", "auth.certificate-principal-not-authorized"),
        (r"Certificate invalid: name is not a listed principal", "key.certificate-wrong-principal"),
        (r"Certificate lacks principal list", "key.certificate-no-principals"),
        (r"Certificate invalid: expired", "key.certificate-expired"),
        (r"Certificate invalid: not yet valid", "key.certificate-not-yet-valid"),
    )
)


@dataclass(frozen=True, slots=True)
class Said:
    """A line of sshd's log that proves a cause. ``age`` is in seconds; None where the line tells no time."""

    code: str
    line: str
    age: float | None


@dataclass(slots=True)
class _Connection:
    """The lines of one process of sshd, which serves one connection."""

    lines: list[tuple[str, str]]

    def is_about(self, subject: Subject) -> bool:
        texts = [text for _, text in self.lines]
        names = re.compile(rf"(user|User|for) {re.escape(subject.user)}( |$)|^Account {re.escape(subject.user)} ")
        if not any(names.search(text) for text in texts):
            return False
        if any(text.startswith("Accepted ") for text in texts) and not any(_codes(text) for text in texts):
            return False  # a login that went well, such as the admin's own
        if subject.address and not any(subject.address in _FROM.findall(text) for text in texts):
            return not any(map(_FROM.search, texts))
        keys = {key for text in texts if "publickey" in text for key in _KEY.findall(text)}
        return not keys or not subject.fingerprint or subject.fingerprint in keys


def said_by_sshd(look: Look, subject: Subject) -> tuple[Said, ...]:
    """The causes that sshd named for the last connection of this user with this key, in its order."""
    now, local = clock(look)
    section = look.section("log")
    connections: dict[str, _Connection] = {}
    for match in filter(None, map(_LINE.fullmatch, section.lines if section else ())):
        connection = connections.pop(match["id"], None) or _Connection([])
        connection.lines.append((match["when"], match["text"].removesuffix(" [preauth]")))
        connections[match["id"]] = connection  # the one with the latest line is last
    ours = [each for each in connections.values() if each.is_about(subject)]
    if not ours:
        return ()
    causes: dict[str, Said] = {}
    for when, text in ours[-1].lines:
        for code in _codes(text):
            causes.setdefault(code, Said(code, f"{when} {text}", _age(when, now, local)))
    return tuple(causes.values())


def _codes(text: str) -> list[str]:
    return [code for words, code in _CAUSES if words.search(text)]


def clock(look: Look) -> tuple[float | None, datetime | None]:
    """The bastion's clock while it was looked at: seconds since 1970, and its local time."""
    match = re.search(r"^(\d{9,11}) (\S{19})$", look.text("self"), re.MULTILINE)
    if match is None:
        return None, None
    try:
        return float(match[1]), datetime.fromisoformat(match[2])
    except ValueError:
        return float(match[1]), None


def _age(when: str, now: float | None, local: datetime | None) -> float | None:
    """Seconds since *when*: ISO 8601 as journalctl and rsyslog write it, or syslog's own ``Oct  4 05:06:07``."""
    try:
        if match := _ISO.search(when):
            moment = datetime.fromisoformat(match[0])
            if moment.tzinfo is not None:
                return now - moment.timestamp() if now is not None else None
        else:
            year = local.year if local else 1970
            moment = datetime.strptime(f"{year} {' '.join(when.split()[:3])}", "%Y %b %d %H:%M:%S")
    except ValueError:
        return None
    return (local - moment).total_seconds() if local else None
