"""Names to addresses as every program on this machine does it: getaddrinfo, and the hosts file in front of it.

Light: no DNS library. getaddrinfo can't be cancelled, so it runs on a thread of its own that may be left behind.
"""

import os
import re
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tunneldoctor.net.scope import is_literal, parse

#: At most so many addresses of one name are looked at.
MOST_ADDRESSES = 16
#: hosts(5); on Windows below the system's folder.
HOSTS: Final = (
    Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "drivers", "etc", "hosts")
    if sys.platform == "win32"
    else Path("/etc/hosts")
)
#: nsswitch.conf(5): which sources the C library asks for a name, in which order.
SWITCH: Final = Path("/etc/nsswitch.conf")
#: What stock hosts files call this machine itself (Debian, Red Hat).
_LOCAL = {"localhost", "localhost.localdomain", "localhost6", "ip6-localhost", "ip6-loopback"}
#: Bytes of a hosts file that are read; block lists are large.
_HOSTS_LIMIT = 4_000_000
#: Seconds after which a wait looks whether the run was cancelled.
_SLICE = 0.1
_FORBIDDEN = re.compile(r"[\s/:@\[\]?#\\]")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of a name, in the resolver's order (RFC 6724), none twice.

    ``canonical_name`` is what the name is an alias of in the end, or the name itself; empty where nobody said.
    """

    addresses: tuple[str, ...]
    seconds: float = 0.0
    canonical_name: str = ""


@dataclass(frozen=True, slots=True)
class LookupFailure:
    """getaddrinfo failed. ``number`` is its EAI_* value, None where it did not come back in time."""

    number: int | None
    text: str
    seconds: float = 0.0

    def __str__(self) -> str:
        shown = f"getaddrinfo: {self.text}" + (f" ({self.number})" if self.number is not None else "")
        return f"{shown} after {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class HostsEntry:
    """One line of the hosts file that names the host."""

    line: int
    address: str


#: What ssh_config(5) calls the families, as getaddrinfo takes them.
_FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}


class SystemLookup:
    """getaddrinfo of *host*, begun at once. One may wait for it in several steps. *family*: any, inet or inet6."""

    def __init__(self, host: str, family: str = "any") -> None:
        self._host = host
        self._family = _FAMILIES[family]
        self._started = time.monotonic()
        self._result: Resolved | LookupFailure | None = None
        self._done = threading.Event()
        threading.Thread(target=self._look_up, name=f"getaddrinfo {host}", daemon=True).start()

    def wait(self, seconds: float, cancelled: threading.Event | None = None) -> Resolved | LookupFailure | None:
        """The result, or None where it is not there after *seconds*, or when the run is *cancelled*."""
        end = time.monotonic() + seconds
        while not self._done.wait(max(0.0, min(_SLICE, end - time.monotonic()))):
            if time.monotonic() >= end or (cancelled and cancelled.is_set()):
                break
        return self._result

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._started

    def _look_up(self) -> None:
        try:
            found = socket.getaddrinfo(self._host, None, self._family, socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
            addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
            meant = next((entry[3] for entry in found if entry[3]), "")
            self._result = Resolved(tuple(addresses)[:MOST_ADDRESSES], self.elapsed, meant)
        except socket.gaierror as error:
            self._result = LookupFailure(error.errno, error.strerror or "", self.elapsed)
        except (OSError, ValueError) as error:
            self._result = LookupFailure(None, str(error), self.elapsed)
        finally:
            self._done.set()


def flaw(host: str) -> str | None:
    """Why no name server can know *host*, in words, or None for a name that may exist (RFC 1035 §2.3.4)."""
    if found := _FORBIDDEN.search(host):
        return f"it contains {found.group()!r}, which no host name has"
    labels = host.removesuffix(".").split(".")
    if not all(labels):
        return "one of its labels is empty (two dots side by side, or one in front)"
    try:
        wire = host.removesuffix(".").encode("idna")
    except UnicodeError:
        return "one of its labels is longer than 63 characters, or can't be written in ASCII (IDNA)"
    return "it is longer than 253 characters" if len(wire) > 253 else None


def is_localhost(host: str) -> bool:
    """True for ``localhost`` and the names below it, which always mean this machine (RFC 6761 §6.3)."""
    name = host.removesuffix(".").lower()
    return name in _LOCAL or name.endswith(".localhost")


def is_this_machine(host: str) -> bool:
    """True for localhost and for this machine's own name, which stock hosts files put on loopback."""
    name = host.removesuffix(".").lower()
    return is_localhost(name) or name in {socket.gethostname().lower(), socket.gethostname().partition(".")[0].lower()}


def needs_no_dns(host: str, hosts: Path = HOSTS) -> bool:
    """True for an IP address, for localhost, and for a name of the hosts file."""
    return is_literal(host) or is_localhost(host) or bool(hosts_entries(host, hosts))


def hosts_entries(host: str, path: Path = HOSTS) -> tuple[HostsEntry, ...]:
    """The lines of the hosts file that give *host* an address."""
    wanted = host.removesuffix(".").lower()
    entries = (_entry(number, line, wanted) for number, line in enumerate(_lines(path), 1))
    return tuple(entry for entry in entries if entry)


def _entry(number: int, line: str, wanted: str) -> HostsEntry | None:
    if wanted not in line.lower():
        return None
    words = line.partition("#")[0].split()
    if len(words) < 2 or wanted not in (word.lower() for word in words[1:]):
        return None
    return HostsEntry(number, words[0]) if parse(words[0]) else None


def hosts_sources(path: Path = SWITCH) -> tuple[str, ...]:
    """The lines of nsswitch.conf that say where names of hosts are looked up."""
    return tuple(line.strip() for line in _lines(path) if line.startswith("hosts:"))


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_HOSTS_LIMIT).splitlines()
    except OSError:
        return []
