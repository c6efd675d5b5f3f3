"""Ask the configured name servers one by one, to learn which of them says what.

getaddrinfo hides that: SERVFAIL, REFUSED and silence are all EAI_AGAIN there. Loads dnspython (about 120 ms).
"""

import errno
import io
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from tunneldoctor.net.compare import Opinion, opinions
from tunneldoctor.net.replies import Answer, Reply, Server
from tunneldoctor.net.scope import is_literal

#: glibc uses at most three name servers and six search domains (resolv.conf(5): MAXNS; older MAXDNSRCH).
MOST_SERVERS = 3
#: Seconds before an unanswered question is sent again.
RESEND = 1.0
MOST_CANDIDATES = 3
#: CNAMEs that are shown of one chain.
_MOST_ALIASES = 16
FAMILIES = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The system's: name servers in order, search domains, and how many dots make a name complete."""

    servers: tuple[Server, ...]
    search: tuple[str, ...] = ()
    ndots: int = 1
    source: str = "/etc/resolv.conf"

    def candidates(self, host: str) -> tuple[str, ...]:
        """The full names that the system tries for *host*, in its order (resolv.conf(5): ndots, search)."""
        bare = _ascii(host).removesuffix(".")
        if host.endswith(".") or not self.search:
            return (f"{bare}.",)
        searched = [f"{bare}.{domain.removesuffix('.')}." for domain in self.search if domain.strip(".")]
        as_it_is = f"{bare}."
        ordered = [as_it_is, *searched] if bare.count(".") >= self.ndots else [*searched, as_it_is]
        return tuple(dict.fromkeys(ordered))


def configured(path: Path = Path("/etc/resolv.conf")) -> Configuration:
    """The system's name servers; the local machine where none is given, as resolv.conf(5) says."""
    resolver = dns.resolver.Resolver(configure=False)
    try:
        if sys.platform == "win32":
            resolver = dns.resolver.Resolver()
        else:
            resolver.read_resolv_conf(io.StringIO(_text(path)))
    except (dns.resolver.NoResolverConfiguration, dns.exception.DNSException, ValueError):
        return Configuration((Server("127.0.0.1"),), _search(resolver), source=f"{path}, which names none that works")
    servers = tuple(Server(each) for each in resolver.nameservers if isinstance(each, str))[:MOST_SERVERS]
    ndots = 1 if resolver.ndots is None else resolver.ndots
    return Configuration(servers, _search(resolver), ndots, str(path))


def _text(path: Path) -> str:
    """The file without name servers that are no IP address, which glibc passes over too; empty where unreadable."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()[:1000]
    except OSError:
        return ""
    return "\n".join(line for line in lines if not line.startswith("nameserver") or _is_server(line))


def _is_server(line: str) -> bool:
    words = line.split()
    return len(words) > 1 and is_literal(words[1])


def _search(resolver: dns.resolver.Resolver) -> tuple[str, ...]:
    domains = list(resolver.search) or ([resolver.domain] if resolver.domain else [])
    return tuple(text for each in domains if (text := each.to_text(omit_final_dot=True)) and text != ".")


def ask_all(
    servers: Sequence[Server],
    names: Sequence[str],
    seconds: float,
    cancelled: threading.Event | None = None,
) -> tuple[Reply, ...]:
    """Ask every server for both families of every name, all at once; whoever is late counts as silent.

    In the order of servers, names, families. Comes back within *seconds*.
    """
    questions = [
        _Question(server, name, family, seconds)
        for server in servers[:MOST_SERVERS]
        for name in names[:MOST_CANDIDATES]
        for family in FAMILIES
    ]
    end = time.monotonic() + seconds
    for question in questions:
        question.wait(end, cancelled)
    return tuple(question.reply for question in questions)


def opinions_of_all(
    host: str, seconds: float, cancelled: threading.Event | None = None, configuration: Configuration | None = None
) -> tuple[Opinion, ...]:
    """What each of the system's name servers that answers within *seconds* knows about *host*."""
    if seconds <= 0:
        return ()
    system = configuration or configured()
    names = system.candidates(host)
    return opinions(ask_all(system.servers, names, seconds, cancelled), names)


class _Truncated(Exception):
    """The answer was too long for UDP, and could not be had over TCP."""


class BadResponse(ValueError):
    """A message that can be read, but is no answer to what was asked."""


class _Question:
    """One question on a thread of its own."""

    def __init__(self, server: Server, name: str, family: str, seconds: float) -> None:
        self.reply = Reply(server, name, family, Answer.TIMEOUT, seconds=seconds)
        self._thread = threading.Thread(target=self._ask, args=(seconds,), name=f"ask {server}", daemon=True)
        self._thread.start()

    def wait(self, end: float, cancelled: threading.Event | None) -> None:
        while self._thread.is_alive() and (left := end - time.monotonic()) > 0:
            if cancelled and cancelled.is_set():
                return
            self._thread.join(min(left, 0.1))

    def _ask(self, seconds: float) -> None:
        self.reply = ask(self.reply.server, self.reply.name, self.reply.family, seconds)


