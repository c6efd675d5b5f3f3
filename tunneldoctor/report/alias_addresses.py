"""Which address stands for which: private stays private, public becomes documentation, what is together stays so.

Of an IPv4 address the last octet stays, and those that make it private; the octets between are numbered anew, each
within the one before, so that a /8, /16 or /24 holds the same addresses as before. Public /24s become those of
RFC 5737, and where there are more, of RFC 2544. Of an IPv6 address each /48 and each /64 in it is numbered anew, in
RFC 3849's prefix or, for a unique local one, in fd00::/32, and so is what stands for the interface.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_network

_PUBLIC = (
    *("192.0.2", "198.51.100", "203.0.113"),
    *(f"198.{second}.{third}" for second in (18, 19) for third in range(256)),
)
#: Networks whose addresses say nothing about anybody: this host, loopback, multicast, the clouds' metadata service.
_LEFT = tuple(map(ip_network, (
    "0.0.0.0/32", "127.0.0.0/8", "224.0.0.0/3", "169.254.169.254/32", "::/127", "ff00::/8", "fd00:ec2::254/128",
    "fc00::/128", "fd00::/128", "fe80::/128", "64:ff9b::/128", "2001:db8::/128",
)))  # fmt: skip
#: Zero last: it reads as if it were nothing.
_OCTETS = (*map(str, range(1, 256)), "0")
#: Private networks: how many octets stay, and from what the one behind them is chosen (RFC 1918, 3927, 6598).
_PRIVATE = (
    (ip_network("10.0.0.0/8"), 1, _OCTETS),
    (ip_network("172.16.0.0/12"), 1, tuple(map(str, range(16, 32)))),
    (ip_network("100.64.0.0/10"), 1, tuple(map(str, range(64, 128)))),
    (ip_network("192.168.0.0/16"), 2, _OCTETS),
    (ip_network("169.254.0.0/16"), 2, _OCTETS),
)
_NAT64 = 0x64FF9B << 96
_MAPPED = 0xFFFF << 32


class AliasesFull(Exception):
    """The map holds as many names as it may."""


class Numbers:
    """What was numbered so far, in *table*, which is kept with the aliases: ``10.2|3`` is the octet 3 behind 10.2."""

    def __init__(self, table: MutableMapping[str, str]) -> None:
        self._table = table
        self._used: dict[str, set[str]] = {}
        self._there: dict[str, set[str]] = {}
        self._untried: dict[str, Iterator[str]] = {}
        for key, value in table.items():
            self._used.setdefault(key.rpartition("|")[0], set()).add(value)

    def number(self, within: str, old: str, choices: tuple[str, ...]) -> str:
        """What stands for *old* within *within*: the first of *choices* that is free and was not met itself.

        They are the same at each call. Raises :class:`AliasesFull` where none is free.
        """
        key = f"{within}|{old}"
        if key not in self._table:
            used, there = self._used.setdefault(within, set()), self._there.get(within, ())
            untried = self._untried.setdefault(within, iter(choices))  # not from the start each time: there are many
            new = next((each for each in untried if each not in used and each not in there and each != old), None)
            new = new or next((each for each in choices if each not in used), None)
            if new is None:
                raise AliasesFull
            self._table[key] = new
            used.add(new)
        return self._table[key]

    def met(self, within: str, old: str) -> None:
        """*old* occurs in what is being redacted: nothing else should look like it."""
        self._there.setdefault(within, set()).add(old)


def alias_address(address: IPv4Address | IPv6Address, prefix: int | None, numbers: Numbers) -> str | None:
    """What stands for *address*, or for the network where it is one of *prefix* bits; None where it may stay."""
    if any(address in network for network in _LEFT if network.version == address.version):
        return None
    if isinstance(address, IPv4Address):
        return ".".join(_octets(address, prefix, numbers))
    inner = _embedded(address)
    if inner is None:
        return _v6(address, numbers)
    start, v4 = inner
    alias = alias_address(v4, None, numbers)
    return None if alias is None else f"{start}{alias}"


def meet(address: IPv4Address | IPv6Address, numbers: Numbers) -> None:
    """Have nothing else look like *address*."""
    if isinstance(address, IPv6Address):
        if (inner := _embedded(address)) is not None:
            meet(inner[1], numbers)
            return
        groups = address.exploded.split(":")
        numbers.met("v6", groups[2])
        numbers.met("interface " + ":".join(groups[:4]), ":".join(groups[4:]))
        return
    octets = str(address).split(".")
    private = next((each for each in _PRIVATE if address in each[0]), None)
    if private:
        numbers.met(f"level {private[1]} {octets[0]}", octets[private[1]])
    else:
        numbers.met("public", ".".join(octets[:3]))


def spellings(alias: str) -> Iterator[str]:
    """*alias*, then the same address written otherwise: with zeros in front, in capitals."""
    yield alias
    if "." in alias:
        head, colon, v4 = alias.rpartition(":")
        parts = v4.split(".")
        for mask in range(1, 16):
            padded = ".".join(each.zfill(3) if mask >> bit & 1 else each for bit, each in enumerate(parts))
            yield from {f"{each}{colon}{padded}": None for each in (head, head.upper())}
        return
    groups = IPv6Address(alias).exploded.split(":")
    for mask in range(256):
        text = ":".join(each if mask >> bit & 1 else each.lstrip("0") or "0" for bit, each in enumerate(groups))
        yield text
        yield text.upper()


def _octets(address: IPv4Address, prefix: int | None, numbers: Numbers) -> Iterator[str]:
    """The four octets; those behind the *prefix* of a network stay zero."""
    octets = str(address).split(".")
    whole = prefix is None or int(address) & ((1 << 32 - prefix) - 1) != 0
    kept = 4 if whole or prefix is None else -(-prefix // 8)
    private = next((each for each in _PRIVATE if address in each[0]), None)
    if private is None:
        yield from (*numbers.number("public", ".".join(octets[:3]), _PUBLIC).split("."), octets[3])
        return
    _, stay, choices = private
    for index, octet in enumerate(octets):
        if index < stay or index == 3 or index >= kept:
            yield octet
        else:
            first = index == stay
            within = f"level {stay} {octets[0]}" if first else ".".join(octets[:index])
            yield numbers.number(within, octet, choices if first else _OCTETS)


def _embedded(address: IPv6Address) -> tuple[str, IPv4Address] | None:
    """The IPv4 address within an IPv4-mapped one (RFC 4291) or one of NAT64's well-known prefix (RFC 6052)."""
    for base, start in ((_MAPPED, "::ffff:"), (_NAT64, "64:ff9b::")):
        if int(address) >> 32 == base >> 32:
            return start, IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _v6(address: IPv6Address, numbers: Numbers) -> str:
    groups = address.exploded.split(":")
    interface = ":".join(groups[4:])
    if int(address) & (2**64 - 1):
        interface = numbers.number("interface " + ":".join(groups[:4]), interface, _hexadecimal("0000:0000:0000:"))
    if address.is_link_local:
        start = ":".join(groups[:4])
    else:
        site = numbers.number("v6", ":".join(groups[:3]), _hexadecimal())
        subnet = "0000"
        if groups[3] != subnet:
            subnet = numbers.number("v6 " + ":".join(groups[:3]), groups[3], _hexadecimal())
        own = groups[0][:2] in ("fc", "fd")
        start = f"{'fd00:0000' if own else '2001:0db8'}:{site}:{subnet}"
    return str(IPv6Address(f"{start}:{interface}"))


@cache
def _hexadecimal(before: str = "") -> tuple[str, ...]:
    """Every group of four digits but zeros, behind *before*."""
    return tuple(f"{before}{number:04x}" for number in range(1, 0x10000))
