"""The tree of layers and their checks, live: a layer opens while it is looked at, and where there is trouble."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from tunneldoctor.model import Layer, Status, visible
from tunneldoctor.tui.state import Key, Look, Phase, State
from tunneldoctor.tui.words import LOUD, cut, state_words, together, took

#: Columns that a state gets, where the tree is that wide, and where it is not; then longer ones push the title.
_STATE, _WIDE, _SHORT_STATE = len("– not run  "), 44, len("✗ FAIL ")
_CLASSES = {
    Status.PASS: "good",
    Status.WARN: "warning",
    Status.FAIL: "bad",
    Status.BLOCKED: "quiet",
    Status.SKIPPED: "quiet",
    Status.UNKNOWN: "warning",
    Status.ERROR: "bad",
}


@dataclass(frozen=True, slots=True)
class Group:
    """A layer on one stop of the path."""

    place: str
    layer: Layer


def group_of(look: Look) -> Group:
    """Where a check stands in the tree: what is read before anything is sent belongs to here."""
    here = look.planned.layer in (Layer.CONFIG, Layer.KEY)
    return Group("here" if here else look.planned.hop, look.planned.layer)


def matches(look: Look, wanted: str) -> bool:
    """Every word of *wanted* is in the check's id, hop, title, state or codes."""
    result = look.result
    codes = [each.code for each in result.findings] if result else []
    state = state_words(look.status, look.phase)[0]
    text = " ".join([*look.key, look.planned.title, state, *codes]).lower()
    return all(word in text for word in wanted.lower().split())


