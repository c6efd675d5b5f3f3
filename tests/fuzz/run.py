"""The fuzz run: a number of inputs to each reader, and what none of them may do.

No input may raise what its reader does not document, nor hold it up, and memory has to stay flat. Inputs are mutations
of the corpus, each a little different from one that came before, and long runs of one thing; one in ten is made by
hypothesis from the corpus' pieces. What brings an answer that was not there before is gone on from.
"""

from __future__ import annotations

import faulthandler
import re
import resource
import signal
import statistics
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.fuzz.mutate import long_runs, mutated
from tests.fuzz.readers import READERS, Reader

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

#: Seconds that one input may take on a busy machine.
LONGEST = 2.0
#: How much more memory the last third of a run may take than the first.
MOST_GROWTH = 1.1
_STUCK = 1200  # seconds
_BY_HYPOTHESIS = 10  # one in so many
_MOST_SEEDS, _LONGEST_SEED = 400, 4096
_SAMPLES = 120
_PIECE = re.compile(rb"[ ,:\n]")


class _TooLong(BaseException):
    """The time for one input is over; no reader's own handler takes it for an error of its own."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An input that a reader could not take: what happened, and where."""

    reader: str
    what: str
    data: bytes


@dataclass(slots=True)
class Tally:
    """One reader's inputs, their seconds, the slowest of them, and how many different answers came."""

    inputs: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    answers: set[Hashable] = field(default_factory=set)


@dataclass(slots=True)
class Result:
    """What came of a run. ``memory`` holds bytes in use, taken at even distances."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    troubles: dict[tuple[str, str], Trouble] = field(default_factory=dict)
    memory: list[int] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Memory in the last third by memory in the first."""
        third = max(1, len(self.memory) // 3)
        return statistics.mean(self.memory[-third:]) / statistics.mean(self.memory[:third])


def fuzz(inputs: int, seed: int, corpus: Mapping[str, Sequence[bytes]], readers: Sequence[Reader] = READERS) -> Result:
    """Give *readers* this many inputs, made from *corpus*; the same ones for the same *seed* and corpus."""
    result = Result({reader.name: Tally() for reader in readers})
    seeds = {reader.name: list(corpus[reader.name]) for reader in readers}
    for reader in readers:
        for data in (*seeds[reader.name], *long_runs(seeds[reader.name][0])):
            _one(reader, data, result)
    random, shares = Random(seed), [reader.share for reader in readers]
    mutations = inputs - inputs // _BY_HYPOTHESIS
    for number in range(mutations):
        if number % max(1, mutations // _SAMPLES) == 0:
            result.memory.append(_memory())
        reader = random.choices(readers, shares)[0]
        data = mutated(seeds[reader.name], random)
        if _one(reader, data, result) and len(seeds[reader.name]) < _MOST_SEEDS and len(data) < _LONGEST_SEED:
            seeds[reader.name].append(data)
    for reader in readers:
        _hypothesis(reader, inputs * reader.share // (_BY_HYPOTHESIS * sum(shares)), seed, corpus, result)
    return result


def work(inputs: int, seed: int, corpus: Mapping[str, Sequence[bytes]], only: str | None) -> Result:
    """:func:`fuzz` in a process of its own, which says where it is stuck should Python be unable to stop it."""
    faulthandler.dump_traceback_later(_STUCK, exit=True)
    try:
        return fuzz(inputs, seed, corpus, [reader for reader in READERS if only in (None, reader.name)])
    finally:
        faulthandler.cancel_dump_traceback_later()


def _one(reader: Reader, data: bytes, result: Result) -> bool:
    """Whether the answer is new."""
    tally, start = result.tallies[reader.name], time.perf_counter()
    try:
        answer = _limited(reader, data)
    except (Exception, _TooLong) as error:
        _note(reader, error, data, result)
        return False
    finally:
        taken = time.perf_counter() - start
        tally.inputs, tally.seconds, tally.slowest = tally.inputs + 1, tally.seconds + taken, max(tally.slowest, taken)
    new = answer not in tally.answers
    tally.answers.add(answer)
    return new


def _note(reader: Reader, error: BaseException, data: bytes, result: Result) -> None:
    """One trouble for each place that it comes from; the shortest input of it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = "" if isinstance(error, _TooLong) else f" at {Path(frame.filename).name}:{frame.lineno}"
    key = (reader.name, type(error).__name__ + place)
    known = result.troubles.get(key)
    if known is None or len(data) < len(known.data):
        what = f"longer than {LONGEST:g} s" if isinstance(error, _TooLong) else f"{type(error).__name__}: {error}"
        result.troubles[key] = Trouble(reader.name, what + place, data)


def _limited(reader: Reader, data: bytes, attempts: int = 2) -> Hashable:
    """The reader's answer, within the time; a machine that is busy elsewhere gets a second attempt. Raises _TooLong."""

    def over(*_: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        return reader.read(data)
    except _TooLong:
        if attempts == 1:
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return _limited(reader, data, attempts - 1)


def _hypothesis(reader: Reader, inputs: int, seed: int, corpus: Mapping[str, Sequence[bytes]], result: Result) -> None:
    """Inputs put together from the corpus' pieces and from anything."""
    pieces = sorted({piece for data in corpus[reader.name] for piece in _PIECE.split(data)})
    parts = st.one_of(st.sampled_from(pieces), st.sampled_from([b" ", b"\n", b","]), st.binary(max_size=40))

    @seeded(seed)
    @settings(
        max_examples=max(1, inputs), database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(parts, max_size=20))
    def give(given_parts: list[bytes]) -> None:
        _one(reader, b"".join(given_parts), result)

    give()


def _memory() -> int:
    """Bytes that this process has in memory (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
