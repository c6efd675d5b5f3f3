"""The same connection from the place where the real client runs: the second vantage point."""

from __future__ import annotations

from dataclasses import dataclass

from tunneldoctor.model import Address, BudgetSpent, Context, Policy, Ruling, Tunnel, Value, confirms, rules_out

BLOCKED = "tcp.blocked-for-this-address"
#: Modules that this shares with the checks on the way, to be loaded before it.
LOADS = ("tunneldoctor.ssh.transport", "tunneldoctor.ssh.keys", "tunneldoctor.ssh.certificates")
#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.4


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was seen from there. ``connected`` is None where nothing could be seen, and ``said`` says why.

    ``place`` is the account in words, ``first`` the server's first line, ``seen_as`` our own address as it shows there.
    """

    place: str
    connected: bool | None
    said: str = ""
    first: str = ""
    seen_as: str = ""

    @property
    def speaks_ssh(self) -> bool:
        """True where an SSH server said who it is."""
        return self.first.startswith("SSH-")


def applies(tunnel: Tunnel, policy: Policy) -> str | None:
    """There must be another place."""
    return None if tunnel.run_from else "no second place is given (run_from)"


def look(context: Context, target: Address) -> Elsewhere:
    """Log in there, once a run, and have it connect to *target*, an IP address and a port."""
    from tunneldoctor.ssh.account import NotIn, log_in
    from tunneldoctor.ssh.probe import connect

    there = context.tunnel.run_from
    assert there is not None
    place = f"{there.username}@{there.host}"
    context.progress(f"trying {target} from {place}")
    account = log_in(context, there)
    if isinstance(account, NotIn):
        return Elsewhere(place, None, account.reason)
    try:
        context.budget.bare_connection(context.hop.name)
    except BudgetSpent as error:
        return Elsewhere(place, None, str(error))
    probe = connect(account, target, max(0.1, context.remaining() - _MARGIN))
    account.close()
    return Elsewhere(place, probe.connected, probe.said, probe.first, probe.seen_as)


def blocked(there: Elsewhere, target: Address) -> Ruling:
    """That the address is what matters: *there* got in where we did not. Fills the page of :data:`BLOCKED`."""
    params: dict[str, Value] = {"vantage": there.place}
    if there.seen_as:
        params["egress_address"] = there.seen_as
    said = f", which says {there.first}" if there.first else ""
    seen = f"; from there this machine is seen as {there.seen_as}" if there.seen_as else ""
    return confirms(BLOCKED, f"at the same time {there.place} can connect to {target}{said}{seen}", params)


def not_blocked(there: Elsewhere, target: Address) -> Ruling:
    """That it is not the address alone: it fails there as well."""
    return rules_out(BLOCKED, f"connecting to {target} fails from {there.place} as well: {there.said or 'it hangs up'}")
