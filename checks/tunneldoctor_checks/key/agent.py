"""The ssh-agent answers and holds the key that the tunnel is to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import (
    Check,
    Context,
    Evidence,
    Finding,
    Hop,
    Layer,
    Outcome,
    Policy,
    Severity,
    Tunnel,
    Value,
    Where,
)
from tunneldoctor_checks.facts import AGENT_IDENTITIES

if TYPE_CHECKING:
    from tunneldoctor.ssh.agent import Agent, AgentUnreachable


def applies(tunnel: Tunnel, policy: Policy) -> str | None:
    """Only a tunnel that names the agent uses it."""
    return None if any(hop.agent is not None for hop in tunnel.hops) else "the tunnel does not use the ssh-agent"


def run(context: Context) -> Outcome:
    """List what the agent holds, and pick the one key where one is named."""
    from tunneldoctor.ssh.agent import AgentUnreachable, reach

    wanted = context.hop.agent
    if wanted is None:
        return Outcome(skipped="this hop does not use the ssh-agent")
    try:
        agent = context.closing(reach(context.remaining(), context.hop.agent_socket))
    except AgentUnreachable as error:
        return _unreachable(context.hop, error)
    if wanted:
        identity = agent.pick(wanted)
        return Outcome(facts={AGENT_IDENTITIES: (identity,)}) if identity else _lacks(context.hop, agent, wanted)
    if agent.identities:
        return Outcome(facts={AGENT_IDENTITIES: agent.identities})
    return _lacks(context.hop, agent, "")


def _unreachable(hop: Hop, error: AgentUnreachable) -> Outcome:
    if _is_spare(hop):
        return Outcome(skipped=f"no agent answers ({error.reason}); the tunnel has other means to log in")
    params = {"socket": error.socket_path or "(none)", "reason": error.reason}
    return Outcome((Finding("key.agent-unreachable", params, (Evidence("errno", error.reason),), _severity(hop)),))


def _lacks(hop: Hop, agent: Agent, wanted: str) -> Outcome:
    if _is_spare(hop):
        return Outcome(skipped="the agent does not hold the key; the tunnel has other means to log in")
    held = [f"{each.type} {each.fingerprint}" for each in agent.identities]
    params: dict[str, Value] = {"wanted": wanted or "any key", "held": len(held), "socket": agent.socket_path}
    seen = Evidence("list", "\n".join(held[:20]) or "the agent lists no key: none was added, or it is locked")
    return Outcome((Finding("key.agent-lacks-key", params, (seen,), _severity(hop)),))


def _is_spare(hop: Hop) -> bool:
    """Files beside an agent are those of ssh_config: ssh signs with them where the agent does not (IdentitiesOnly)."""
    return bool(hop.private_keys) or (not hop.agent and hop.password is not None)


def _severity(hop: Hop) -> Severity:
    return Severity.WARNING if hop.password is not None else Severity.ERROR


CHECK = Check(
    id="key.agent",
    layer=Layer.KEY,
    title="the ssh-agent holds the key",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.agent",),
    gives=(AGENT_IDENTITIES,),
    codes=("key.agent-unreachable", "key.agent-lacks-key"),
    applies=applies,
    run=run,
    equivalent="ssh-add -l",
)
