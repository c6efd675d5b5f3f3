"""``python -m benchmarks [--quick]``: measure, print the table, end with 1 where a bound is exceeded."""

import argparse
import sys

from benchmarks import holes, inside, outside
from benchmarks.figures import Figure, show
from fixtures.lab.session import Lab, why_not


def main() -> int:
    """Measure what was asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pairs")
    parser.add_argument("--only", choices=("inside", "outside", "holes"), help="one part")
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
    show(figures)
    return 1 if any(figure.over for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
