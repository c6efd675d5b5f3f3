"""What name servers say about a name, and what that comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What one name server's reply comes to."""

    ADDRESSES = "addresses"
    NXDOMAIN = "NXDOMAIN"
    NO_DATA = "no such record"
    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"
    TIMEOUT = "no reply"
    UNREACHABLE = "unreachable"
    TRUNCATED = "too long for UDP, and TCP fails"
    OTHER = "no usable answer"


@dataclass(frozen=True, slots=True)
class Server:
    """A name server: IP address and port."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        return self.address if self.port == 53 else f"{self.address} port {self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of one server to one question. ``chain`` holds the targets of the CNAMEs, in order; time in seconds."""

    server: Server
    name: str
    family: str
    answer: Answer
    addresses: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    detail: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        said = ", ".join(self.addresses) if self.addresses else str(self.answer)
        alias = "".join(f" -> {target}" for target in self.chain)
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.server}: {self.name} {self.family}{alias}: {said}{detail} after {self.seconds * 1000:.0f} ms"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all replies together come to, and the reply that decides it (None: nobody was asked)."""

    answer: Answer
    by: Reply | None = None

    @property
    def chain(self) -> tuple[str, ...]:
        """The targets of the aliases in the deciding reply."""
        return self.by.chain if self.by else ()


#: What one name comes to when its two families differ: the first of these that occurs.
_OF_ONE_NAME = (
    Answer.ADDRESSES,
    Answer.NXDOMAIN,
    Answer.SERVFAIL,
    Answer.REFUSED,
    Answer.TRUNCATED,
    Answer.OTHER,
    Answer.TIMEOUT,
    Answer.UNREACHABLE,
    Answer.NO_DATA,
)
#: Answers after which no further server is asked (glibc, resolv/res_send.c: anything but SERVFAIL, NOTIMP, REFUSED).
_FINAL = {Answer.ADDRESSES, Answer.NXDOMAIN, Answer.NO_DATA}


def judge(replies: Sequence[Reply], names: Sequence[str]) -> Verdict:
    """What the system's resolver must have made of *replies* to *names*, its candidates in order.

    A name that exists decides; else the first name that no server would answer for; else the last: it does not exist.
    """
    verdicts = [_of_name([reply for reply in replies if reply.name == name]) for name in names]
    verdicts = [verdict for verdict in verdicts if verdict.by]
    for wanted in ({Answer.ADDRESSES}, {Answer.NO_DATA}, set(Answer) - _FINAL):
        for verdict in verdicts:
            if verdict.answer in wanted:
                return verdict
    with_alias = [verdict for verdict in verdicts if verdict.chain]
    return (with_alias or verdicts or [Verdict(Answer.TIMEOUT)])[0]


def _of_name(replies: Sequence[Reply]) -> Verdict:
    """The first server with a final answer decides; else the failure that tells most."""
    servers = list(dict.fromkeys(reply.server for reply in replies))
    each = [_of_server([reply for reply in replies if reply.server == server]) for server in servers]
    final = [verdict for verdict in each if verdict.answer in _FINAL]
    ranked = sorted(each, key=lambda verdict: _OF_ONE_NAME.index(verdict.answer))
    return (final or ranked or [Verdict(Answer.TIMEOUT)])[0]


def _of_server(replies: Sequence[Reply]) -> Verdict:
    """Both families of one name at one server."""
    decisive = min(replies, key=lambda reply: _OF_ONE_NAME.index(reply.answer))
    return Verdict(decisive.answer, decisive)
