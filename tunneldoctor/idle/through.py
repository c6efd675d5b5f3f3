"""The two legs, and a connection over both: a session over an SSH connection of its own, neither of them kept.

What a filter on the way to the bastion forgets is often taken up again by the client's next packet, and the server's is
dropped (Linux, nf_conntrack_tcp_loose; Google's VPC firewall): the result of a long query never arrives, though a
connection that is used from here always works.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.idle.flow import Arm, How, Leg, Loss, NotOpened

if TYPE_CHECKING:
    from tunneldoctor.idle.database_flow import DatabaseDoor, DatabaseFlow
    from tunneldoctor.idle.flow import Flow
    from tunneldoctor.idle.ssh_flow import Door, SshFlow
    from tunneldoctor.ssh.transport import Transport

#: Seconds in which the bastion's kernel sends again what was lost: it has waited for twice as long each time.
_LATE = 15.0
_OTHER_LEG = "its session went while the SSH connection lived, so that nothing is known of the way to the bastion"


@dataclass(frozen=True, slots=True)
class InFront:
    """Makes the flows to the bastion; with *database*, those too on which it is the server that speaks first."""

    door: Door
    database: DatabaseDoor | None = None
    leg: Leg = Leg.BASTION

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What can be done with them."""
        kept = (Arm.SSH_KEEPALIVE, Arm.TCP_KEEPALIVE)
        return (Arm.IDLE, Arm.SERVER_FIRST, *kept) if self.database else (Arm.IDLE, *kept)

    def flow(self, arm: Arm) -> Flow:
        """A connection that is not open yet."""
        if arm is Arm.SERVER_FIRST and self.database:
            return ThroughFlow(self.door, self.database)
        return self.door.flow(arm)


@dataclass(frozen=True, slots=True)
class Behind:
    """Makes the flows to the database, over the one SSH connection *ssh* that is kept in use meanwhile."""

    database: DatabaseDoor
    ssh: Transport
    can_sleep: bool
    leg: Leg = Leg.DATABASE

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What can be done with them."""
        return (Arm.IDLE, Arm.SERVER_FIRST, Arm.BUSY) if self.can_sleep else (Arm.IDLE, Arm.BUSY)

    def flow(self, arm: Arm) -> Flow:
        """A session that is not open yet."""
        return self.database.flow(arm, self.ssh)


class ThroughFlow:
    """One of them. See :class:`tunneldoctor.idle.flow.Flow`."""

    leg = Leg.BASTION

    def __init__(self, door: Door, database: DatabaseDoor) -> None:
        self.arm = Arm.SERVER_FIRST
        self.name = str(self.arm)
        self.gap = 0.0
        self._ssh: SshFlow = door.flow(Arm.IDLE)
        self._database = database
        self._session: DatabaseFlow | None = None

    @property
    def session(self) -> DatabaseFlow:
        """The database's side of it."""
        assert self._session is not None, "open() comes first"
        return self._session

    def open(self, timeout: float) -> None:
        """Log in on both. Raises NotOpened."""
        end = time.monotonic() + timeout
        self._ssh.open(timeout)
        self._session = self._database.flow(self.arm, self._ssh.transport)
        self._session.open(max(0.1, end - time.monotonic()))

    def begin(self, gap: float) -> None:
        """Have the database sleep for *gap* seconds and then answer."""
        self.gap = gap
        self._ssh.begin(gap)
        self.session.begin(gap)

    def look(self) -> Loss | None:
        """The end of the SSH connection. Raises NotOpened where that lives and the session is gone: the other leg."""
        loss = self._ssh.look()
        if loss is None and self.session.look():
            raise NotOpened(_OTHER_LEG)
        return loss

    def keep(self) -> None:
        """It is left alone."""

    def probe(self, patience: float, stop: threading.Event, doubt: Callable[[], object]) -> Loss | None:
        """Wait for the answer. Where it does not come, our own word tells on which leg it was lost.

        It may bring the connection back, and with it the answer, which the bastion sends again and again. There is no
        doubt before that is known.
        """
        loss = self.session.probe(patience, stop, _not_yet)
        if loss is None or self._ssh.look():
            return loss and self._ssh.look()
        if loss.how is not How.SILENT:
            raise NotOpened(_OTHER_LEG)
        if self._ssh.probe(patience, stop, _not_yet) or self.session.answered_late(_LATE):
            return loss
        raise NotOpened(_OTHER_LEG)

    def silence(self) -> float | None:
        """What the far end was asked to say is no sign that it was not silent before."""
        return None

    def close(self) -> None:
        """End both."""
        if self._session:
            self._session.close()
        self._ssh.close()


def _not_yet() -> None:
    """Nothing is known of the leg so far."""
