"""A small share of the fuzz run (``make fuzz``), what it found before, and that it would see what it looks for."""

from __future__ import annotations

import base64
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fuzz import run
from tests.fuzz.corpus import corpus
from tests.fuzz.readers import READERS, Reader
from tests.fuzz.run import Result, fuzz

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

CASES: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("cases.toml").read_text())
READ = {reader.name: reader for reader in READERS}


@pytest.mark.parametrize("name", CASES)
def test_an_input_that_broke_a_reader_once_does_so_no_more(name: str) -> None:
    case = CASES[name]
    data = base64.b64decode(case["data"]) * case.get("times", 1)
    result = fuzz(0, 1, {case["reader"]: [data]}, [READ[case["reader"]]])
    assert [each.what for each in result.troubles.values()] == []


def test_no_reader_is_broken_or_held_up_by_three_thousand_inputs(tmp_path: Path) -> None:
    result = fuzz(3000, seed=1, corpus=corpus(tmp_path))
    assert [f"{each.reader}: {each.what}: {each.data!r}" for each in result.troubles.values()] == []
    assert all(tally.inputs > 30 for tally in result.tallies.values())


def _fuzzed(read: Callable[[bytes], Hashable], inputs: int = 60) -> Result:
    return fuzz(inputs, 1, {"mine": [b"one two"]}, [Reader("mine", read, 1)])


def test_the_run_names_each_place_that_raises_once_with_its_shortest_input() -> None:
    given: list[bytes] = []

    def read(data: bytes) -> Hashable:
        given.append(data)
        raise ValueError("no")

    (trouble,) = _fuzzed(read).troubles.values()
    assert trouble.what.startswith("ValueError: no at test_fuzz.py:")
    assert len(trouble.data) == min(map(len, given))


def test_the_run_names_an_input_that_a_reader_is_stuck_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LONGEST", 0.05)

    def read(data: bytes) -> Hashable:
        while data == b"one two":
            try:
                time.sleep(1)
            except Exception:  # as a reader may hide what went wrong
                return None
        return None

    (trouble,) = _fuzzed(read).troubles.values()
    assert (trouble.what, trouble.data) == ("longer than 0.05 s", b"one two")


def test_the_run_sees_memory_grow() -> None:
    kept: list[bytes] = []
    steady = _fuzzed(len, 240)
    assert steady.growth < run.MOST_GROWTH
    leaking = _fuzzed(lambda data: kept.append(b"x" * (1 << 18)), 240)
    assert leaking.growth > run.MOST_GROWTH


def test_the_same_seed_gives_the_same_inputs() -> None:
    given: list[list[bytes]] = [[], []]
    for each in given:
        _fuzzed(each.append, 400)
    assert given[0] == given[1]
    assert len(set(given[0])) > 200
