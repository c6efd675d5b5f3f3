"""The history of a watch: each stop's round trips as bars, and what was lost as what it is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from tunneldoctor.report.reading import latency
from tunneldoctor.tui.state import Probe

# The full bar is a lost probe's alone: a Sparkline has no bar for what is missing, and would draw it as zero.
_BARS, _LOST = "▁▂▃▄▅▆▇", "█"


def history(probes: Sequence[Probe], width: int) -> Content:
    """One line a stop: name, bars with the newest on the right, the last value, how many were lost."""
    stops = list(dict.fromkeys(stop for probe in probes for stop in probe))
    name = max(map(cell_len, stops), default=0)
    lines = []
    for stop in stops:
        values = [probe.get(stop) for probe in probes]
        words = _words(values)
        room = max(1, width - name - cell_len(words) - 4)
        lines.append(Content.assemble(f"{stop:<{name}}  ", bars(values[-room:]), f"  {words}"))
    return Content("\n").join(lines)


def bars(values: Sequence[float | None]) -> Content:
    """A bar a value, in proportion to the largest; a full one where the probe was lost."""
    largest = max((value for value in values if value is not None), default=0.0)
    parts = []
    for value in values:
        if value is None:
            parts.append((_LOST, "$text-error"))
        else:
            parts.append((_BARS[round(value / largest * (len(_BARS) - 1)) if largest else 0], "$text-accent"))
    return Content.assemble(*parts)


def _words(values: Sequence[float | None]) -> str:
    seen = [value for value in values if value is not None]
    last = latency(values[-1]) if values and values[-1] is not None else "lost"
    spread = f", {latency(min(seen))} to {latency(max(seen))}" if seen else ""
    lost = len(values) - len(seen)
    return f"{last}{spread}; {f'{lost} of {len(values)} lost ({_LOST})' if lost else f'none of {len(values)} lost'}"
