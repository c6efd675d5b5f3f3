"""Plan, run, explain, judge. Knows no protocol and no particular check."""

from tunneldoctor.engine.load import load_packages
from tunneldoctor.engine.run import Run
from tunneldoctor.engine.selection import unknown_names

__all__ = ["Run", "load_packages", "unknown_names"]
