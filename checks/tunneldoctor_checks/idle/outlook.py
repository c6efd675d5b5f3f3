"""Nothing known on the way to the bastion cuts an unused connection sooner than it has to last."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Policy, Tunnel, Value, Where


@dataclass(frozen=True, slots=True)
class _Box:
    """Something that a host's name gives away, and the seconds after which it forgets an unused connection."""

    name: str
    seconds: int
    sign: re.Pattern[str]


_BOXES = (
    # "Update the TCP idle timeout for your Network Load Balancer": 350 s, 60 to 6000. Network Load Balancers are
    # NAME-HASH.elb.REGION.amazonaws.com, the older kinds NAME-HASH.REGION.elb.amazonaws.com
    _Box("an AWS Network Load Balancer", 350, re.compile(r"\.elb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$")),
    # "Configure the idle timeout for your Classic Load Balancer": 60 s, 1 to 4000
    _Box("an AWS Classic Load Balancer", 60, re.compile(r"\.[a-z]+(-[a-z]+)+-\d\.elb\.amazonaws\.com$")),
    # "Load Balancer TCP Reset and Idle Timeout": 4 minutes, up to 100; so too a public IP address of a machine
    _Box("an Azure load balancer or public address", 240, re.compile(r"\.cloudapp\.azure\.com$")),
)


def run(context: Context) -> Outcome:
    """Read the names on the way; nothing is sent."""
    wanted, keepalive = context.tunnel.idle_hold or 0.0, context.tunnel.keepalive
    hosts = [hop.host for hop in context.tunnel.hops if hop.host]
    findings = [
        _finding(host, box, keepalive)
        for host in hosts
        if (box := _behind(host)) and box.seconds < wanted and not 0 < keepalive < box.seconds
    ]
    return Outcome(findings=tuple(findings))


def _behind(host: str) -> _Box | None:
    name = host.lower().rstrip(".")
    return next((box for box in _BOXES if box.sign.search(name)), None)


def _finding(host: str, box: _Box, keepalive: float) -> Finding:
    params: dict[str, Value] = {"what": box.name, "seconds": box.seconds, "where": host, "keepalive": round(keepalive)}
    return Finding("idle.cutoff-expected", params, (Evidence("name", f"{host} is the name of {box.name}"),))


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    return None if tunnel.idle_hold else "no idle_hold: nobody said how long a connection must survive unused"


CHECK = Check(
    id="idle.outlook",
    layer=Layer.IDLE,
    title="nothing known on the way cuts unused connections too soon",
    where=Where.BASTION,
    run=run,
    codes=("idle.cutoff-expected",),
    applies=_applies,
)
