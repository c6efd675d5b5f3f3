"""Idle cut-offs in the lab: how soon the ladder finds them, how exactly, whom it names, and what it costs.

Each cut-off is staged in a network of its own, in each of the three ways in which boxes end connections. What can't be
undercut is the cut-off itself and then the time until a lost packet is noticed. The second is measured beside the
ladder, by a bare connection through the same box: a byte is sent after the cut-off, and its sender's TCP is watched
until five retransmissions are lost, or the reset is there. The time that the ladder took is its own, without the start
of the program and the look at the tunnel before it.

With cut-offs of seconds the bound for the bracket is missed, and no choice of silences meets it: connections are opened
at most two a second, so that the one above 8 s is opened 3 s late. With those of minutes that is nothing: what the plan
comes to then is told beside it, calculated and not measured.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure, median, spread
from benchmarks.idle_found import WAYS, Found, Heard, Way
from benchmarks.scene import program
from fixtures.lab import client
from fixtures.lab.pairs import FIRST_LEG, pairs
from fixtures.lab.session import why_not
from fixtures.lab.stage import staged
from fixtures.scenario import Expectation, NetworkSide, Scenario
from tunneldoctor.idle.plan import KNOWN, NOTICE, plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fixtures.lab.session import Lab
    from fixtures.lab.stage import Stage

CUTOFFS = (3, 5, 8, 13, 20)
#: Seconds up to which is looked: above all of them.
UP_TO = "25s"
#: Enough connections for bounds as near as that; each costs half a second before it can be left alone.
WISHES = ("--connections", "14", "--yes")
#: What the bracket may cost, as a multiple of what can't be undercut, and by how much the cut-off may be missed.
RATIO, MISSED = 1.15, 0.10
#: Seconds up to which is looked where nothing else is said, and the connections that the plan is calculated for.
HOUR, PLANNED = 3600.0, (8, 24)
#: Runs on a network that loses packets, how many at a time, and how far they look.
HEALTHY_RUNS, AT_ONCE, HEALTHY_UP_TO = 20, 5, "10s"
#: MiB that 32 connections may need beyond what a check without them needs.
MEMORY, CONNECTIONS = 60.0, 32

_CHECK = "idle.ladder"
#: A packet that was sent six times without an answer is not lost but dropped: 1 in 10^12 at 1 % loss.
_BACKOFF = 5
#: Seconds after which a ladder has had its time.
_PATIENCE = 180.0
_LOSS = NetworkSide(router=("forward numgen random mod 100 == 0 drop",))


def measure(lab: Lab) -> list[Figure]:
    """All of it; nothing where there are no namespaces."""
    if why_not(needs_root=True):
        return []
    found = [each for way in WAYS for each in _ladders(lab, way)]
    return [*_of_ladders(found), _false_alarms(lab), _memory(lab)]


def _ladders(lab: Lab, way: Way) -> Iterator[Found]:
    """All cut-offs of one way at the same time, in a network each: they wait, and need next to no processor."""
    with contextlib.ExitStack() as stack:
        stages = [stack.enter_context(staged(way.staged_for(cutoff), lab)) for cutoff in CUTOFFS]
        running = [_start(stage, stage.folder / "events", UP_TO, *WISHES) for stage in stages]
        with ThreadPoolExecutor(len(stages)) as pool:
            notices = list(pool.map(_notice, stages, CUTOFFS)) if way.rules else [0.0] * len(stages)
        for cutoff, run, notice in zip(CUTOFFS, running, notices, strict=True):
            yield Found(way, cutoff, notice, _heard(run))


@dataclass(frozen=True, slots=True)
class Run:
    """A ladder under way, and the file that its events go to."""

    process: subprocess.Popen[bytes]
    events: Path


def _start(stage: Stage, events: Path, up_to: str, *options: str) -> Run:
    command = [*program(), "check", client.TUNNEL, "--config", str(stage.config), "--format", "ndjson"]
    with events.open("wb") as out:
        process = subprocess.Popen(
            stage.client.command([*command, "--find-cutoff", "--up-to", up_to, *options]), env=stage.env,
            cwd=stage.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    return Run(process, events)


def _heard(run: Run) -> Heard:
    run.process.wait(_PATIENCE)
    events = [json.loads(line) for line in run.events.read_text().splitlines()]
    mine = [event for event in events if event.get("check") == _CHECK]
    began = mine[0]["at_ms"] if mine else -math.inf
    brackets = (event["at_ms"] for event in mine if _is_bracket(event.get("values", {})))
    bracket = next(brackets, math.inf)
    ended = mine[-1]["at_ms"] if mine else math.inf
    return Heard((bracket - began) / 1e3, (ended - began) / 1e3, events[-1].get("report", {}) if events else {})


def _is_bracket(values: dict[str, Any]) -> bool:
    return values.get("alive_after_seconds") is not None and values.get("dead_after_seconds") is not None


def _notice(stage: Stage, cutoff: int) -> float:
    """Seconds until a bare connection's own TCP knows that a byte sent after the cut-off is lost or refused."""
    assert stage.network is not None
    with pairs(stage.network, FIRST_LEG, 1) as (pair,):
        pair.rest(cutoff + 0.5)
        start = time.monotonic()
        seen = pair.say(pair.client, pair.server, _BACKOFF)
        if seen not in {"silent", "reset"}:
            raise RuntimeError(f"{stage.scenario.name}: a bare connection that had rested was {seen}")
        return time.monotonic() - start


