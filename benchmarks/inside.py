"""In one process, all modules imported: a whole examination beside the bare exchange, 40 ms away."""

from __future__ import annotations

import gc
import os
import time
from typing import TYPE_CHECKING

from benchmarks.exchange import bare_exchange
from benchmarks.figures import Figure, median, spread
from benchmarks.scene import Scene, far
from fixtures.lab import client
from tunneldoctor.config import load, read_secret
from tunneldoctor.engine import Run, load_packages
from tunneldoctor.model import Policy, RunFinished, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.lab.delay import Counts
    from fixtures.lab.session import Lab
    from tunneldoctor.model import Tunnel


def measure(lab: Lab, pairs: int) -> list[Figure]:
    """*pairs* examinations and bare exchanges, in turn, each going first every other time."""
    with far(lab) as scene:
        tunnel, examine = _tunnel(scene), _examination(scene)
        own: list[tuple[float, Counts]] = []
        bare: list[tuple[float, Counts]] = []
        arms = [(own, examine), (bare, _bare(scene, tunnel))]
        for _, arm in arms:  # once for the imports and the caches
            _timed(scene, arm)
        for number in range(pairs):
            for taken, arm in arms if number % 2 else reversed(arms):
                taken.append(_timed(scene, arm))
    return _figures(own, bare)


def _timed(scene: Scene, work: Callable[[], None]) -> tuple[float, Counts]:
    """Milliseconds, and what went through the proxy."""
    assert scene.proxy is not None
    scene.proxy.take()
    gc.collect()
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000, scene.proxy.take()


def _tunnel(scene: Scene) -> Tunnel:
    environment = scene.stage.env
    os.environ["LAB_DATABASE_PASSWORD"] = environment["LAB_DATABASE_PASSWORD"]  # where the reference points
    return load(scene.stage.config, environment, scene.stage.folder).tunnel(client.TUNNEL, {})


def _examination(scene: Scene) -> Callable[[], None]:
    tunnel, packages = _tunnel(scene), load_packages()

    def examine() -> None:
        *_, last = Run(tunnel, packages, Policy(), read_secret).events()
        assert isinstance(last, RunFinished)
        if last.report.verdict is not Verdict.HEALTHY:
            raise OSError(f"the tunnel is {last.report.verdict}: {last.report.diagnosis}")

    return examine


def _bare(scene: Scene, tunnel: Tunnel) -> Callable[[], None]:
    key, host_key = scene.stage.words["private_key"], scene.stage.words["ed25519"]
    return lambda: bare_exchange(tunnel, key, host_key)


def _figures(own: list[tuple[float, Counts]], bare: list[tuple[float, Counts]]) -> list[Figure]:
    ratios = [mine / least for (mine, _), (least, _) in zip(own, bare, strict=True)]
    trips = [mine.round_trips - least.round_trips for (_, mine), (_, least) in zip(own, bare, strict=True)]
    connections = [mine.connections - least.connections for (_, mine), (_, least) in zip(own, bare, strict=True)]
    mine, least = [value for value, _ in own], [value for value, _ in bare]
    counted = f"{median([c.round_trips for _, c in own]):g} beside {median([c.round_trips for _, c in bare]):g}"
    return [
        Figure("examination, in process, 40 ms away", median(mine), "ms", detail=spread(mine)),
        Figure("the bare exchange", median(least), "ms", detail=spread(least)),
        Figure("ratio of the two", median(ratios), "x", 1.15, f"median of {len(ratios)} pairs: {spread(ratios, 'x')}"),
        Figure("further round trips", median(trips), "trips", 2, counted),
        Figure("further connections", median(connections), "connections", 0),
    ]
