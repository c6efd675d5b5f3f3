"""What the main screen shows of a state: the path, the checks, all about one of them, the log, and the sum of it."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static, Tree

from tunneldoctor.model import Report, Status
from tunneldoctor.report.reading import diagnosed_check
from tunneldoctor.tui.detail import DetailPane, finding_of, group_told, page_text, told
from tunneldoctor.tui.path_bar import PathBar
from tunneldoctor.tui.session import Session
from tunneldoctor.tui.state import Key, Look, Phase, State
from tunneldoctor.tui.status import last_run, status_line
from tunneldoctor.tui.tree import CheckTree, Group
from tunneldoctor.tui.watch import history
from tunneldoctor.tui.words import LOUD

if TYPE_CHECKING:
    from textual.timer import Timer

    from tunneldoctor.tui.filter_line import FilterLine
    from tunneldoctor.tui.log import LogPane

#: Seconds before the detail of a newly selected check is drawn: who holds a key down does not wait for each.
DEBOUNCE = 0.1
#: Seconds between two drawings of what changes by itself.
TICK = 0.2
#: Widths and heights from which there is room for two panes, for the keys, and for three lines of path.
WIDTHS = [(0, "-narrow"), (72, "-wide")]
HEIGHTS = [(0, "-tiny"), (14, "-short"), (28, "-tall")]
#: The panes that can have the whole screen.
PANES = ("tree", "detail", "log")


class View(Screen[None]):
    """Shows ``state``; :meth:`show` shows another. It starts nothing and asks nobody."""

    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(self, session: Session, state: State) -> None:
        super().__init__()
        self.session = session
        self.state = state
        self.before: Report | None = None
        self._began = session.clock()
        self.filter_line: FilterLine | None = None
        self._log: LogPane | None = None
        self._only = ""
        self._drawing: Timer | None = None

    def compose(self) -> ComposeResult:
        """From the path at the top to the keys at the bottom."""
        yield PathBar(self.state, "→" if self.session.unicode else "->")
        yield Static(id="watch", markup=False)
        with Container(id="panes"):
            yield CheckTree(self.state)
            yield DetailPane()
        yield Static(id="status", markup=False)
        yield Container(id="keys")

    def on_mount(self) -> None:
        """The tree has the keys."""
        self.query_one(CheckTree).focus()
        self.set_interval(TICK, self._tick)
        self.show(self.state)
        self.call_after_refresh(self._show_keys)

    async def _show_keys(self) -> None:
        """A footer is a widget a key, and waits until what it is about is on the screen."""
        from textual.widgets import Footer

        gc.enable()  # cli/tui turned it off for the start
        await self.query_one("#keys").mount(Footer(compact=True, show_command_palette=False))
        self.refresh_bindings()

    @property
    def now_ms(self) -> float:
        """Milliseconds since the run began."""
        return (self.session.clock() - self._began) * 1000

    @property
    def selected(self) -> Look | None:
        """The check that the cursor is on; on a layer, the worst of its checks if there is one to look at."""
        chosen = self.query_one(CheckTree).selected
        if isinstance(chosen, Group):
            return self.query_one(CheckTree).worst_of(chosen)
        return self.state.looks.get(chosen) if chosen else None

    def began(self) -> None:
        """A run begins now."""
        self._began = self.session.clock()

    def show(self, state: State) -> None:
        """Show *state*: what differs from what is shown."""
        before, self.state = self.state, state
        tree = self.query_one(CheckTree)
        tree.show(state)
        tree.tick(self.now_ms)
        self._point_at_trouble(tree)
        self.query_one(PathBar).show(state)
        if self._log:
            self._log.show(state)
        self._show_watch()
        self._show_status()
        if before.phase is not state.phase:
            self.refresh_bindings()
        self._draw_detail_soon()

    def _point_at_trouble(self, tree: CheckTree) -> None:
        """The first broken thing, or in the end what the diagnosis is about, unless the user looks elsewhere."""
        if tree.user_moved:
            return
        broken = next((key for key, look in self.state.looks.items() if look.status is Status.FAIL), None)
        report = self.state.report if self.state.phase is Phase.ENDED else None
        main = diagnosed_check(report) if report else None
        target: Key | None = (main.id, main.hop) if main else broken
        if target and tree.selected != target:
            tree.place(target)

    def _show_watch(self) -> None:
        bar = self.query_one("#watch", Static)
        bar.set_class(len(self.state.probes) > 1, "shown")
        if len(self.state.probes) > 1:
            bar.update(history(self.state.probes, self.size.width - 2))

    def _show_status(self) -> None:
        line = self.query_one("#status", Static)
        before = last_run(self.before, datetime.now(UTC) - self.before.started_at) if self.before else ""
        width = line.content_size.width or self.size.width
        line.update(status_line(self.state, self.now_ms, width, before), layout=False)

    def _tick(self) -> None:
        if self.state.phase is Phase.RUNNING:
            self.query_one(CheckTree).tick(self.now_ms)
            self._show_status()

    @on(Tree.NodeHighlighted)
    def _draw_detail_soon(self) -> None:
        if self._drawing:
            self._drawing.stop()
        self._drawing = self.set_timer(DEBOUNCE, self.draw_detail)

    async def draw_detail(self) -> None:
        """Draw the detail of what is selected, and the page of its code."""
        pane = self.query_one(DetailPane)
        if not pane.is_running:  # the screen is on its way out
            return
        look, chosen = self.selected, self.query_one(CheckTree).selected
        width = pane.scrollable_content_region.width
        if isinstance(chosen, Group) and (look is None or look.status not in LOUD):
            pane.show(group_told(self.query_one(CheckTree).looks_of(chosen), width))
            await pane.show_page("")
            return
        pane.show(told(self.state, look.key if look else None, width))
        await pane.show_page(self._page(look))

    def _page(self, look: Look | None) -> str:
        finding = finding_of(look)
        if look is None or finding is None or not self.session.installed.ready:
            return ""
        page = self.session.installed.catalog.find(finding.code)
        return page_text(page, finding, self.state, look.planned.hop) if page else ""

    @on(Resize)
    def _fit(self) -> None:
        self.share_out()
        self._show_watch()
        self._show_status()
        self._draw_detail_soon()

    async def open_log(self) -> LogPane:
        """The log, which is made when it is first wanted."""
        if self._log is None:
            from tunneldoctor.tui.log import LogPane

            self._log = LogPane()
            await self.mount(self._log, before="#status")
            self._log.show(self.state)
        return self._log

    async def open_filter(self) -> FilterLine:
        """The line for what the checks to show have in them, which is made when it is first wanted."""
        if self.filter_line is None:
            from tunneldoctor.tui.filter_line import FilterLine

            self.filter_line = FilterLine(self.query_one(CheckTree))
            await self.mount(self.filter_line, before="#status")
        return self.filter_line

    @on(Tree.NodeSelected)
    def _read(self, event: Tree.NodeSelected[Key | Group]) -> None:
        """A check was entered: on a small terminal its detail takes the tree's place."""
        if isinstance(event.node.data, tuple):
            if self.has_class("-tiny"):
                self._only = "detail"
                self.share_out()
            self.query_one(DetailPane).focus()

    def maximise(self) -> None:
        """Give the pane with the keys the whole screen, or let it share again."""
        pane = self._focused_pane()
        self._only = "" if self._only or pane is None else pane
        self.share_out()

    def share(self) -> bool:
        """Let the panes share the screen; False where they did already."""
        shared, self._only = not self._only, ""
        self.share_out()
        return not shared

    def share_out(self) -> None:
        """Which panes are there: all, or the one that has the screen for itself; on a tiny terminal always one."""
        only = self._only or ("tree" if self.size.height < HEIGHTS[1][0] else "")
        for pane in PANES:
            self.set_class(only == pane, f"-only-{pane}")

    def _focused_pane(self) -> str | None:
        widget: Widget | None = self.focused
        return widget.id if widget and widget.id in PANES else None
