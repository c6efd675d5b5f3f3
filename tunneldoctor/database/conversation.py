"""What the engines of few words share: a message that is none of theirs, and what a broken conversation comes to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tunneldoctor.database.opening import service_of, shown
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble
from tunneldoctor.database.wire import Ended, TlsError, Wire
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator


class Garbled(Exception):
    """What came is no message of this protocol; ``seen`` are its first bytes."""

    def __init__(self, seen: bytes) -> None:
        super().__init__("no message of this protocol")
        self.seen = seen


@contextlib.contextmanager
def talking(wire: Wire, stage: str) -> Iterator[None]:
    """Turn whatever goes wrong on *wire* meanwhile into DatabaseTrouble; *stage* is what we had just said."""
    try:
        yield
    except Garbled as error:
        raise DatabaseTrouble(_someone_else(error.seen or wire.first)) from error
    except TlsError as error:
        from tunneldoctor.database import tls  # loaded already, or there would be no such error

        raise DatabaseTrouble(tls.failed(error)) from error
    except TimeoutError as error:
        raise DatabaseTrouble(_broken(Reason.NO_ANSWER, "no answer to", stage, wire)) from error
    except Ended as error:
        raise DatabaseTrouble(_broken(Reason.CLOSED, "closed after", stage, wire)) from error


def _broken(reason: Reason, what: str, stage: str, wire: Wire) -> Trouble:
    seen = Evidence("timing", f"{what} {stage}; {wire.received} bytes came before")
    return Trouble(reason, {"stage": stage, "received": wire.received}, (seen,))


def _someone_else(seen: bytes) -> Trouble:
    return Trouble(Reason.WRONG_SERVICE, {"service": service_of(seen)}, (shown(seen),))
