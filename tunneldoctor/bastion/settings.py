"""sshd's own settings for one login, as ``sshd -T -C`` prints them (sshd_config(5)), and the patterns in them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tunneldoctor.bastion.reading import Look
from tunneldoctor.model import Address
from tunneldoctor.ssh import host_patterns

#: What the script prints in front of the settings: the program, its options, two versions.
_SETTING = re.compile(r"([a-z]+[a-z0-9]*) (.+)")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, by their names in lower case; one that sshd prints several times has several values."""

    version: str
    values: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, look: Look, port: int) -> Settings | None:
        """Those of the sshd on *port*, or of the only one; None where the admin may not see them, or there is none."""
        section = look.section("sshd")
        if section is None or not {f"port {port}", "1 listening"} & set(section.lines):
            return None
        if not any(line.startswith("port ") for line in section.lines):
            return None
        values: dict[str, tuple[str, ...]] = {}
        for match in filter(None, map(_SETTING.fullmatch, section.lines)):
            values[match[1]] = (*values.get(match[1], ()), match[2])
        version = " ".join(line for line in section.lines if line.startswith("OpenSSH_"))
        return cls(version, values)

    def one(self, *names: str) -> str:
        """The value of the first of *names* that is there; empty for ``none`` and where sshd knows none of them."""
        value = next((self.values[name][0] for name in names if name in self.values), "")
        return "" if value == "none" else value

    def all(self, name: str) -> tuple[str, ...]:
        """Every word of a setting that is a list."""
        return tuple(word for value in self.values.get(name, ()) for word in value.split() if word != "none")

    def is_on(self, name: str) -> bool:
        """True for ``yes``."""
        return self.one(name) == "yes"

    @property
    def lets_a_private_group_write(self) -> bool:
        """Debian's sshd puts up with files that the user's own group may write to (its user-group-modes.patch)."""
        return any(word in self.version for word in ("Debian", "Ubuntu", "Raspbian"))


def fits(text: str, pattern: str) -> bool:
    """match_pattern in match.c."""
    return host_patterns.fits(text.encode("utf-8", "replace"), pattern.encode("utf-8", "replace"))


def user_fits(user: str, address: str, pattern: str) -> bool | None:
    """match_user in match.c: ``USER`` or ``USER@HOST``; None where our address is needed and not known."""
    name, at, host = pattern.partition("@")
    if not fits(user, name):
        return False
    if not at:
        return True
    return source_fits(address, "", host) if address else None


def source_fits(address: str, name: str, patterns: str) -> bool:
    """match_host_and_ip in match.c: whether a list of addresses, networks and names lets *address* in.

    *name* is the host name that sshd knows for it, empty without UseDNS. A pattern with ``!`` that fits outweighs
    all others.
    """
    allowed = False
    for pattern in patterns.split(","):
        negated, bare = pattern.startswith("!"), pattern.removeprefix("!").strip().lower()
        if _one_source_fits(address.lower(), bare) or (name and fits(name.lower(), bare)):
            if negated:
                return False
            allowed = True
    return allowed


def _one_source_fits(address: str, pattern: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(pattern)
    except ValueError:
        return fits(address, pattern)


def opens_to(target: Address, permitted: Iterable[str]) -> bool:
    """open_match in channels.c: the host letter by letter or ``*``, the port by number or ``*``."""
    return any(_opens(target, each) for each in permitted)


def _opens(target: Address, permitted: str) -> bool:
    host, _, port = permitted.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    return host in ("*", target.host) and port in ("*", str(target.port))
