"""How the checks of this layer get in once more: with what was accepted already, to the host key that is known."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from tunneldoctor_checks.db._password import PasswordGiver
from tunneldoctor_checks.facts import IDENTITIES, PINS, SESSION, STREAM, TARGET, USERNAME

if TYPE_CHECKING:
    from tunneldoctor.database.session import Session
    from tunneldoctor.idle.database_flow import DatabaseDoor
    from tunneldoctor.idle.ssh_flow import Door
    from tunneldoctor.model import Context, Secret

#: What the doors want to know; a check that uses them wants these, beside the sessions themselves.
WANTS = (STREAM, PINS, USERNAME, IDENTITIES)
#: What a door to the database wants to know.
DATABASE_WANTS = (TARGET,)


def socket_of(context: Context) -> socket.socket | None:
    """The socket of the bastion's own connection; None where it runs through a jump host."""
    stream = context.want(STREAM)
    return stream if isinstance(stream, socket.socket) else None


def ssh_door(context: Context) -> Door | None:
    """How to log in on the bastion once more; None where too little is known for that."""
    from tunneldoctor.idle.ssh_flow import Door, what_got_in

    stream, pins, username = context.want(STREAM), context.want(PINS), context.want(USERNAME)
    if stream is None or pins is None or username is None:
        return None
    identities = context.want(IDENTITIES)
    offers = what_got_in(context.need(SESSION), identities or (), _password(context))
    return Door(context, stream, pins, username, offers, context.tunnel.keepalive)


def _password(context: Context) -> Secret | None:
    reference = context.hop.password
    return context.secret(reference) if reference else None


def database_door(context: Context, session: Session) -> DatabaseDoor | None:
    """How to log in to the database once more, encrypted as in *session*; None where too little is known for that."""
    from tunneldoctor.idle.database_flow import DatabaseDoor

    database, target = session.database, context.want(TARGET)
    if target is None:
        return None
    encrypt = session.encryption is not None
    return DatabaseDoor(
        context, database, target, encrypt, lambda prepared: PasswordGiver(context, prepared, again=True)
    )
