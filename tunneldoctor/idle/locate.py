"""At which hop the timer is: keepalives that die on the way keep alive only what is in front of that place.

A connection gets TCP keepalives whose time to live ends at hop k. What boxes at hops 1 to k remember is refreshed, what
is behind them ages. After more than the cut-off, with a full time to live again, the smallest k that lives is the hop
that holds the timer. It takes no privileges; load balancers and cloud NAT often do not count as a hop, so that the
answer is "there or before".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tunneldoctor.idle.crew import PATIENCE
from tunneldoctor.idle.flow import Arm, NotOpened
from tunneldoctor.idle.ladder import Conduct
from tunneldoctor.idle.plan import BETWEEN
from tunneldoctor.idle.result import Result
from tunneldoctor.idle.ssh_flow import Door, SshFlow
from tunneldoctor.idle.tcp_info import keep_alive, limit_hops
from tunneldoctor.net.walk import Walk

#: So many times the cut-off a connection is left to its short-lived keepalives, and so many of them are sent in it.
_LONGER, _KEEPALIVES = 1.25, 4
#: The time to live that systems send with: Linux, macOS (RFC 1700 says 64).
_USUAL_TTL = 64


def located(result: Result, door: Door, way: Walk, most: int, conduct: Conduct) -> Result:
    """*result* with its hop, as far as *way* knows hops, or with a note why it is not known.

    *most* is how many connections may be opened.
    """
    assert result.upper is not None
    routers = {each.hops: each.address for each in way.routers}
    ttls = [ttl for ttl in way.sent if ttl <= max(routers, default=0)][:most]
    if not ttls:
        return replace(result, notes=(*result.notes, "no router on the way says where it is: the hop is not known"))
    alive = _survivors(door, ttls, result.upper, conduct)
    if alive is None:
        return replace(result, notes=(*result.notes, "interrupted before the hop was known"))
    if not alive:
        return replace(result, notes=(*result.notes, f"the timer is behind hop {ttls[-1]}"))
    hop = min(alive)
    return replace(result, hop=hop, hop_name=routers.get(hop, "which does not say its address"))


def _survivors(door: Door, ttls: Sequence[int], upper: float, conduct: Conduct) -> list[int] | None:
    """Those of *ttls* whose connection lives in the end; None where the run was cancelled."""
    interval = upper / _KEEPALIVES
    flows = dict(_opened(door, ttls, interval, conduct))
    end = time.monotonic() + upper * _LONGER
    while flows and (left := end - time.monotonic()) > 0:
        if conduct.cancelled.wait(min(left, 0.2)):
            return None
    with ThreadPoolExecutor(max(1, len(flows))) as pool:
        lives = pool.map(lambda flow: _lives(flow, conduct.cancelled), flows.values())
        return [ttl for ttl, alive in zip(flows, lives, strict=True) if alive]


def _opened(door: Door, ttls: Sequence[int], interval: float, conduct: Conduct) -> list[tuple[int, SshFlow]]:
    found = []
    for ttl in ttls:
        flow = door.flow(Arm.IDLE)
        try:
            flow.open(conduct.timeout)
        except NotOpened:
            break
        if flow.sock is None or not keep_alive(flow.sock, interval, ttl):
            break
        flow.begin(0.0)
        found.append((ttl, flow))
        conduct.cancelled.wait(BETWEEN)
    return found


def _lives(flow: SshFlow, cancelled: threading.Event) -> bool:
    try:
        assert flow.sock is not None
        limit_hops(flow.sock, _USUAL_TTL)
        return flow.probe(PATIENCE, cancelled, lambda: None) is None and not cancelled.is_set()
    finally:
        flow.close()
