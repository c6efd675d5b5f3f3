"""Names as they should be: what can't be seen in them, and what does not belong there."""

import ipaddress
import re
import socket
import unicodedata
from dataclasses import dataclass

_BLANKS = " \t\r\n"
# Never part of a host name or an address (RFC 3986 §3.2.2, RFC 1123 §2.1), often left over from pasting.
_FOREIGN = re.compile(r"""[/?#@\\"'<>|`^{}()\[\],;=&$!*]""")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A name without what can't be seen. ``found`` lists the code points; ``harmless``: only blanks around it."""

    text: str
    found: str = ""
    harmless: bool = True


def clean(text: str) -> Cleaned:
    """Take invisible characters out of *text*. A blank inside stays: nobody can say what was meant."""
    stripped = text.strip(_BLANKS)
    kept = "".join(each for each in stripped if not _invisible(each))
    found = [f"{_point(each)} at {at}" for at, each in enumerate(text, start=1) if each in _BLANKS or _invisible(each)]
    return Cleaned(kept, ", ".join(found[:8]), kept == stripped and not any(each in _BLANKS for each in kept))


def _invisible(character: str) -> bool:
    # Cc, Cf: control and format; Z*: blanks of every width; Cs, Co, Cn: nothing a name can hold.
    return character != " " and unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Zs", "Cs", "Co", "Cn"}


def _point(character: str) -> str:
    name = unicodedata.name(character, _CONTROLS.get(character, ""))
    return f"U+{ord(character):04X}" + (f" {name}" if name else "")


_CONTROLS = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\x00": "NUL", "\x1b": "ESCAPE"}


def host_fault(host: str) -> str | None:
    """Why *host* can be neither a name nor an address, in words, or None. IPv6 comes without brackets."""
    if ":" in host:
        return None if _is_ipv6(host) else "it has a colon but is not an IPv6 address"
    if any(each.isspace() for each in host):
        return "it has a blank in it"
    if match := _FOREIGN.search(host):
        return f"it has a {match[0]} in it"
    if "%" in host:
        return "it has a % in it"
    if host.removesuffix(".").rpartition(".")[2].isdecimal() and not _is_ipv4(host):
        return "it looks like an IPv4 address and is none"  # no top-level domain is a number (RFC 3696 §2)
    return _label_fault(host.removesuffix("."))


def _label_fault(host: str) -> str | None:
    try:
        length = len(host.encode("idna"))
    except UnicodeError:
        return "a part of it between two dots is empty, longer than 63 characters or not allowed"
    return "it is longer than 253 characters" if length > 253 else None


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _is_ipv4(host: str) -> bool:
    """True for what getaddrinfo takes for an IPv4 address: 127.1 and 0x7f.1 as well (inet_aton(3))."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """True where *host* means the machine itself (RFC 6761 §6.3; 0.0.0.0 and :: connect there too)."""
    name = host.lower().removesuffix(".")
    if name in {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"} or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def is_address(host: str) -> bool:
    """True where *host* is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def split_port(text: str) -> tuple[str, str | None]:
    """Split ``host:port``, ``[v6]:port`` or either without a port. Raises ValueError where brackets don't match.

    A bare IPv6 address is taken whole.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or not _is_ipv6(host):
            raise ValueError("the brackets do not hold an IPv6 address")
        return host, rest[1:] or None
    if _is_ipv6(text):
        return text, None
    host, _, port = text.partition(":")
    return host, port or None


def port_number(text: str) -> int | None:
    """The port that *text* names, or None where it is none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
    return number if 1 <= number <= 65535 else None
