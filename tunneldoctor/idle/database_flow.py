"""A session of the database over an SSH connection, logged in and then left alone: the leg behind the bastion.

SSH's keepalives end at the bastion, and OpenSSH sets no SO_KEEPALIVE on the connections that it makes for a forward
(channels.c, connect_next): from there on nothing is sent but what database and client say. What the kernel counts is
that of the first leg; that an answer from behind it does not come is known by time alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.database.engine import engine_for
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Withheld
from tunneldoctor.idle.flow import Arm, How, Leg, Loss, NotOpened
from tunneldoctor.model import BudgetSpent, visible
from tunneldoctor.ssh.forwarding import OpenFailure

if TYPE_CHECKING:
    from tunneldoctor.database.session import Password, Prepared, Session
    from tunneldoctor.idle.ssh_flow import SshFlow
    from tunneldoctor.model import Address, Context, Database
    from tunneldoctor.ssh.forwarding import ForwardedStream
    from tunneldoctor.ssh.transport import Transport

#: Seconds that an answer may take: a kernel sends again after 0.2, 0.6, 1.4 and 3 s where the way is short (RFC 6298),
#: and at 1 % loss all five are lost once in 10^10.
PATIENCE = 5.0
#: Seconds in which a session is asked whether something came: 0 would not look at all.
_GLANCE = 0.005
#: Seconds between two words to a server that was to speak first and was not heard.
_BETWEEN = 1.0
#: Seconds that a database is asked to sleep for, to see whether it does.
_NAP = 0.05


@dataclass(frozen=True, slots=True)
class DatabaseDoor:
    """How one gets into the database once more. *password* makes what gives it, or withholds it, for a connection.

    ``encrypt``: TLS, as the session has it that was let in.
    """

    context: Context
    database: Database
    target: Address
    encrypt: bool
    password: Callable[[Prepared], Password]

    def flow(self, arm: Arm, ssh: Transport) -> DatabaseFlow:
        """A session of its own over *ssh* that is not open yet."""
        return DatabaseFlow(arm, lambda seconds: self._enter(ssh, seconds))

    def _enter(self, ssh: Transport, seconds: float) -> tuple[Session, ForwardedStream]:
        end = time.monotonic() + seconds
        engine = engine_for(self.database.engine)
        if engine is None:
            raise NotOpened("there is no login to hold")
        try:
            self.context.budget.further_login("database")
            channel = ssh.open(self.target, seconds)
            if isinstance(channel, OpenFailure):
                raise NotOpened(f"no further channel was opened: {visible(channel.text) or 'no answer'}")
            self.context.closing(channel)
            prepared = engine.prepare(channel, self.database, end - time.monotonic(), encrypt=self.encrypt)
            session = prepared.engine.login(prepared, self.password(prepared), end - time.monotonic())
            return self.context.closing(session), channel
        except (BudgetSpent, Withheld) as error:
            raise NotOpened(f"no further login: {error}") from error
        except DatabaseTrouble as error:
            raise NotOpened(f"the database did not let us in once more: {_words(error)}") from error


class DatabaseFlow:
    """A session under measurement; *enter* opens it. See :class:`tunneldoctor.idle.flow.Flow`."""

    leg = Leg.DATABASE

    def __init__(self, arm: Arm, enter: Callable[[float], tuple[Session, ForwardedStream | None]]) -> None:
        self.arm = arm
        self.name = f"database, {arm}"
        self.gap = 0.0
        self._enter = enter
        self._session: Session | None = None
        self._stream: ForwardedStream | None = None
        self._begun = 0.0

    @property
    def session(self) -> Session:
        """The session. Raises NotOpened before it is there."""
        if self._session is None:
            raise NotOpened("not open")
        return self._session

    def open(self, timeout: float) -> None:
        """Log in; where the server is to speak first, see that it does. Raises NotOpened."""
        if self.arm not in (Arm.IDLE, Arm.SERVER_FIRST, Arm.BUSY):
            raise NotOpened("keepalives of this side do not reach that leg")
        self._session, self._stream = self._enter(timeout)
        if self.arm is Arm.SERVER_FIRST:
            self._nap(timeout)

    def _nap(self, timeout: float) -> None:
        if not self.session.can_sleep:
            raise NotOpened(f"{self.session.database.engine} can't be asked to speak first")
        try:
            self.session.sleep(_NAP)
            self.session.woken(_NAP + timeout)
        except DatabaseTrouble as error:
            raise NotOpened(f"the database does not speak first when asked to: {_words(error)}") from error

    def begin(self, gap: float) -> None:
        """Leave it alone from now on. A connection that is gone shows at the next look."""
        self.gap, self._begun = gap, time.monotonic()
        if self.arm is Arm.SERVER_FIRST:
            try:
                self.session.sleep(gap)
            except DatabaseTrouble:
                self.close()

    def look(self) -> Loss | None:
        """Whether the database, or somebody for it, said that it is over. What it was asked to say is left unread."""
        if self.arm is Arm.SERVER_FIRST:
            over = self._stream is not None and self._stream.has_ended
            return Loss(How.CLOSED, self._age(), "closed while a query was under way") if over else None
        try:
            self.session.listen(_GLANCE)
        except DatabaseTrouble as error:
            return self._loss(error, How.CLOSED, self._age())
        return None

    def keep(self) -> Loss | None:
        """A query, on the connection that is kept busy."""
        return self._use(PATIENCE) if self.arm is Arm.BUSY else None

    def probe(self, patience: float, stop: threading.Event, doubt: Callable[[], object]) -> Loss | None:
        """A query; with ``server first`` the wait for what was asked for.

        Raises NotOpened where the server gave up sleeping before its time, so that nothing was measured.
        """
        age = self._age()
        due = max(0.0, self.gap - age) if self.arm is Arm.SERVER_FIRST else 0.0
        loss = self._use(min(patience, PATIENCE) + due)
        if loss and not stop.is_set():
            doubt()
        return loss

    def answered_late(self, seconds: float) -> bool:
        """With ``server first``: whether what was lost came after all, once this side had said something."""
        try:
            self.session.woken(seconds)
        except DatabaseTrouble:
            return False
        return True

    def silence(self) -> float | None:
        """Nobody counts it on that leg."""
        return None

    def close(self) -> None:
        """Take leave."""
        if self._session:
            self._session.close()

    def _use(self, patience: float) -> Loss | None:
        age = self._age()
        try:
            if self.arm is Arm.SERVER_FIRST:
                self.session.woken(patience)
            else:
                self.session.ping(patience)
        except DatabaseTrouble as error:
            if self.arm is Arm.SERVER_FIRST and _goes_on(error):
                raise NotOpened(f"the database did not sleep for so long: {_words(error)}") from error
            silent = error.trouble.reason is Reason.NO_ANSWER
            return self._loss(error, How.SILENT if silent else How.RESET, age)
        return None

    def _loss(self, error: DatabaseTrouble, how: How, after: float) -> Loss:
        refusal = error.trouble.refusal
        said, state = (visible(refusal.message, 200), refusal.number) if refusal else ("", "")
        return Loss(how, after, _words(error), said=said, sqlstate=state, by_time=how is How.SILENT)

    def _age(self) -> float:
        return time.monotonic() - self._begun


#: What a server that goes on with the session says of a query that it broke off: PostgreSQL's query_canceled (a
#: statement_timeout), MySQL's ER_QUERY_TIMEOUT and ER_QUERY_INTERRUPTED, MariaDB's ER_STATEMENT_TIMEOUT.
_BROKEN_OFF = {"57014", "3024", "1317", "1969"}


def _goes_on(error: DatabaseTrouble) -> bool:
    return error.trouble.refusal is not None and error.trouble.refusal.number in _BROKEN_OFF


def _words(error: DatabaseTrouble) -> str:
    texts = [each.text for each in error.trouble.evidence]
    return visible(texts[0] if texts else str(error.trouble.reason), 300)


def heard_after_all(flow: DatabaseFlow, ssh: SshFlow, seconds: float, stop: threading.Event) -> Loss | bool:
    """Speak over *ssh*, where the server was to speak first on *flow* and was not heard.

    True: its words came after all, so that they were lost in front of the bastion by somebody who lets us back in.
    False: SSH answers without them. As SSH's bytes come in order, they were lost behind the bastion. Else SSH is gone.
    Once is not enough: who lets us back in may have forgotten us again until the server's next try.
    """
    end = time.monotonic() + seconds
    asked = ssh.transport.question()
    while time.monotonic() < end and not stop.is_set():
        answered = asked is not None and asked.granted is not None
        if flow.answered_late(_BETWEEN):
            return True
        if answered:
            return False
        if loss := ssh.look():
            return loss
        ssh.transport.question()
    return Loss(How.SILENT, flow.gap, f"no answer of the bastion in {seconds:.0f} s", by_time=True)
