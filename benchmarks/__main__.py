"""``python -m benchmarks``: measure, print the tables, end with 1 where a bound is exceeded."""

import argparse
import sys
from pathlib import Path

from benchmarks import database, diagnosis, diagnosis_table, holes, idle, inside, outside, tui
from benchmarks.figures import Figure, show
from fixtures.lab.session import Lab, why_not
from fixtures.scenario import load

_PARTS = ("inside", "outside", "holes", "database", "idle", "tui", "diagnosis")


def main() -> int:
    """Measure what was asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pairs")
    parser.add_argument("--only", choices=_PARTS, help="one part")
    parser.add_argument("-o", metavar="FILE", type=Path, help="write the diagnosis table there too, as Markdown")
    wishes = parser.parse_args()
    if reason := why_not(needs_root=False):
        print(f"benchmarks: {reason}", file=sys.stderr)
        return 2
    pairs = 5 if wishes.quick else 15
    figures: list[Figure] = []
    with Lab() as lab:
        if wishes.only in (None, "inside"):
            figures += inside.measure(lab, pairs)
        if wishes.only in (None, "outside"):
            figures += outside.measure(lab, pairs)
        if wishes.only in (None, "holes"):
            figures += holes.measure(lab)
        if wishes.only in (None, "database"):
            figures += database.measure(lab, pairs)
        if wishes.only in (None, "idle"):
            figures += idle.measure(lab)
    if wishes.only in (None, "tui"):
        figures += tui.measure(pairs)
    if wishes.only in (None, "diagnosis"):
        figures += _diagnosis(wishes.o)
    show(figures)
    return 1 if any(figure.over for figure in figures) else 0


def _diagnosis(file: Path | None) -> list[Figure]:
    scenarios = load()
    rows = diagnosis.rows(scenarios)
    figures = diagnosis.figures(rows, left_out=len(scenarios) - len(rows))
    diagnosis_table.show(rows)
    if file:
        file.write_text(diagnosis_table.markdown(rows, figures))
    return figures


if __name__ == "__main__":
    sys.exit(main())
