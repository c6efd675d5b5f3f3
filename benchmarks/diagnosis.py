"""Every scenario of the lab, by hand and by tunneldoctor: what was broken, and what each of them said it was.

*By hand* is the real ``ssh -N -L`` and the database's client through it (:mod:`benchmarks.by_hand`). How good that is
is measured without an answer key of ours, and in favour of the hand: the reader is taken to know by heart what every
text means. A fault is **named by hand** where the client said something and no scenario with another cause makes it
say the same, once names, addresses, paths and numbers of the one tunnel are taken out; texts that several causes share
name none of them. **With a lucky guess** also counts, for each shared text, the cause behind most of its scenarios,
which is more than any reader can get right who takes the likeliest cause. Whether a text has words in common with the
titles of tunneldoctor's own pages is not counted: they were written to be understood, not to match.

tunneldoctor is **exact** where it names the staged cause and no other, **in the set** where several causes can't be
told apart from outside and it names just those, **unknown** where something that nobody has given is missing and it
says so, **missed** otherwise; on a healthy tunnel anything above "info" is a **false alarm**. Each scenario is examined
twice, and everything that is found has to be found both times.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from benchmarks.by_hand import Heard, by_hand
from benchmarks.figures import Figure, median
from fixtures.lab.session import Lab, why_not
from fixtures.lab.sshd import version
from fixtures.lab.stage import staged
from fixtures.scenario import load
from tunneldoctor.catalog import Catalog
from tunneldoctor.model import Hop, Tunnel
from tunneldoctor.pasted import blocks, scan, told
from tunneldoctor_checks import PACKAGE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Sequence

    from fixtures.scenario import Expectation, Scenario

#: Scenarios that are staged at the same time, each in a lab of its own process.
AT_ONCE = min(2, os.cpu_count() or 1)

CATALOG = Catalog.of([PACKAGE])
#: Of whose tunnel a text tells nothing but what stands in it.
SOMEBODY = Tunnel("TUNNEL", (Hop("bastion", None),), None)
#: The outcome of a scenario whose servers did not start, or whose clients did not end.
NOT_STAGED = "not staged"


@dataclass(frozen=True, slots=True)
class Said:
    """What a report comes to: its diagnosis, and everything that it found (hop, code, severity).

    Which check was the one to see it is left out: a reset may come a moment before or after the first byte.
    """

    exit_code: int
    verdict: str
    code: str | None
    causes: tuple[str, ...]
    findings: tuple[tuple[str, ...], ...]

    @property
    def shown(self) -> str:
        """The code; a symptom with the number of causes that it may have; else the verdict."""
        if self.code is None:
            return self.verdict
        return self.code if self.causes == (self.code,) else f"{self.code}: {len(self.causes)} causes"


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario. ``cause`` is what was staged; ``seconds`` those of the first examination; ``read`` is what
    ``tunneldoctor read`` makes of the clients' words: ``exact``, ``in the set``, ``silent``, or ``another``, with
    ``, certain`` where it leaves no doubt."""

    name: str
    cause: str
    hand: Heard
    said: Said
    outcome: str
    stable: bool
    seconds: float
    read: str = ""

    @property
    def contradicted(self) -> bool:
        """Whether the clients get through what was called broken, or fail where at most a warning was given."""
        told = self.outcome != NOT_STAGED and self.said.verdict != "inconclusive"
        return told and self.hand.works != (self.said.exit_code == 0)


def rows(scenarios: Sequence[Scenario]) -> list[Row]:
    """All of *scenarios* that can be staged here, in their order."""
    names = [scenario.name for scenario in scenarios if why_not(scenario.needs_root, scenario.database.program) is None]
    with ProcessPoolExecutor(AT_ONCE, mp_context=get_context("spawn")) as workers:
        shares = list(workers.map(_share, [names[at::AT_ONCE] for at in range(AT_ONCE)]))
    return sorted((row for share in shares for row in share), key=lambda row: names.index(row.name))


def _share(names: Sequence[str]) -> list[Row]:
    """In a process of its own: one lab, one scenario after the other. Says on standard error how far it is."""
    table = []
    with Lab() as lab:
        for scenario in load():
            if scenario.name in names:
                table.append(row(scenario, lab))
                print(f"{scenario.name}: {table[-1].outcome}", file=sys.stderr, flush=True)
    return table


def row(scenario: Scenario, lab: Lab) -> Row:
    """Stage *scenario*, examine it twice, and try it by hand. One that can't be staged is told, and spoils no other."""
    try:
        return _tried(scenario, lab)
    except Exception as error:
        nothing = Heard((), "", False, 0.0), Said(-1, f"{type(error).__name__}: {error}"[:200], None, (), ())
        return Row(scenario.name, _cause(scenario), *nothing, NOT_STAGED, True, 0.0)


def _tried(scenario: Scenario, lab: Lab) -> Row:
    expected = scenario.expect.for_version(version())
    with staged(scenario, lab) as stage:
        start = time.monotonic()
        first = said(stage.check())
        seconds = time.monotonic() - start
        second = said(stage.check())
        hand = by_hand(stage)
    cause = _cause(scenario)
    outcome_here = outcome(expected, first)
    return Row(scenario.name, cause, hand, first, outcome_here, first == second, seconds, _read(hand, cause))


