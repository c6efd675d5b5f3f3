"""The path from here to the database: every stop with its state and, where it was measured, one round trip to it."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from tunneldoctor.model import PathHop, visible
from tunneldoctor.report.reading import latency
from tunneldoctor.tui.state import Phase, State
from tunneldoctor.tui.words import LOUD, cut, state_words, together


@dataclass(frozen=True, slots=True)
class _Stop:
    name: str
    address: str
    state: str
    style: str
    latency: str

    @property
    def width(self) -> int:
        return max(map(cell_len, (self.name, self.address, self.words)))

    @property
    def words(self) -> str:
        return f"{self.state} {self.latency}".strip()


class PathBar(Widget):
    """Three lines where there is room, else one, in which the addresses are left out first and the words last."""

    DEFAULT_CSS = "PathBar { height: 1; }"

    def __init__(self, state: State, arrow: str) -> None:
        super().__init__()
        self._state = state
        self._arrow = arrow

    def show(self, state: State) -> None:
        """Show the path of *state*."""
        self._state = state
        self.refresh()

    def render(self) -> Content:
        """The most that fits."""
        return path(self._state, self.size.width, self.size.height, self._arrow)


def path(state: State, width: int, height: int, arrow: str = "→") -> Content:
    """The path of *state* in *width* columns and *height* lines."""
    stops = [_stop(state, hop) for hop in state.stops]
    if height >= 3:
        columns = _columns(stops, arrow)
        if cell_len(columns.plain.split("\n")[0]) <= width and max(map(cell_len, columns.plain.split("\n"))) <= width:
            return columns
    for line in (_line(stops, arrow), _line(stops, arrow, words=False)):
        if cell_len(line.plain) <= width:
            return line
    return Content(cut(_line(stops, arrow, words=False).plain, width))


def _stop(state: State, hop: PathHop) -> _Stop:
    if hop.hop == "here":
        return _Stop("you", "", "", "", "")
    there = [look for look in state.looks.values() if look.planned.hop == hop.hop]
    phase = Phase.WAITING if state.phase is Phase.WAITING else together(there)[1]
    if hop.status in LOUD and state.phase is not Phase.WAITING:  # no news makes that better
        phase = Phase.ENDED
    words, style = state_words(hop.status, phase)
    trip = latency(hop.latency_ms) if hop.latency_ms is not None else ""
    return _Stop(hop.hop, _address(state, hop), words, style, trip)


def _address(state: State, hop: PathHop) -> str:
    """Where the stop is, by the name that the user gave it."""
    tunnel = state.tunnel
    if tunnel is None:
        return visible(hop.address or "")
    if hop.hop == "database":
        asked = tunnel.remote
    else:
        asked = next((each.address for each in tunnel.hops if each.name == hop.hop), None)
    return visible(str(asked or hop.address or ""))


def _line(stops: list[_Stop], arrow: str, words: bool = True) -> Content:
    parts = []
    for stop in stops:
        state = stop.state if words else stop.state[:1]
        trip = f" {stop.latency}" if words and stop.latency else ""
        parts.append(Content.assemble((f"{state} " if state else "", stop.style), (stop.name, "bold"), trip))
    return Content(f" {arrow} ").join(parts)


def _columns(stops: list[_Stop], arrow: str) -> Content:
    """Names, addresses and states under each other."""
    rule = "─" if arrow == "→" else "-"
    head = "▶" if arrow == "→" else ">"
    lines: list[list[Content]] = [[], [], []]
    for number, stop in enumerate(stops):
        last = number == len(stops) - 1
        pad = 0 if last else stop.width - cell_len(stop.name) + 3
        between = "" if last else f" {rule * pad}{head} "
        gap = "" if last else " " * 6
        lines[0] += [Content.styled(stop.name, "bold"), Content.styled(between, "$text-muted")]
        lines[1] += [
            Content.styled(stop.address, "$text-muted"),
            _blank(stop.width - cell_len(stop.address)),
            Content(gap),
        ]
        trip = f" {stop.latency}" if stop.latency else ""
        lines[2] += [
            Content.styled(stop.state, stop.style),
            Content(trip),
            _blank(stop.width - cell_len(stop.words)),
            Content(gap),
        ]
    return Content("\n").join([Content("").join(line).rstrip() for line in lines])


def _blank(width: int) -> Content:
    return Content(" " * width)
