"""What the engines share: TLS from the first byte, a message that is none of theirs, a conversation that breaks off."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tunneldoctor.database.opening import service_of, shown
from tunneldoctor.database.session import Prepared
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble
from tunneldoctor.database.wire import Ended, TlsError, Wire
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunneldoctor.model import Database
    from tunneldoctor.net.stream import Stream


class Garbled(Exception):
    """What came is no message of this protocol; ``seen`` are its first bytes."""

    def __init__(self, seen: bytes) -> None:
        super().__init__("no message of this protocol")
        self.seen = seen


def opened(stream: Stream, database: Database, seconds: float, *, encrypt: bool) -> Prepared:
    """Nothing said yet, or TLS from the first byte where the client has it. Raises DatabaseTrouble."""
    wire = Wire(stream, seconds)
    prepared = Prepared(database, wire)
    if encrypt:
        from tunneldoctor.database import tls

        prepared.tls = tls.secure(wire, database, we_speak=True)
    return prepared


@contextlib.contextmanager
def talking(wire: Wire, stage: str) -> Iterator[None]:
    """Turn whatever goes wrong on *wire* meanwhile into DatabaseTrouble; *stage* is what we had just said."""
    try:
        yield
    except Garbled as error:
        raise DatabaseTrouble(someone_else(error.seen or wire.first)) from error
    except (TlsError, TimeoutError, Ended) as error:
        raise DatabaseTrouble(broken(error, wire, stage)) from error


def broken(error: TlsError | TimeoutError | Ended, wire: Wire, stage: str) -> Trouble:
    """What it comes to that *wire* gave no more; *stage* is what we had just said."""
    if isinstance(error, TlsError):
        from tunneldoctor.database import tls  # loaded already, or there would be no such error

        return tls.failed(error)
    silent = isinstance(error, TimeoutError)
    reason, how = (Reason.NO_ANSWER, "no answer to") if silent else (Reason.CLOSED, "closed after")
    seen = Evidence("timing", f"{how} {stage}; {wire.received} bytes came before")
    return Trouble(reason, {"stage": stage, "received": wire.received}, (seen,))


def someone_else(seen: bytes) -> Trouble:
    """Another service answers; *seen* are its first bytes."""
    return Trouble(Reason.WRONG_SERVICE, {"service": service_of(seen)}, (shown(seen),))
