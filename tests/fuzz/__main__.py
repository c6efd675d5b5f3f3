"""``python -m tests.fuzz``: the whole fuzz run, on every processor; ends with 1 where something broke."""

from __future__ import annotations

import argparse
import base64
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzz.corpus import corpus
from tests.fuzz.readers import READERS
from tests.fuzz.run import MOST_GROWTH, Result, work

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="how many in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[reader.name for reader in READERS], help="one reader")
    wishes = parser.parse_args()
    workers, start = os.cpu_count() or 1, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tunneldoctor-fuzz-") as folder:
        seeds = corpus(Path(folder))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(work, wishes.inputs // workers, wishes.seed + at, seeds, wishes.only) for at in range(workers)
        ]
        results = [job.result() for job in jobs]
    return _told(results, time.monotonic() - start)


def _told(results: Sequence[Result], seconds: float) -> int:
    out = sys.stdout.write
    out(f"{'reader':<16}{'inputs':>9}{'a second':>10}{'slowest':>10}{'answers':>9}\n")
    for name in results[0].tallies:
        tallies = [result.tallies[name] for result in results]
        inputs, taken = sum(tally.inputs for tally in tallies), sum(tally.seconds for tally in tallies)
        answers = len(set().union(*(tally.answers for tally in tallies)))
        slowest = max(tally.slowest for tally in tallies) * 1000
        out(f"{name:<16}{inputs:>9}{inputs / max(taken, 1e-9):>10.0f}{slowest:>7.0f} ms{answers:>9}\n")
    troubles = {key: trouble for result in results for key, trouble in result.troubles.items()}
    growth = max(result.growth for result in results)
    total = sum(tally.inputs for result in results for tally in result.tallies.values())
    out(f"{total} inputs in {seconds:.0f} s; memory in the last third {growth:.2f} of the first")
    out(f" (at most {MOST_GROWTH})\n" if growth <= MOST_GROWTH else f": more than {MOST_GROWTH}\n")
    for trouble in troubles.values():
        out(f"\n{trouble.reader}: {trouble.what}\n{base64.b64encode(trouble.data).decode()}\n")
    return 1 if troubles or growth > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