def _read(hand: Heard, cause: str) -> str:
    """The first finding is the one that counts, as in a report."""
    findings = told(scan(blocks(io.BytesIO("\n".join(hand.lines).encode())), CATALOG), CATALOG, SOMEBODY)
    if not findings:
        return "silent"
    first = findings[0].finding
    if cause in (*first.causes, first.code):
        return "exact" if len(first.causes) == 1 else "in the set"
    return "another, certain" if len(first.causes) == 1 else "another"


def _cause(scenario: Scenario) -> str:
    """What is broken; where nobody can know without being told, each scenario is a case of its own."""
    expected = scenario.expect
    if expected.verdict == "inconclusive":
        return f"not to be known ({scenario.name})"
    return expected.cause or expected.code or expected.verdict


def said(done: subprocess.CompletedProcess[str]) -> Said:
    """The report on standard output, in short."""
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return Said(done.returncode, f"no report: {done.stderr.strip()[-80:]}", None, (), ())
    diagnosis: dict[str, Any] = report["diagnosis"] or {}
    causes = tuple(sorted(diagnosis.get("causes", ())))
    return Said(done.returncode, report["verdict"], diagnosis.get("code"), causes, tuple(sorted(_findings(report))))


def _findings(report: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    for check in report["checks"]:
        for finding in check["findings"]:
            yield check["hop"], finding["code"], finding["severity"]


def outcome(expected: Expectation, found: Said) -> str:
    """``healthy`` or ``false alarm``; ``exact``, ``in the set``, ``unknown`` or ``missed``."""
    right = (found.exit_code, found.verdict, found.code) == (expected.exit_code, expected.verdict, expected.code)
    if expected.verdict == "healthy":
        alarms = [finding for finding in found.findings if finding[-1] != "info"]
        return "healthy" if right and not alarms else "false alarm"
    if not right or set(found.causes) != set(expected.causes):
        return "missed"
    if expected.verdict == "inconclusive":
        return "unknown"
    return "exact" if len(found.causes) == 1 else "in the set"


def named_by_hand(table: Sequence[Row]) -> set[str]:
    """The names of the scenarios whose text no scenario with another cause has."""
    causes: dict[str, set[str]] = defaultdict(set)
    for row in table:
        causes[row.hand.general].add(row.cause)
    return {row.name for row in _faults(table) if row.hand.general and len(causes[row.hand.general]) == 1}


def guessed_by_hand(table: Sequence[Row]) -> int:
    """How many faults are named by whoever takes the likeliest cause of each text."""
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in _faults(table):
        texts[row.hand.general][row.cause] += 1
    return sum(max(causes.values()) for text, causes in texts.items() if text)


def _faults(table: Sequence[Row]) -> list[Row]:
    return [row for row in table if row.cause != "healthy"]


def figures(table: Sequence[Row], left_out: int) -> list[Figure]:
    """The totals. What must not be is bounded by 0."""
    faults, outcomes = _faults(table), Counter(row.outcome for row in table)
    staged_here = f"{len(table)} scenarios: {len(faults)} with a fault, {len(table) - len(faults)} healthy"
    staged_here += f"; {left_out} can't be staged here" if left_out else ""
    unstable = [row.name for row in table if not row.stable]
    missed = [row.name for row in table if row.outcome == "missed"]
    alarms = [row.name for row in table if row.outcome == "false alarm"]
    broken = [row.name for row in table if row.outcome == NOT_STAGED]
    contradicted = [row.name for row in table if row.contradicted]
    reads = Counter(row.read for row in faults)
    sure = [row.name for row in faults if row.read == "another, certain"]
    return [
        Figure("faults named exactly", outcomes["exact"], "", detail=staged_here),
        Figure("faults named in the smallest set", outcomes["in the set"], ""),
        Figure("rightly called unknown", outcomes["unknown"], ""),
        Figure("faults missed", len(missed), "", 0, " ".join(missed)),
        Figure("false alarms", len(alarms), "", 0, " ".join(alarms)),
        Figure("not to be staged", len(broken), "", 0, " ".join(broken)),
        Figure("different on a second run", len(unstable), "", 0, " ".join(unstable)),
        Figure("faults named by hand", len(named_by_hand(table)), "", detail="no other cause has the same text"),
        Figure("by hand, with a lucky guess", guessed_by_hand(table), "", detail="the likeliest cause of each text"),
        Figure("read from the same text: exactly", reads["exact"], "", detail="tunneldoctor read, offline"),
        Figure("read from the same text: in the set", reads["in the set"], ""),
        Figure("the text tells nothing", reads["silent"], ""),
        Figure("read as something else", reads["another"] + len(sure), "", detail=f"certain: {' '.join(sure)}"),
        Figure("verdicts that ssh and psql contradict", len(contradicted), "", detail=" ".join(contradicted)),
        Figure("middle examination", median([row.seconds for row in table]), "s", detail=_AT_ONCE_NOTE),
        Figure("middle ssh and psql", median([row.hand.seconds for row in table]), "s", detail=_AT_ONCE_NOTE),
    ]


_AT_ONCE_NOTE = f"{AT_ONCE} scenarios at a time"
