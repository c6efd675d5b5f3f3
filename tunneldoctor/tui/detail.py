"""All about one check: what is wrong, what was seen, what it may be, what to do, and the page of its code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tunneldoctor.model import CheckReport, FindingReport, Report, Severity, Status, Step, Value, visible
from tunneldoctor.report.reading import Fault, duration, key_facts
from tunneldoctor.report.style import Style, folded
from tunneldoctor.tui.state import Key, Look, Phase, State
from tunneldoctor.tui.words import state_words

if TYPE_CHECKING:
    from textual.widgets import Markdown

    from tunneldoctor.catalog import Page

#: What Markdown would take for markup in a value that stands in a page's text (CommonMark §2.4).
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_NARROW, _MARGIN, _STATE = 20, 4, len("· waiting  ")
#: Lines of a command that are shown; all of it is copied and saved.
_COMMAND_LINES = 5


class DetailPane(VerticalScroll):
    """Shows one check of a state; the page below it comes with :meth:`show_page`."""

    DEFAULT_CSS = """
    DetailPane {
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        #told { height: auto; }
        Markdown { padding: 0; margin: 1 0 0 0; background: transparent; }
        MarkdownH2 { margin: 1 0 0 0; padding: 0; content-align: left middle; }
        MarkdownParagraph { margin: 0 0 1 0; }
        MarkdownFence { margin: 0 0 1 0; padding: 0; max-height: 100; }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="detail", can_focus=True)
        self._page: Markdown | None = None

    def compose(self) -> Iterator[Static]:
        """What the report says; the page follows once it is wanted."""
        yield Static(id="told", markup=False)

    def show(self, content: Content) -> None:
        """Show what the report says of one check."""
        self.query_one("#told", Static).update(content)

    async def show_page(self, document: str) -> None:
        """Show a page's Markdown below it; nothing for an empty text."""
        if self._page is None:
            if not document:
                return
            from textual.widgets import Markdown  # 50 ms, which the first screen is not to wait for

            self._page = Markdown(open_links=False)
            await self.mount(self._page)
        await self._page.update(document)


def told(state: State, key: Key | None, width: int) -> Content:
    """What the report, or the run so far, says of the check *key*, for a pane *width* columns wide."""
    look = state.looks.get(key) if key else None
    if look is None:
        return Content("")
    body = [_head(look), Content("")]
    if look.result is None:
        body += _unfinished(look, width)
    else:
        body += _ended(look.result, state.report, width)
    if look.planned.equivalent:
        body += [Content(""), Content.styled("the same by hand", "bold"), Content(f"$ {look.planned.equivalent}")]
    return Content("\n").join(body)


def group_told(looks: Sequence[Look], width: int) -> Content:
    """What there is to say of a layer in which nothing is amiss: its checks."""
    lines = []
    for look in looks:
        words, style = state_words(look.status, look.phase)
        first, *rest = folded(look.planned.title, Style(False, True, width), "", " " * _STATE) or [""]
        lines.append(Content.assemble((f"{words:<{_STATE}}", style), first))
        lines += [Content(line) for line in rest]
    return Content("\n").join(lines)


def finding_of(look: Look | None) -> FindingReport | None:
    """The worst finding of a check: the one whose page is shown, and whose fix is copied."""
    findings = look.result.findings if look and look.result else ()
    return min(findings, key=lambda each: (bool(each.ignored), each.severity.rank), default=None)


def page_text(page: Page, finding: FindingReport, state: State, hop: str) -> str:
    """The body of *page* as Markdown with the values of the finding's tunnel in it."""
    from tunneldoctor.catalog import tunnel_values
    from tunneldoctor.catalog.markdown import body

    facts = state.report.facts if state.report else {}
    values = tunnel_values(state.tunnel, hop, facts) if state.tunnel else {}
    return body(page, {**values, **finding.params}, harmless)


def harmless(value: Value) -> Value:
    """A value that stays what it is in Markdown: brackets, stars and the like would vanish."""
    return _MARKUP.sub(r"\\\1", visible(value)) if isinstance(value, str) else value


def _head(look: Look) -> Content:
    words, style = state_words(look.status, look.phase)
    return Content.assemble((words, style), "  ", (f"{look.planned.id} ({look.planned.hop})", "$text-muted"))


def _unfinished(look: Look, width: int) -> Iterator[Content]:
    yield from _lines(look.planned.title, width)
    if look.phase is Phase.RUNNING and look.said:
        yield from _lines(look.said, width)
        yield from ladder(look, width)


