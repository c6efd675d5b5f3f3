"""Several tunnels examined at the same time, on threads of our own."""

from __future__ import annotations

import queue
import threading
from functools import partial
from typing import TYPE_CHECKING

from tunneldoctor.cli.examine import Request, examine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tunneldoctor.cli.stop import Stop
    from tunneldoctor.model import Event, Report, Tunnel


def examine_all(
    tunnels: Sequence[Tunnel], request: Request, stop: Stop, jobs: int, see: Callable[[Tunnel, Event], None]
) -> list[Report]:
    """Examine *tunnels*, *jobs* at a time; the reports are in the order of *tunnels*.

    *see* is called by one thread at a time. After a signal what has not begun ends at once, as not run.
    """
    waiting: queue.SimpleQueue[tuple[int, Tunnel]] = queue.SimpleQueue()
    for numbered in enumerate(tunnels):
        waiting.put(numbered)
    done: dict[int, Report] = {}
    failures: list[BaseException] = []
    one_at_a_time = threading.Lock()

    def see_alone(tunnel: Tunnel, event: Event) -> None:
        with one_at_a_time:
            see(tunnel, event)

    def work() -> None:
        while True:
            try:
                number, tunnel = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done[number] = examine(tunnel, request, stop, partial(see_alone, tunnel))
            except BaseException as error:
                failures.append(error)
                return

    # Daemons: what hangs after a signal must not keep the process alive, as an executor's threads would.
    workers = [threading.Thread(target=work, name=f"fleet {n}", daemon=True) for n in range(min(jobs, len(tunnels)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return [done[number] for number in range(len(tunnels))]
