"""What kind of address an address is: this machine, a private network, or the world."""

import ipaddress
import re
import socket

# What may be an address in an old form; inet_aton alone would take "1.2.3.4 and more".
_SHORT = re.compile(r"[0-9][0-9a-fA-FxX]*(?:\.[0-9][0-9a-fA-FxX]*){0,3}")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: RFC 1918, RFC 6598 (carrier-grade NAT, also Tailscale's), RFC 4193. Documentation networks do not belong here.
PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
#: Bits of an address that one site's networks have in common: a usual cloud network, and a ULA site (RFC 4193 §3.1).
_SITE_BITS = {4: 16, 6: 48}


def parse(address: str) -> IPAddress | None:
    """*address* as an IP address (an IPv6 scope is left out, an IPv4-mapped one unwrapped), or None for a name."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def literal(host: str) -> str | None:
    """*host* where it is an IP address and needs no lookup, else None.

    127.1, 0x7f.1 and 017700000001 are addresses as well, for getaddrinfo as for ssh (inet_aton(3)): 127.0.0.1.
    """
    if parse(host) is not None:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host)) if _SHORT.fullmatch(host) else None
    except OSError:
        return None


def is_literal(host: str) -> bool:
    """True where *host* is an IP address and needs no lookup."""
    return literal(host) is not None


def is_private(address: str) -> bool:
    """True for an address that is not routed in the Internet but may be inside a company."""
    parsed = parse(address)
    return parsed is not None and any(parsed.version == each.version and parsed in each for each in PRIVATE)


def is_unspecified(address: str) -> bool:
    """True for 0.0.0.0 and ::, and the rest of 0.0.0.0/8, which is no place to go to (RFC 1122 §3.2.1.3)."""
    parsed = parse(address)
    return parsed is not None and (parsed.is_unspecified or (parsed.version == 4 and parsed.packed[0] == 0))


def is_loopback(address: str) -> bool:
    """True for 127.0.0.0/8 and ::1."""
    parsed = parse(address)
    return parsed is not None and parsed.is_loopback


def same_site(one: str, other: str) -> bool:
    """True where two addresses look like neighbours of one site: first 16 bits (IPv4) or 48 (IPv6) alike."""
    first, second = parse(one), parse(other)
    if first is None or second is None or first.version != second.version:
        return False
    network = ipaddress.ip_network((first, _SITE_BITS[first.version]), strict=False)
    return second in network
