"""What changed between two runs, as text and as the document ``tunneldoctor.diff/1``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunneldoctor import __version__
from tunneldoctor.model import Report, Status, Value
from tunneldoctor.report.difference import Change, Difference, Kind, shown
from tunneldoctor.report.shown import moment, one_line
from tunneldoctor.report.style import Style, folded, plain
from tunneldoctor.report.to_json import Document, harmless

DIFF_SCHEMA = "tunneldoctor.diff/1"
_MARGIN = "  "
_LONGEST_NAME = 36
#: Facts that are named where only one of the runs has them; the document has all.
_NAMED = 5
#: Statuses that say something themselves; a change between others follows from these.
_TELLING = frozenset({Status.FAIL, Status.WARN, Status.UNKNOWN, Status.ERROR})


def render_difference(found: Difference, *, color: bool, unicode: bool, width: int) -> str:
    """The text with its final newline: a line for each change, what only follows from them summed up."""
    style = Style(color, unicode, width)
    text = "\n".join([_heading(found, style), *_changes(found, style)]) + "\n"
    return text if unicode else plain(text)


def difference_json(found: Difference) -> str:
    """The document, indented, with a final newline."""
    import json

    return json.dumps(difference_document(found), indent=2, allow_nan=False) + "\n"


def difference_document(found: Difference) -> Document:
    """The document."""
    document: Document = harmless(
        {
            "schema": DIFF_SCHEMA,
            "tool": {"name": "tunneldoctor", "version": __version__},
            "before": _run(found.before),
            "after": _run(found.after),
            "same": found.same,
            "changes": [_change(each) for each in found.changes],
            "unmeasured": list(found.unmeasured),
        }
    )
    return document


def _run(report: Report) -> Document:
    return {
        "tunnel": report.tunnel.name,
        "started_at": moment(report.started_at),
        "verdict": report.verdict.value,
        "code": report.diagnosis.code if report.diagnosis else None,
        "complete": report.complete,
    }


def _change(change: Change) -> Document:
    return {
        "kind": change.kind.value,
        "name": change.name,
        "hop": change.hop,
        "before": change.before,
        "after": change.after,
    }


def _heading(found: Difference, style: Style) -> str:
    before, after = found.before, found.after
    names = list(dict.fromkeys([before.tunnel.name, after.tunnel.name]))
    what = "nothing changed" if found.same else "what changed"
    times = f"between {_when(before)} and {_when(after)}"
    return style.paint(one_line(" and ".join(names)), "bold") + f": {what} {times}"


def _when(report: Report) -> str:
    return f"{moment(report.started_at, 'seconds')} ({report.verdict}{'' if report.complete else ', incomplete'})"


def _changes(found: Difference, style: Style) -> Iterator[str]:
    told = [each for each in found.changes if not _follows(each) and not _is_the_diagnosis(each, found)]
    names = [one_line(_name(each)) for each in told]
    width = min(max(map(len, names), default=0), _LONGEST_NAME)
    for name, each in zip(names, told, strict=True):
        first = f"{_MARGIN}{name:<{width}}  "
        values = f"{_value(each, each.before)} → {_value(each, each.after)}"
        yield from folded(values, style, first, " " * (len(_MARGIN) + width + 2))
    followed = [each for each in found.changes if _follows(each)]
    yield from _list("not run any more", [each for each in followed if each.after == Status.BLOCKED], style)
    yield from _list("not run before", [each for each in followed if each.before == Status.BLOCKED], style)
    others = [each for each in followed if Status.BLOCKED not in (each.before, each.after)]
    yield from _list("looked at in one of them only", others, style)
    if names := list(found.unmeasured):
        more = len(names) - _NAMED
        some = [*names[:_NAMED], f"{more} more"] if more > 1 else names
        yield from _folded(f"measured in one of them only: {', '.join(some)}", style)


def _follows(change: Change) -> bool:
    """A check that neither failed nor warned, before or after, ran or did not because of what others found."""
    return change.kind is Kind.CHECK and not _TELLING & {change.before, change.after}


def _is_the_diagnosis(change: Change, found: Difference) -> bool:
    """The finding that the line about the diagnosis tells already."""
    codes = {report.diagnosis.code for report in (found.before, found.after) if report.diagnosis}
    return change.kind is Kind.FINDING and change.name in codes and None in (change.before, change.after)


def _name(change: Change) -> str:
    match change.kind:
        case Kind.VANTAGE:
            return "examined on"
        case Kind.CHECK | Kind.FINDING:
            return f"{change.name} ({change.hop})" if change.hop not in ("here", None) else change.name
    return change.name


def _value(change: Change, value: Value) -> str:
    if value is None and change.kind is Kind.FINDING:
        return "not found"
    return shown(value)


def _list(what: str, changes: Sequence[Change], style: Style) -> Iterator[str]:
    if changes:
        yield from _folded(f"{what}: {', '.join(each.name for each in changes)}", style)


def _folded(text: str, style: Style) -> Iterator[str]:
    yield from (style.paint(line, "dim") for line in folded(text, style, _MARGIN, _MARGIN * 2))
