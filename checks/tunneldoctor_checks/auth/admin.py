"""The admin account is logged in on the bastion, so that one can look around there; only after something was refused.

Whatever goes wrong with it is no fault of the tunnel: there is nothing but a reason why the look was not taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Layer, Outcome, Policy, Tunnel, Where
from tunneldoctor_checks.facts import ADMIN, LOOK_STAGE, LOOK_WANTED, SESSION

if TYPE_CHECKING:
    from tunneldoctor.ssh.account import Account, NotIn


def run(context: Context) -> Outcome:
    """Log in once more, the way that the tunnel goes; where the tunnel's own session is the admin's, take that."""
    from tunneldoctor.ssh.account import Account

    account = _account(context)
    if not isinstance(account, Account):
        return Outcome(unknown=f"no look from the bastion: {account.reason}")
    return Outcome(facts={ADMIN: account})


def _account(context: Context) -> Account | NotIn:
    from tunneldoctor.ssh.account import log_in, with_a_shell

    admin, bastion = context.tunnel.admin, context.hop
    assert admin is not None
    same = (admin.address, admin.username) == (bastion.address, bastion.username)
    session = context.want(SESSION)
    if same and session is not None:
        return with_a_shell(context, admin, session)
    context.progress(f"logging in as {admin.username} to look around on the bastion")
    return log_in(context, admin, context.want(SESSION.before), known_as=bastion.name if same else admin.name)


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    return None if tunnel.admin else "no admin account is given"


CHECK = Check(
    id="auth.admin",
    layer=Layer.AUTH,
    title="the admin account is there to look around",
    where=Where.BASTION,
    run=run,
    needs=(LOOK_WANTED,),
    wants=(SESSION, SESSION.before),
    gives=(ADMIN,),
    applies=_applies,
    stage=LOOK_STAGE,
)
