"""The connections left alone at the same time: with the keepalive and without, we speak first or the server does."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunneldoctor_checks.facts import SESSION
from tunneldoctor_checks.idle._doors import database_door, socket_of, ssh_door

if TYPE_CHECKING:
    from tunneldoctor.database.session import Session
    from tunneldoctor.idle.database_flow import DatabaseFlow
    from tunneldoctor.idle.flow import Arm, Leg, Loss
    from tunneldoctor.idle.ssh_flow import SshFlow
    from tunneldoctor.model import Context
    from tunneldoctor.ssh.heard import Answer


#: Seconds by which a connection in use is younger than what is left alone, where a server that counts whole seconds may
#: end each of them at the same age.
_YOUNGER = 1.5


@dataclass(slots=True)
class Line:
    """One connection. ``ssh`` is what it runs over, or itself; ``kept``: that has the configured keepalive.

    ``loss`` is how it went on ``leg``. ``late``: what the server said first came once we had said something.
    ``unmeasured`` says why nothing is known of it. ``begun`` is when it was left alone, by the monotonic clock, and
    ``silent`` for how many seconds it had been silent when it was last seen alive.
    """

    flow: SshFlow | DatabaseFlow
    ssh: SshFlow
    kept: bool
    loss: Loss | None = None
    leg: Leg | None = None
    late: bool = False
    unmeasured: str = ""
    begun: float = field(default_factory=time.monotonic)
    silent: float = 0.0

    @property
    def server_first(self) -> bool:
        """Whether the server speaks first after the pause."""
        from tunneldoctor.idle.flow import Arm

        return self.flow.arm is Arm.SERVER_FIRST

    def __str__(self) -> str:
        who = "the server speaks first" if self.server_first else "we speak first"
        return f"{'with' if self.kept else 'without'} the keepalive, {who}"


@dataclass(slots=True)
class Lines:
    """All of them, each left alone from the moment that it is there, for ``pause`` seconds.

    The first is the tunnel's own. ``control`` is one more that is in use all the time. ``missing`` says in words which
    could not be had, ``refused`` why the bastion gave no further connection. ``asked`` are the keepalives that were
    sent, with their answers.
    """

    kept: bool
    pause: float
    all: list[Line] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: str = ""
    asked: list[Answer] = field(default_factory=list)
    control: Line | None = None

    @property
    def as_configured(self) -> list[Line]:
        """Those that fare as the tunnel's own connections do."""
        return [each for each in self.all if each.kept is self.kept]

    @property
    def answered(self) -> int:
        """How many keepalives were answered."""
        return sum(each.granted is not None for each in self.asked)

    def add(self, line: Line) -> None:
        """Begin to leave *line* alone, which is open."""
        self._begin(line)
        self.all.append(line)

    def keep_in_use(self, line: Line) -> None:
        """Have *line* be the control."""
        self._begin(line)
        self.control = line

    def _begin(self, line: Line) -> None:
        line.begun = time.monotonic()
        line.ssh.begin(self.pause)
        line.flow.begin(self.pause)


def lines(context: Context, session: Session | None) -> Lines:
    """The tunnel's own connection, left alone as configured, and as many further ones as tell more.

    *session* is the database's. What the server says first is lost without anybody's noticing until it is a long
    query's result; where a keepalive is set, connections without it show whether it is needed.
    """
    from tunneldoctor.idle.database_flow import DatabaseFlow
    from tunneldoctor.idle.flow import Arm
    from tunneldoctor.idle.ssh_flow import SshFlow

    kept = context.tunnel.keepalive > 0
    made = Lines(kept, context.policy.idle or 0.0)
    transport, sock = context.need(SESSION), socket_of(context)
    own = SshFlow(Arm.SSH_KEEPALIVE if kept else Arm.IDLE, lambda _: (transport, sock))
    flow = DatabaseFlow(Arm.IDLE, lambda _: (session, None)) if session else own
    for each in (own, flow):
        each.open(0.0)
    made.add(Line(flow, own, kept))
    if kept and session:
        _server_first(context, made, session, own, kept=True)
    if kept and (further := _further(context, made)):
        made.add(Line(further, further, kept=False))
    if session and not made.refused and (further := _further(context, made)):
        _server_first(context, made, session, further, kept=False)
    if not made.refused:
        _control(context, made, session)
    return made


def _control(context: Context, made: Lines, session: Session | None) -> None:
    """A connection in use: what ends it as well is an outage or a limit on age. Without a session it begins later, so
    that these two can be told apart."""
    from tunneldoctor.idle.flow import Arm, NotOpened

    if session is None:
        context.cancelled.wait(_YOUNGER)
    ssh = _further(context, made, Arm.BUSY)
    if ssh is None:
        return
    door = database_door(context, session) if session else None
    flow = door.flow(Arm.BUSY, ssh.transport) if door else ssh
    try:
        if flow is not ssh:
            flow.open(context.tunnel.connect_timeout)
    except NotOpened as error:
        made.missing.append(f"a session in use: {error}")
        flow = ssh
    made.keep_in_use(Line(flow, ssh, kept=False))


def _further(context: Context, made: Lines, arm: Arm | None = None) -> SshFlow | None:
    """One more connection to the bastion, without keepalive; who refuses one is not asked for another."""
    from tunneldoctor.idle.flow import Arm, NotOpened

    door = ssh_door(context)
    if door is None:
        made.refused = "it is not known how the tunnel's own connection was made"
        return None
    flow = door.flow(arm or Arm.IDLE)
    try:
        flow.open(context.tunnel.connect_timeout)
    except NotOpened as error:
        made.refused = str(error)
        return None
    return flow


def _server_first(context: Context, made: Lines, session: Session, ssh: SshFlow, *, kept: bool) -> None:
    from tunneldoctor.idle.flow import Arm, NotOpened

    door = database_door(context, session)
    if door is None:
        return
    line = Line(door.flow(Arm.SERVER_FIRST, ssh.transport), ssh, kept)
    try:
        line.flow.open(context.tunnel.connect_timeout)
    except NotOpened as error:
        made.missing.append(f"{line}: {error}")
        return
    made.add(line)
