"""Lines of authorized_keys as the script tells of them: whose, which fingerprint, which options (sshd(8))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from tunneldoctor.bastion.reading import Section
from tunneldoctor.bastion.settings import opens_to
from tunneldoctor.model import Address

_TOLD = re.compile(r"(\d+) (ours|other|damaged) (unreadable|(\d+) (SHA256:\S+) (.*)) options: ?(.*)")
_OPTION = re.compile(r'\s*([A-Za-z0-9-]+)(?:=("(?:[^"\\]|\\.)*"|[^,"\s]*))?\s*(?:,|$)')
#: Options that sshd knows (sshauthopt_parse in auth-options.c); it drops a line with any other.
_FLAGS = ("agent-forwarding", "port-forwarding", "pty", "user-rc", "x11-forwarding")
_KNOWN = {
    *_FLAGS, *(f"no-{flag}" for flag in _FLAGS), "restrict", "cert-authority", "no-touch-required", "verify-required",
    "command", "principals", "from", "expiry-time", "environment", "permitopen", "permitlisten", "tunnel",
}  # fmt: skip
#: The forms of expiry-time (parse_absolute_time in misc.c), by their lengths.
_TIMES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One line. ``whose``: ``ours``, ``other``, or ``damaged`` (ours, and not whole); ``fingerprint`` empty where
    ssh-keygen can't read the line; ``options`` in their order, names in lower case."""

    number: int
    whose: str
    fingerprint: str
    options: tuple[tuple[str, str], ...] = ()
    garbled: bool = False

    def values(self, name: str) -> tuple[str, ...]:
        """The values of an option that may be there several times."""
        return tuple(value for option, value in self.options if option == name)

    def has(self, name: str) -> bool:
        """Whether the option is there."""
        return any(option == name for option, _ in self.options)

    @property
    def is_damaged_ours(self) -> bool:
        """Whether it holds our key, and ssh-keygen can't read it, or another than ours."""
        return self.whose == "damaged" or (self.whose == "ours" and not self.fingerprint)

    @property
    def unknown_option(self) -> str:
        """The first option that sshd does not know, for which it drops the line; empty for none."""
        return next((option for option, _ in self.options if option not in _KNOWN), "")

    @property
    def may_forward(self) -> bool:
        """What ``restrict`` and its exceptions leave: the last word counts."""
        words = {"restrict": False, "no-port-forwarding": False, "port-forwarding": True}
        said = [words[option] for option, _ in self.options if option in words]
        return said[-1] if said else True

    def opens_to(self, target: Address) -> bool:
        """Whether ``permitopen=`` names the target, or there is none."""
        permitted = self.values("permitopen")
        return not permitted or opens_to(target, permitted)

    def expired(self, now: float, local: datetime | None) -> bool | None:
        """Whether ``expiry-time=`` has passed; None where it can't be read. It is local time unless it ends in Z."""
        ends = [_expired(value, now, local) for value in self.values("expiry-time")]
        if True in ends:
            return True
        return None if None in ends else False


def lines_of(section: Section) -> tuple[KeyLine, ...]:
    """The lines of one file."""
    return tuple(_line(match) for match in map(_TOLD.fullmatch, section.lines) if match)


def _line(match: re.Match[str]) -> KeyLine:
    options, garbled = _options(match[7])
    return KeyLine(int(match[1]), match[2], match[5] or "", options, garbled)


def _options(text: str) -> tuple[tuple[tuple[str, str], ...], bool]:
    options: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        match = _OPTION.match(text, at)
        if match is None or match.end() == at:
            return tuple(options), True
        options.append((match[1].lower(), _unquoted(match[2] or "")))
        at = match.end()
    return tuple(options), False


def _unquoted(value: str) -> str:
    return value[1:-1].replace('\\"', '"') if value.startswith('"') else value


def _expired(text: str, now: float, local: datetime | None) -> bool | None:
    digits, utc = text.removesuffix("Z"), text.endswith("Z")
    form = _TIMES.get(len(digits))
    try:
        moment = datetime.strptime(digits, form) if form else None
    except ValueError:
        moment = None
    if moment is None:
        return None
    if utc:
        return (moment - datetime(1970, 1, 1)).total_seconds() < now
    return moment < local if local else None
