"""Who may have ended a connection, and what its end alone says about that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Ruling, confirms, rules_out
from tunneldoctor_checks.facts import SESSION

if TYPE_CHECKING:
    from tunneldoctor.idle.flow import Loss

BOX, SSH_SERVER = "idle.middlebox", "idle.ssh-server-timeout"
CHANNEL, DATABASE = "idle.channel-timeout", "idle.database-timeout"
#: What each way of going is called.
SYMPTOMS = {"closed": "idle.closed", "reset": "idle.dropped-with-reset", "silent": "idle.dropped-silently"}
#: Whose word was lost.
SERVER_FIRST, CLIENT_FIRST = "what the server says first", "what we say first"
#: PostgreSQL: idle_session_timeout, idle_in_transaction_session_timeout, transaction_timeout. MySQL: wait_timeout.
_TIMEOUTS = {"57P05", "25P03", "25P04", "4031"}
#: What poolers say in words, under a SQLSTATE that they use for everything (pgbouncer, client.c).
_TIMEOUT_WORDS = ("client_idle_timeout", "idle transaction timeout")
#: PostgreSQL: admin_shutdown, crash_shutdown, database_dropped. MySQL and MariaDB: a shutdown, a KILL.
_ENDED_ON_PURPOSE = {"57P01", "57P02", "57P04", "1053", "1927"}
#: OpenSSH since when: a client that answers is never ended for being idle (8.2), ChannelTimeout (9.2); release notes.
_NEVER_IDLE, _CHANNEL_TIMEOUTS = (8, 2), (9, 2)


def names_a_timeout(loss: Loss) -> bool:
    """The database, or a pooler in front of it, said that it was a limit on idleness."""
    return loss.sqlstate in _TIMEOUTS or any(words in loss.said for words in _TIMEOUT_WORDS)


def on_purpose(loss: Loss) -> bool:
    """The database said that somebody ended the session, or the database itself."""
    return loss.sqlstate in _ENDED_ON_PURPOSE


def said_by_the_database(loss: Loss) -> str:
    """In words."""
    return f"the database said: {loss.said or loss.sqlstate}"


def by_the_end(loss: Loss) -> Iterator[Ruling]:
    """The SSH connection itself went: what the way in which it did says."""
    behind = "the SSH connection went with it, and neither of them can end that"
    yield from (rules_out(CHANNEL, behind), rules_out(DATABASE, behind))
    if loss.how != "closed":
        yield rules_out(SSH_SERVER, "a server that ends a connection says so at once")
    elif loss.said:
        yield confirms(SSH_SERVER, f"the server took leave with words of its own: {loss.said}")
    elif loss.abrupt:
        yield rules_out(SSH_SERVER, "it was ended by a reset; a server that ends a connection closes it")


def behind_the_bastion(context: Context, loss: Loss, lives: str, by_others: Iterable[Ruling]) -> Iterator[Ruling]:
    """The SSH connection *lives*, in words: what is gone is the channel, or the connection behind it.

    *by_others* is what other connections say where it was closed in the open.
    """
    if names_a_timeout(loss):
        yield confirms(DATABASE, f"the database said so itself ({loss.said or loss.sqlstate})")
        return
    yield rules_out(SSH_SERVER, lives)
    if loss.how != "closed":
        because = "whoever ends an idle session does so at once, not at the next query"
        yield from (rules_out(CHANNEL, because), rules_out(DATABASE, because))
        return
    yield from by_others
    if software := without_channel_timeout(context):
        yield rules_out(CHANNEL, f"{software} has no ChannelTimeout")


def without_channel_timeout(context: Context) -> str:
    """The bastion's software where it is an OpenSSH of before ChannelTimeout."""
    software, version = _openssh(context)
    return software if version and version < _CHANNEL_TIMEOUTS else ""


def that_spares_the_living(context: Context) -> str:
    """The bastion's software where it is an OpenSSH that ends no connection whose client answers."""
    software, version = _openssh(context)
    return software if version and version >= _NEVER_IDLE else ""


def _openssh(context: Context) -> tuple[str, tuple[int, int] | None]:
    from tunneldoctor.ssh.identification import openssh_version

    software = context.need(SESSION).software
    return software, openssh_version(software)