def _of_ladders(found: Sequence[Found]) -> Iterator[Figure]:
    brackets = [each.as_multiple(each.heard.bracket) for each in found]
    yield Figure("time to the bracket", median(brackets), "x", RATIO, spread(brackets, "x"))
    for connections in PLANNED:
        yield _by_the_plan(connections)
    ends = [each.as_multiple(each.heard.seconds) for each in found]
    yield Figure("time to the end of the ladder", median(ends), "x", detail=spread(ends, "x"))
    for way in WAYS:
        yield from _of_way(way, [each for each in found if each.way is way])
    wrong = [f"{each.way.name}, {each.cutoff} s: {_verdict(each.report)}" for each in found if not each.named]
    yield Figure("idle cut-offs not named", len(wrong), "", 0, "; ".join(wrong) or f"{len(found)} ladders")


def _by_the_plan(connections: int) -> Figure:
    """What the bracket costs where a limit in common use is looked for up to an hour."""
    planned = plan(HOUR, connections, with_database=True)
    usual = sorted(seconds for seconds in KNOWN if seconds <= HOUR)
    ratios = [planned.time_for(seconds) / (seconds + NOTICE) for seconds in usual]
    detail = ", ".join(f"{seconds} s: {ratio:.2f}" for seconds, ratio in zip(usual, ratios, strict=True))
    return Figure(f"calculated: to the bracket, {connections} connections", median(ratios), "x", detail=detail)


def _of_way(way: Way, found: Sequence[Found]) -> Iterator[Figure]:
    brackets = [each.as_multiple(each.heard.bracket) for each in found]
    detail = ", ".join(f"{each.cutoff} s: {ratio:.2f}" for each, ratio in zip(found, brackets, strict=True))
    yield Figure(f"{way.name}: time to the bracket", median(brackets), "x", detail=detail)
    worst = max(each.missed_by for each in found) * 100
    detail = ", ".join(f"{each.cutoff} s: {_shown(each.measured)}" for each in found)
    yield Figure(f"{way.name}: cut-off missed by, at worst", worst, "%", MISSED * 100, detail)
    notices = [each.notice for each in found]
    yield Figure(f"{way.name}: time to notice", median(notices), "s", detail=spread(notices, "s"))


def _shown(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:.2f} s"


def _false_alarms(lab: Lab) -> Figure:
    """Ladders where nothing is cut but one packet in a hundred is lost."""
    scenario = Scenario("lossy", Expectation("healthy", 0), "network", network=_LOSS)
    said: list[str] = []
    with staged(scenario, lab) as stage:
        for _ in range(HEALTHY_RUNS // AT_ONCE):
            runs = [_start(stage, stage.folder / f"events-{at}", HEALTHY_UP_TO) for at in range(AT_ONCE)]
            reports = [_heard(run).report for run in runs]
            said += [_verdict(report) for report in reports if report.get("verdict") != "healthy"]
    detail = f"{HEALTHY_RUNS} ladders to {HEALTHY_UP_TO} at 1 % loss; {' '.join(said)}"
    return Figure("false alarms on a lossy network", len(said), "", 0, detail)


def _verdict(report: dict[str, Any]) -> str:
    """In a word."""
    return str((report.get("diagnosis") or {}).get("code") or report.get("verdict") or "no report")


def _memory(lab: Lab) -> Figure:
    """The largest that the process ever was, with the connections and without."""
    with staged(Scenario("bench", Expectation("healthy", 0), "network"), lab) as stage:
        command = [*program(), "check", client.TUNNEL, "--config", str(stage.config), "--json"]
        base = _largest(stage, command)
        wishes = ["--find-cutoff", "--up-to", UP_TO, "--connections", str(CONNECTIONS), "--yes"]
        large = _largest(stage, [*command, *wishes])
    return Figure(f"memory of {CONNECTIONS} connections", large - base, "MiB", MEMORY, f"{base:.0f} MiB without")


def _largest(stage: Stage, command: Sequence[str]) -> float:
    """MiB, as the kernel keeps it (proc(5), VmHWM); what wait4(2) tells is never less than the parent had."""
    process = subprocess.Popen(
        stage.client.command(command), env=stage.env, cwd=stage.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    largest = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        largest = max([largest, *(int(kib) for kib in re.findall(r"^VmHWM:\s+(\d+) kB", status, re.M))])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    return largest / 1024