def ask(server: Server, name: str, family: str, seconds: float) -> Reply:
    """Ask *server* for *name*'s records of *family* (``A`` or ``AAAA``). Never raises for what the network does."""
    started = time.monotonic()
    try:
        message = _exchange(server, name, family, seconds)
    except dns.exception.Timeout:
        return Reply(server, name, family, Answer.TIMEOUT, seconds=time.monotonic() - started)
    except _Truncated as error:
        return Reply(server, name, family, Answer.TRUNCATED, (), (), str(error), time.monotonic() - started)
    except OSError as error:
        return Reply(server, name, family, _unreachable(error), (), (), str(error), time.monotonic() - started)
    except (dns.exception.DNSException, ValueError) as error:
        detail = f"{type(error).__name__}: {error}"
        return Reply(server, name, family, Answer.OTHER, (), (), detail, time.monotonic() - started)
    return _read(message, server, name, family, time.monotonic() - started)


def _exchange(server: Server, name: str, family: str, seconds: float) -> dns.message.Message:
    """Over a connected UDP socket, so that ICMP "port unreachable" is seen (udp(7)); over TCP where truncated."""
    query = dns.message.make_query(_encoded(name), family)
    expiration = time.time() + seconds
    where = socket.getaddrinfo(server.address, server.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
    with socket.socket(where[0], where[1]) as sock:
        sock.setblocking(False)
        sock.connect(where[4])
        message = _answered(sock, query, expiration)
    return _over_tcp(query, server, expiration) if message.flags & dns.flags.TC else message


def _over_tcp(query: dns.message.Message, server: Server, expiration: float) -> dns.message.Message:
    try:
        return dns.query.tcp(query, server.address, max(0.05, expiration - time.time()), server.port)
    except (OSError, EOFError, dns.exception.DNSException) as error:
        raise _Truncated(f"TCP port {server.port}: {error or type(error).__name__}") from error


def _answered(sock: socket.socket, query: dns.message.Message, expiration: float) -> dns.message.Message:
    """Sent again every second: datagrams get lost, and routers limit their ICMP answers (icmp_ratelimit, icmp(7))."""
    while True:
        dns.query.send_udp(sock, query, None, expiration)
        until = min(expiration, time.time() + RESEND)
        try:
            return _received(sock, query, until)
        except dns.exception.Timeout:
            if until >= expiration:
                raise


def _received(sock: socket.socket, query: dns.message.Message, until: float) -> dns.message.Message:
    """The answer to *query*. What is none is waited past, as glibc does, and raised where nothing better comes."""
    useless: Exception | None = None
    while True:
        try:
            message: dns.message.Message = dns.query.receive_udp(sock, None, until)[0]
        except dns.exception.Timeout as silence:
            raise useless or silence from None
        except dns.exception.DNSException as error:
            useless = error
            continue
        if query.is_response(message):
            return message
        useless = BadResponse("it answers another question")


def _encoded(name: str) -> dns.name.Name:
    return dns.name.from_text(_ascii(name))


def _ascii(name: str) -> str:
    """*name* as it is asked for (RFC 3490), which also shows a letter that only looks like another."""
    return name if name.isascii() else name.encode("idna").decode("ascii")


def _unreachable(error: OSError) -> Answer:
    gone = {errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EACCES, errno.EPERM}
    return Answer.UNREACHABLE if error.errno in gone else Answer.OTHER


_RCODES = {
    dns.rcode.NXDOMAIN: Answer.NXDOMAIN,
    dns.rcode.SERVFAIL: Answer.SERVFAIL,
    dns.rcode.REFUSED: Answer.REFUSED,
}


def _read(message: dns.message.Message, server: Server, name: str, family: str, seconds: float) -> Reply:
    addresses, chain = _records(message, family)
    if addresses:
        return Reply(server, name, family, Answer.ADDRESSES, addresses, chain, "", seconds)
    code = message.rcode()
    if code == dns.rcode.NOERROR:
        return Reply(server, name, family, Answer.NO_DATA, (), chain, "", seconds)
    answer = _RCODES.get(code, Answer.OTHER)
    detail = "" if answer is not Answer.OTHER else dns.rcode.to_text(code)
    return Reply(server, name, family, answer, (), chain, detail, seconds)


def _records(message: dns.message.Message, family: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses, and the targets of the aliases, as they stand in the answer section."""
    addresses: list[str] = []
    chain: list[str] = []
    for rrset in message.answer:
        if rrset.rdtype == dns.rdatatype.CNAME:
            chain.extend(record.target.to_text(omit_final_dot=True) for record in rrset)
        elif rrset.rdtype == dns.rdatatype.from_text(family):
            addresses.extend(record.address for record in rrset)
    return tuple(addresses[: MOST_SERVERS * 8]), tuple(chain[:_MOST_ALIASES])
