"""The tunnels there are to choose from: the file's, then the Hosts of ssh_config that are tunnels already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from tunneldoctor.config import Configuration
from tunneldoctor.config.ssh_tunnels import ssh_tunnels
from tunneldoctor.model import Tunnel, Verdict, visible
from tunneldoctor.report.difference import ago
from tunneldoctor.tui.words import verdict_glyph, verdict_style

if TYPE_CHECKING:
    from tunneldoctor.history import History, Kept

#: Columns that state and last run need at least, and a line that has room for where a tunnel leads as well.
_LAST, _ROOM_FOR_PLACES = 26, 58


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them. ``place`` is where it leads; the rest is what the last run came to, if one is kept."""

    name: str
    place: str
    from_ssh_config: bool = False
    verdict: Verdict | None = None
    title: str = ""
    examined_at: datetime | None = None

    def fits(self, wanted: str) -> bool:
        """Every word of *wanted* is in what is shown of it."""
        shown = f"{self.name} {self.place} {self.verdict or ''} {self.title}".lower()
        return all(word in shown for word in wanted.lower().split())


def choices(configuration: Configuration, history: History | None) -> Iterator[Choice]:
    """All of them, in the order in which they are written down; a Host called as a tunnel of the file is left out."""
    names = configuration.names()
    for name in names:
        yield _choice(name, _place(configuration.tunnel(name, {})), False, history)
    for host in ssh_tunnels(configuration.surroundings):
        if host.name not in names:
            yield _choice(host.name, f"{host.server} → {host.target}", True, history)


def _choice(name: str, place: str, from_ssh_config: bool, history: History | None) -> Choice:
    last: Kept | None = history.last(name) if history else None
    if last is None:
        return Choice(name, place, from_ssh_config)
    found = last.report.diagnosis
    title = visible(found.title) if found else ""
    return Choice(name, place, from_ssh_config, last.verdict, title, last.started_at)


def _place(tunnel: Tunnel) -> str:
    bastion = tunnel.bastion.host or "no bastion yet"
    return visible(f"{bastion} → {tunnel.remote or 'nowhere yet'}", 300)


def lines(rows: Sequence[Choice], width: int, now: datetime) -> list[Content]:
    """State, name, where it leads, and how it was; what *width* columns do not hold is left out from the right."""
    names = [Content(visible(row.name, 200)) for row in rows]
    column = min(max((name.cell_length for name in names), default=0), max(width // 3, 8))
    places = min(max((len(row.place) for row in rows), default=0), max(width - column - _LAST, 12))
    made = []
    for row, name in zip(rows, names, strict=True):
        parts = [_state(row), name.truncate(column, ellipsis=True, pad=True)]
        if width >= _ROOM_FOR_PLACES:
            parts.append(Content(row.place).truncate(places, ellipsis=True, pad=True))
        made.append(Content("  ").join([*parts, _last(row, now)]).truncate(width, ellipsis=True))
    return made


def _state(row: Choice) -> Content:
    if row.verdict is None:
        return Content.styled("·", "$text-muted")
    return Content.styled(verdict_glyph(row.verdict), verdict_style(row.verdict))


def _last(row: Choice, now: datetime) -> Content:
    if row.verdict is None or row.examined_at is None:
        from_ssh = "Host of ssh_config, " if row.from_ssh_config else ""
        return Content.styled(f"{from_ssh}not examined yet", "$text-muted")
    when = f"{row.verdict} {ago((now - row.examined_at).total_seconds())}"
    title = f"  {row.title}" if row.title else ""
    return Content.assemble((when, verdict_style(row.verdict)), title)
