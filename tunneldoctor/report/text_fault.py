"""One fault as text: in full for the diagnosis, in a few lines for any other. Commands are never wrapped."""

from __future__ import annotations

from tunneldoctor.model import Evidence, FindingReport, Step
from tunneldoctor.report.reading import EVIDENCE_SHOWN, Fault, seen_from, where
from tunneldoctor.report.shown import lines, one_line
from tunneldoctor.report.style import Style, folded, plain

#: Lines that one piece of evidence may have unless more is asked for.
EVIDENCE_LINES = 6
#: The same for a company's notes.
NOTE_LINES = 8
_INDENT = " " * 4


def render_finding(finding: FindingReport, hop: str, *, color: bool, unicode: bool, width: int) -> str:
    """One finding on its own, with all that is known about it; ``width`` is the terminal's, in columns."""
    text = "\n".join(in_full(Fault(finding, hop, finding.evidence), Style(color, unicode, width, verbose=1))) + "\n"
    return text if unicode else plain(text)


def in_full(fault: Fault, style: Style) -> list[str]:
    """What is wrong, what was seen, what it may be, what to do, and how to make sure."""
    find_out = "find out which" if fault.open_causes else "look closer"
    return [
        "",
        *_headline(fault, style),
        "",
        *_evidence(fault, style),
        *_causes(fault, style),
        "",
        *_look(find_out, fault.words.next_step, fault, style),
        *_remedy(fault, style),
        *_look("make sure", fault.words.verify, fault, style),
        *_notes(fault, style),
        "",
    ]


def in_short(fault: Fault, style: Style) -> list[str]:
    """What is wrong and the first thing to do about it."""
    if style.verbose:
        return in_full(fault, style)
    body = _headline(fault, style)
    if fault.open_causes:
        body += _folded(f"one of: {', '.join(fault.open_causes)}", style)
    step = (fault.words.next_step if fault.open_causes else None) or next(iter(fault.words.remedy), None)
    if step:
        body += [*_folded(step.text, style, "> ", "  "), *_command(step, fault.hop, style, "  ")]
    return body


def note(text: str, style: Style, dim: bool = True) -> list[str]:
    """A remark under a check's line."""
    return [style.paint(line, "dim") if dim else line for line in _folded(text, style)]


def _headline(fault: Fault, style: Style) -> list[str]:
    code = f" ({fault.words.code})" if fault.words.code not in (None, fault.words.title) else ""
    title = [style.paint(line, "bold") for line in _folded(fault.words.title + code, style)]
    return title if fault.words.summary == fault.words.title else [*title, *_folded(fault.words.summary, style)]


def _evidence(fault: Fault, style: Style) -> list[str]:
    if not fault.evidence:
        return []
    shown = fault.evidence if style.verbose else fault.evidence[:EVIDENCE_SHOWN]
    places = [f"from {seen_from(each)}" for each in fault.evidence]
    one_place = places[0] if len(set(places)) == 1 else ""
    width = 0 if one_place else max(map(len, places)) + 2
    body = [_label(f"seen {one_place}", style)]
    for place, each in zip(places, shown, strict=False):
        body += _piece("" if one_place else f"{place:<{width}}", each, style)
    if more := len(fault.evidence) - len(shown):
        body.append(_dim(f"and {more} more (-v shows all)", style))
    return body


def _piece(place: str, evidence: Evidence, style: Style) -> list[str]:
    """The lines of one piece of evidence; its kind in front, because the text alone may puzzle."""
    texts = lines(evidence.text) or ["(nothing)"]
    texts[0] = f"{one_line(evidence.kind)}: {texts[0]}"
    limit = len(texts) if style.verbose else EVIDENCE_LINES
    margin = " " * (len("  ") + len(place))
    body = _folded(texts[0], style, f"  {place}", f"{margin}  ")
    body += [line for text in texts[1:limit] for line in _folded(text, style, f"{margin}  ", f"{margin}  ")]
    if len(texts) > limit:
        body.append(_dim(f"{margin}and {len(texts) - limit} more lines (-v shows all)", style))
    return body


def _causes(fault: Fault, style: Style) -> list[str]:
    causes, out = fault.open_causes, fault.words.ruled_out
    body: list[str] = []
    if causes:
        body += [_label(f"one of these {len(causes)}, likeliest first", style)]
        body += _folded(", ".join(causes), style, "  ", "  ")
    if out:
        certain = "" if causes else "certain: "
        count = f"{certain}{len(out)} other cause{'s' * (len(out) > 1)} ruled out"
        margin = "  " if causes else ""
        told = _folded(count + ("" if style.verbose else " (-v says why)"), style, margin, "  ")
        body += [style.paint(line, "dim") for line in told]
    if style.verbose:
        reasons = (_folded(f"not {each.code}: {each.because}", style, "  ", "    ") for each in out)
        body += [style.paint(line, "dim") for each in reasons for line in each]
    return body


def _remedy(fault: Fault, style: Style) -> list[str]:
    if not fault.words.remedy:
        return []
    body = [_label("fix, once you know which" if fault.open_causes else "fix", style)]
    for number, step in enumerate(fault.words.remedy, 1):
        mark = f"  {number}. "
        margin = " " * len(mark)
        body += [*_folded(step.text, style, mark, margin), *_command(step, fault.hop, style, margin)]
    return body


def _look(label: str, step: Step | None, fault: Fault, style: Style) -> list[str]:
    if step is None:
        return []
    first, *rest = _folded(f"{label}: {step.text}", style, "", "  ")
    return [
        first.replace(label, style.paint(label, "bold"), 1),
        *rest,
        *_command(step, fault.hop, style, "  "),
    ]


def _notes(fault: Fault, style: Style) -> list[str]:
    """A company's own words, as they were written."""
    written = lines(fault.words.notes or "")
    limit = len(written) if style.verbose else NOTE_LINES
    body = [_label("your notes", style)] if written else []
    body += [line for text in written[:limit] for line in _folded(text, style, "  ", "  ") or [""]]
    if len(written) > limit:
        more = f"and {len(written) - limit} more lines (tunneldoctor explain {fault.words.code} shows all)"
        body.append(_dim(more, style))
    return body


def _command(step: Step, hop: str, style: Style, margin: str) -> list[str]:
    """The command on a line of its own, unwrapped, so that it can be copied; where to run it in front."""
    if not step.command:
        return []
    prompt = style.paint(f"{where(step, hop)}$", "dim")
    first, *rest = [style.paint(line, "cyan") for line in lines(step.command)]
    return [f"{_INDENT}{margin}{prompt} {first}", *(f"{_INDENT}{margin}{line}" for line in rest)]


def _label(text: str, style: Style) -> str:
    return _INDENT + style.paint(text.strip(), "bold")


def _dim(text: str, style: Style) -> str:
    return f"{_INDENT}  {style.paint(text, 'dim')}"


def _folded(text: str, style: Style, first: str = "", rest: str = "") -> list[str]:
    return folded(text, style, _INDENT + first, _INDENT + rest)
