"""What the first moments of a connection show of the service behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.database.wire import Ended, Wire
from tunneldoctor.model import Evidence, visible
from tunneldoctor.net.services import identify

if TYPE_CHECKING:
    from tunneldoctor.net.stream import Stream

_SHOWN = 48


def service_of(first: bytes) -> str:
    """Who speaks so, in words for a reader."""
    return identify(first) or "a protocol that is not known here"


def shown(first: bytes) -> Evidence:
    """The first bytes as evidence: in hexadecimal, and as text where they are."""
    cut = first[:_SHOWN]
    return Evidence("bytes", f"{cut.hex(' ')}  {visible(cut.decode('ascii', 'backslashreplace'))}")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first moments of a connection showed."""

    first: bytes = b""
    closed: bool = False

    @property
    def service(self) -> str | None:
        """Who answered, or None where nobody did."""
        return service_of(self.first) if self.first else None

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines whose greeting this is."""
        return engines_of(self.service or "")

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The bytes."""
        return (shown(self.first),) if self.first else ()


_ENGINES = {
    "MySQL": ("mysql", "mariadb"),
    "MariaDB": ("mysql", "mariadb"),
    "PostgreSQL": ("postgresql",),
    "SQL Server": ("sqlserver",),
    "Redis": ("redis",),
    "MongoDB": ("mongodb",),
    "Oracle": ("oracle",),
}


def engines_of(service: str) -> tuple[str, ...]:
    """The engines that *service*, in the words of :func:`service_of`, is the name of."""
    return _ENGINES.get(service, ())


def wait(stream: Stream, seconds: float) -> Opening:
    """What comes within *seconds* though nobody asked; silence is an answer too."""
    return ask(stream, b"", seconds)


def ask(stream: Stream, words: bytes, seconds: float) -> Opening:
    """What comes within *seconds* in answer to *words*."""
    wire = Wire(stream, seconds)
    try:
        if words:
            wire.send(words)
        return Opening(wire.some())
    except TimeoutError:
        return Opening()
    except Ended:
        return Opening(closed=True)