def _ended(result: CheckReport, report: Report | None, width: int) -> Iterator[Content]:
    if not result.findings:
        yield from _lines(result.title, width)
    if result.reason and result.status is not Status.PASS:
        yield from _lines(result.reason, width)
    if result.blocked_by:
        yield from _lines(f"because of {result.blocked_by.code or result.blocked_by.check}", width)
    facts = key_facts(report, result) if report and result.status is Status.PASS else ""
    if facts:
        yield from _lines(facts, width)
    for finding in sorted(result.findings, key=lambda each: each.severity.rank):
        yield _fault(finding, result.hop, width)
    if result.duration_ms is not None:
        tries = f", {result.attempts} tries" if result.attempts > 1 else ""
        yield Content("")
        yield Content.styled(f"took {duration(result.duration_ms)}{tries}", "$text-muted")


def _fault(finding: FindingReport, hop: str, width: int) -> Content:
    """One finding in the same words as the text report."""
    from tunneldoctor.report.text_fault import in_full

    style = Style(color=True, unicode=True, width=width + _MARGIN, verbose=1)
    # what is ruled out is told last: what is left, and what to do, is wanted first
    look = _short(finding.next_step) if finding.next_step else None
    first = replace(finding, ruled_out=(), next_step=look, remedy=tuple(_short(each) for each in finding.remedy))
    lines = _unmarked(in_full(Fault(first, hop, finding.evidence), style))
    lines += _ruled_out(finding, style)
    mild = {Severity.INFO: "note: ", Severity.WARNING: "warning: "}.get(finding.severity, "")
    counted = f"ignored ({finding.ignored}): " if finding.ignored else mild
    text = Text.from_ansi("\n".join(lines))
    return Content(counted) + Content.from_rich_text(text)


def _short(step: Step) -> Step:
    """A step whose command is a whole script is not to push all else off the screen."""
    lines = step.command.splitlines() if step.command else []
    if len(lines) <= _COMMAND_LINES:
        return step
    more = f"# … and {len(lines) - _COMMAND_LINES} more lines: y copies them all"
    return replace(step, command="\n".join([*lines[:_COMMAND_LINES], more]))


def _ruled_out(finding: FindingReport, style: Style) -> list[str]:
    if not finding.ruled_out:
        return []
    reasons = (folded(f"{each.code}: {each.because}", style, "  ", "    ") for each in finding.ruled_out)
    number = len(finding.ruled_out)
    certain = len(finding.causes) == 1
    words = f"certain: {number} other cause{'s' * (number > 1)} ruled out" if certain else f"ruled out, {number}"
    head = style.paint(words, "bold")
    return ["", head, *(style.paint(line, "dim") for lines in reasons for line in lines)]


def _unmarked(lines: list[str]) -> list[str]:
    """The margin may stand behind a colour; blank lines at either end are not wanted."""
    margin = re.compile(rf"^((?:\x1b\[[0-9;]*m)*) {{{_MARGIN}}}")
    bare = [margin.sub(r"\1", line) for line in lines]
    while bare and not bare[0].strip():
        bare.pop(0)
    while bare and not bare[-1].strip():
        bare.pop()
    return bare


def ladder(look: Look, width: int) -> list[Content]:
    """An idle measurement as it stands: the time that is used, each connection alive or dead, and what is known by now.

    The values are those of ``check.progress`` (docs/json.md); what a check does not tell is left out.
    """
    elapsed, left = (_number(look, name) for name in ("elapsed_seconds", "left_seconds"))
    lines = []
    if elapsed is not None and left is not None:
        before, behind = f"{duration(elapsed * 1000)} ", f" {duration(left * 1000)} to go"
        room = max(1, width - len(before) - len(behind))
        used = round(room * elapsed / (elapsed + left)) if elapsed + left else room
        bar = Content.assemble(("█" * used, "$text-accent"), ("─" * (room - used), "$text-muted"))
        lines.append(Content(before) + bar + Content(behind))
    alive, dead = (int(_number(look, name) or 0) for name in ("alive", "dead"))
    if alive or dead:
        signs = (("✓ " * alive, "$text-success"), ("✗ " * dead, "bold $text-error"))
        lines.append(Content.assemble(*signs, f"{alive} alive, {dead} dead"))
    for name, words in (("alive_after_seconds", "alive after"), ("dead_after_seconds", "dead after")):
        if (known := _number(look, name)) is not None:
            lines.append(Content(f"{words} {duration(known * 1000)}"))
    return lines


def _number(look: Look, name: str) -> float | None:
    value = look.values.get(name)
    return float(value) if isinstance(value, int | float) else None


def _lines(text: str, width: int) -> list[Content]:
    return [Content(line) for line in folded(text, Style(False, True, max(width, _NARROW)))] if text else []
