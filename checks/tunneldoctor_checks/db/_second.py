"""A second channel to the database, for a look that the first one is no longer good for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor_checks.facts import SESSION, TARGET

if TYPE_CHECKING:
    from tunneldoctor.model import Address, Context
    from tunneldoctor.net.stream import Stream


def second_channel(context: Context, seconds: float) -> Stream | None:
    """Another channel to the same place within *seconds*, or None where there is none to be had.

    The calling check wants SESSION and TARGET. Raises BudgetSpent.
    """
    session, target = context.want(SESSION), target_of(context)
    if session is None or target is None or seconds <= 0:
        return None
    context.budget.bare_connection("database")
    from tunneldoctor.ssh.forwarding import OpenFailure

    opened = session.open(target, seconds)
    return None if isinstance(opened, OpenFailure) else context.closing(opened)


def target_of(context: Context) -> Address | None:
    """The database as the bastion sees it."""
    return context.want(TARGET) or context.tunnel.remote