class CheckTree(Tree[Key | Group]):
    """Shows a state. ``deadline`` is what one stage may take, in seconds; ``now_ms`` the time since the run's start."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False, id="tree.down", tooltip="Down"),
        Binding("k", "cursor_up", show=False, id="tree.up", tooltip="Up"),
        Binding("g", "scroll_home", show=False, id="tree.first", tooltip="To the first"),
        Binding("G", "scroll_end", show=False, id="tree.last", tooltip="To the last"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tree--good", "tree--warning", "tree--bad", "tree--quiet", "tree--running"}
    DEFAULT_CSS = """
    CheckTree {
        overflow-x: hidden;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        & > .tree--good { color: $text-success; }
        & > .tree--warning { color: $text-warning; }
        & > .tree--bad { color: $text-error; text-style: bold; }
        & > .tree--quiet { color: $foreground-muted; }
        & > .tree--running { color: $text-accent; }
    }
    """

    def __init__(self, state: State) -> None:
        super().__init__("checks", id="tree")
        self.show_root = False
        self.show_guides = False
        self.guide_depth = 2
        self.now_ms = 0.0
        self._state = state
        self._wanted = ""
        self._leaves: dict[Key, TreeNode[Key | Group]] = {}
        self._groups: dict[Group, TreeNode[Key | Group]] = {}
        self._placed: TreeNode[Key | Group] | None = None

    @property
    def selected(self) -> Key | Group | None:
        """What the cursor is on."""
        return self.cursor_node.data if self.cursor_node else None

    @property
    def user_moved(self) -> bool:
        """Whether the cursor stands elsewhere than where the program put it."""
        return self.cursor_node is not self._placed

    def show(self, state: State) -> None:
        """Show *state*: only what changed is drawn anew."""
        before, self._state = self._state, state
        if list(state.looks) != list(self._leaves) and not self._wanted:
            self._build_again()
            return
        changed = [key for key, look in state.looks.items() if before.looks.get(key) is not look]
        self._refresh(changed)

    def tick(self, now_ms: float) -> None:
        """Time went by: what runs shows how long it does."""
        self.now_ms = now_ms
        self._refresh([key for key, look in self._state.looks.items() if look.phase is Phase.RUNNING])

    def filter(self, wanted: str) -> None:
        """Only the checks that have all of these words."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._build_again()

    def place(self, key: Key) -> None:
        """Put the cursor on a check, as the program's choice and not the user's."""
        self.go(key)
        self._placed = self.cursor_node

    def go(self, key: Key) -> None:
        """Put the cursor on a check."""
        if leaf := self._leaves.get(key):
            if leaf.parent and not leaf.parent.is_expanded:
                leaf.parent.expand()
            _ = self.last_line  # lines are numbered when they are asked for
            self.move_cursor(leaf)

    def looks_of(self, group: Group) -> list[Look]:
        """The checks of a layer that are shown."""
        node = self._groups.get(group)
        children = node.children if node else ()
        return [self._state.looks[child.data] for child in children if isinstance(child.data, tuple)]

    def worst_of(self, group: Group) -> Look | None:
        """The check of a layer that is most to be looked at, if there is one."""
        looks = [look for look in self.looks_of(group) if look.status in LOUD]
        return min(looks, key=lambda look: LOUD.index(look.status) if look.status else 0, default=None)

    def on_resize(self) -> None:
        """What the cursor is on stays in sight."""
        if self.cursor_node:
            self.call_after_refresh(self.scroll_to_node, self.cursor_node, False)

    def problems(self) -> list[Key]:
        """The checks to look at, from the top down."""
        return [key for key in self._leaves if self._state.looks[key].status in LOUD]

    def _build_again(self) -> None:
        selected = self.selected
        moved = self.user_moved
        self.clear()
        self._leaves, self._groups = {}, {}
        for key, look in self._state.looks.items():
            if not self._wanted or matches(look, self._wanted):
                self._leaves[key] = self._group(group_of(look)).add_leaf("", key)
        self._fold(self._groups)
        _ = self.last_line
        chosen = self._leaves.get(selected) if isinstance(selected, tuple) else self._groups.get(selected or _NOWHERE)
        self.move_cursor(chosen or next(iter(self._groups.values()), None))
        if not moved:
            self._placed = self.cursor_node

    def _group(self, group: Group) -> TreeNode[Key | Group]:
        if group not in self._groups:
            self._groups[group] = self.root.add("", group, expand=bool(self._wanted))
        return self._groups[group]

    def _refresh(self, keys: Iterable[Key]) -> None:
        nodes = [self._leaves[key] for key in keys if key in self._leaves]
        groups = {node.parent.data: node.parent for node in nodes if node.parent}
        self._fold([group for group in groups if isinstance(group, Group)])
        for node in (*nodes, *groups.values()):
            node.refresh()

    def _fold(self, groups: Iterable[Group]) -> None:
        """Open where something runs or is to be looked at; close again where all went well. Not while filtering."""
        for group in groups if not self._wanted else ():
            looks = self.looks_of(group)
            open_it = any(look.phase is Phase.RUNNING or look.status in LOUD for look in looks)
            node = self._groups[group]
            done = all(look.phase is Phase.ENDED for look in looks)
            if open_it and not node.is_expanded:
                node.expand()
            elif (
                done
                and not open_it
                and node.is_expanded
                and (self.cursor_node is None or self.cursor_node.parent is not node)
            ):
                node.collapse()

    def render_label(self, node: TreeNode[Key | Group], base_style: Style, style: Style) -> Text:
        """One line: state, words, and on the right how long it took or how far it is."""
        if isinstance(node.data, Group):
            left, right, kind = self._group_line(node.data, node.is_expanded)
        elif isinstance(node.data, tuple):
            left, right, kind = self._check_line(self._state.looks[node.data])
        else:
            return Text("")
        width = self.scrollable_content_region.width - (0 if isinstance(node.data, Group) else self.guide_depth)
        room = max(0, width - cell_len(right) - 1)
        state, rest = left
        column = _STATE if self.size.width >= _WIDE else _SHORT_STATE
        column += 0 if isinstance(node.data, tuple) else self.guide_depth
        looks = self.get_component_rich_style(f"tree--{kind}", partial=True)
        if self.cursor_node is node and self.has_focus:
            looks = Style(bold=looks.bold)  # the cursor's own colours can be read on the cursor's background
        words = cut(f"{state:<{column}}{'' if len(state) < column else ' '}{rest}", room)
        line = Text.assemble((words[: len(state)], looks), words[len(state) :])
        line.append(" " * max(0, room - cell_len(words)) + f" {right}", Style(dim=True))
        line.stylize(style)
        return line

    def _group_line(self, group: Group, is_open: bool) -> tuple[tuple[str, str], str, str]:
        looks = self.looks_of(group)
        status, phase = together(looks)
        ended = sum(look.phase is Phase.ENDED for look in looks)
        several = sum(each.layer is group.layer for each in self._groups) > 1
        name = f"{group.layer} ({group.place})" if several else str(group.layer)
        state = state_words(status, phase)[0]
        right = f"{ended}/{len(looks)}" if phase is not Phase.ENDED else ""
        return (f"{'▾' if is_open else '▸'} {state}", name), right, _kind(status, phase)

    def _check_line(self, look: Look) -> tuple[tuple[str, str], str, str]:
        tunnel = self._state.tunnel
        right = took(look, self.now_ms, tunnel.connect_timeout if tunnel else None)
        state = state_words(look.status, look.phase)[0]
        return (state, visible(look.planned.title)), right, _kind(look.status, look.phase)


_NOWHERE = Group("", Layer.CONFIG)


def _kind(status: Status | None, phase: Phase) -> str:
    if phase is Phase.ENDED and status:
        return _CLASSES[status]
    return "running" if phase is Phase.RUNNING else "quiet"
