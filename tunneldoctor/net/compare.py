"""Do name servers, the hosts file and the system agree about a name?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tunneldoctor.net.replies import Answer, Reply, Server
from tunneldoctor.net.scope import parse


@dataclass(frozen=True, slots=True)
class Opinion:
    """The addresses that one server gives, of both families."""

    server: Server
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.server}: {', '.join(self.addresses)}"


def opinions(replies: Sequence[Reply], names: Sequence[str]) -> tuple[Opinion, ...]:
    """What each server that knows the name says; of the candidates *names*, the first that the server knows."""
    servers = dict.fromkeys(reply.server for reply in replies)
    found = ((server, _first_known(server, replies, names)) for server in servers)
    return tuple(Opinion(server, addresses) for server, addresses in found if addresses)


def merged(first: Sequence[Opinion], second: Sequence[Opinion]) -> tuple[Opinion, ...]:
    """Both rounds together; only servers that answered in both."""
    again = {opinion.server: opinion.addresses for opinion in second}
    return tuple(
        Opinion(opinion.server, tuple(dict.fromkeys(opinion.addresses + again[opinion.server])))
        for opinion in first
        if opinion.server in again
    )


def differing(addresses: Iterable[str], given: Sequence[Opinion]) -> tuple[Opinion, ...]:
    """Those opinions that have nothing in common with *addresses*, in any family that both sides know."""
    known = tuple(addresses)
    return tuple(opinion for opinion in given if _nothing_in_common(known, opinion.addresses))


def _first_known(server: Server, replies: Sequence[Reply], names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        mine = [reply for reply in replies if (reply.server, reply.name) == (server, name)]
        addresses = [each for reply in mine if reply.answer is Answer.ADDRESSES for each in reply.addresses]
        if addresses:
            return tuple(dict.fromkeys(addresses))
    return ()


def _nothing_in_common(one: Iterable[str], other: Iterable[str]) -> bool:
    first, second = _by_family(one), _by_family(other)
    both = [version for version in (4, 6) if first[version] and second[version]]
    return bool(both) and not any(first[version] & second[version] for version in both)


def _by_family(addresses: Iterable[str]) -> dict[int, set[object]]:
    families: dict[int, set[object]] = {4: set(), 6: set()}
    for address in addresses:
        if parsed := parse(address):
            families[parsed.version].add(parsed)
    return families
