"""Which way this machine would send a packet: source address, interface, and whether only the default route fits.

No packet is sent: connecting a UDP socket only makes the kernel choose (``udp(7)``, ``ip(7)``). Needs psutil.
"""

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from tunneldoctor.net.scope import parse, same_site

#: The tables of the network namespace that this thread is in (proc(5)); other systems have no such file.
_ROUTES_V4 = Path("/proc/thread-self/net/route")
_ROUTES_V6 = Path("/proc/thread-self/net/ipv6_route")
#: linux/route.h: the route is usable; it rejects.
_RTF_UP = 0x1
_RTF_REJECT = 0x200
#: Names of interfaces that VPN programs make (OpenVPN, WireGuard, Tailscale, IPsec, PPP, Cisco, macOS).
_TUNNELS = ("tun", "tap", "wg", "tailscale", "ts", "ipsec", "ppp", "utun", "cscotun", "gpd", "zt", "nebula", "vpn")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Way:
    """How this machine would reach an address.

    ``source`` is the address it would speak from, ``interface`` the name of the interface that has it (None: not
    found). ``only_default`` is True where nothing but the default route leads there: no interface's own network, no
    route of its own, no VPN's interface.
    """

    source: str
    interface: str | None
    only_default: bool


def way_to(address: str) -> Way | None:
    """The way to *address*, or None where this machine has no route to it at all."""
    source = _source(address)
    if source is None:
        return None
    interface = _interface(source)
    led = _is_tunnel(interface) or _on_link(address) or _has_route(address)
    return Way(source, interface, not led)


def is_led_to(address: str) -> bool:
    """True where this machine has more than its default route to *address*, or stands in the same site's network."""
    way = way_to(address)
    return way is not None and (not way.only_default or same_site(way.source, address))


def _source(address: str) -> str | None:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            address, 9, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    except OSError:
        return None


def _interface(source: str) -> str | None:
    wanted = parse(source)
    for name, addresses in psutil.net_if_addrs().items():
        if any(parse(each.address) == wanted for each in addresses if each.family in _FAMILIES):
            return name
    return None


_FAMILIES = {socket.AF_INET, socket.AF_INET6}


def _is_tunnel(interface: str | None) -> bool:
    """True for a VPN's interface, by its flags (point to point) or its name."""
    if interface is None:
        return False
    stats = psutil.net_if_stats().get(interface)
    flags = str(getattr(stats, "flags", "")).split(",")
    return "pointopoint" in flags or interface.lower().startswith(_TUNNELS)


def _on_link(address: str) -> bool:
    target = parse(address)
    return target is not None and any(target in network for network in _own_networks())


def _own_networks() -> Iterator[Network]:
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            own = parse(each.address) if each.family in _FAMILIES else None
            if own is not None and each.netmask:
                yield ipaddress.ip_network((own, _bits(each.netmask)), strict=False)


def _bits(netmask: str) -> int:
    return bin(int(ipaddress.ip_address(netmask))).count("1")


def _has_route(address: str) -> bool:
    """True where the routing table has a route to *address* that is not the default one."""
    target = parse(address)
    if target is None:
        return False
    routes = _routes_v4() if target.version == 4 else _routes_v6()
    return any(network.prefixlen > 1 and target in network for network in routes)


def _routes_v4() -> Iterator[Network]:
    """Columns: Iface Destination Gateway Flags … Mask; numbers are hexadecimal in the machine's byte order."""
    for fields in _table(_ROUTES_V4)[1:]:
        if len(fields) > 7 and _usable(fields[3]):
            destination = ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(fields[1])[::-1], "big"))
            yield ipaddress.ip_network((destination, int(fields[7], 16).bit_count()), strict=False)


def _routes_v6() -> Iterator[Network]:
    """Columns: destination, prefix length, …, flags (9th), interface."""
    for fields in _table(_ROUTES_V6):
        if len(fields) > 9 and _usable(fields[8]):
            yield ipaddress.ip_network((bytes.fromhex(fields[0]), int(fields[1], 16)), strict=False)


def _usable(flags: str) -> bool:
    number = int(flags, 16)
    return bool(number & _RTF_UP) and not number & _RTF_REJECT


def _table(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text("ascii").splitlines()[:4096]]
    except (OSError, UnicodeDecodeError):
        return []
