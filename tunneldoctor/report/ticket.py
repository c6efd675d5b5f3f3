"""The report as a ticket: who must act, what was tried and seen, and the report itself for a program to read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tunneldoctor.model import Layer, Place, Report, Severity, Status, Step
from tunneldoctor.report import reading
from tunneldoctor.report.from_json import must_be, read_report
from tunneldoctor.report.json_value import LARGEST, NotAReport, decoded, parsed
from tunneldoctor.report.markdown import escaped, render_markdown
from tunneldoctor.report.to_json import REPORT_SCHEMA, report_document

HERE, NETWORK, BASTION, DATABASE, VENDOR = (
    "whoever runs the client", "the network's admin", "the bastion's admin", "the database's admin",
    "tunneldoctor's makers",
)  # fmt: skip
#: Who can change something in a layer, where nobody says where the change is made.
_BY_LAYER = {
    Layer.CONFIG: HERE, Layer.KEY: HERE, Layer.DNS: NETWORK, Layer.TCP: NETWORK, Layer.SSH: BASTION,
    Layer.HOSTKEY: BASTION, Layer.AUTH: BASTION, Layer.FORWARD: BASTION, Layer.DB: DATABASE, Layer.IDLE: NETWORK,
}  # fmt: skip
#: Who it is where a step says where it is made. A cloud's own commands are those of whoever answers for the layer;
#: between the bastion and the database that is the network.
_BY_PLACE = {Place.HERE: HERE, Place.BASTION: BASTION, Place.DATABASE: DATABASE}
_IN_THE_CLOUD = _BY_LAYER | {Layer.FORWARD: NETWORK}

_WHO = "### Who must act"
_MARK = "<summary>The whole report as JSON, for tunneldoctor show</summary>"
#: What ends a block of code or begins markup, written so that JSON reads it the same (RFC 8259 §7).
_IN_JSON = {ord(character): f"\\u{ord(character):04x}" for character in "<>&`"}
_BLOCK = re.compile(
    r"^[> \t]*(?P<fence>`{3,}|~{3,})[ \t]*json[ \t]*\r?\n(?P<json>.*?)(?:^[> \t]*(?P=fence)[ \t]*\r?$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_QUOTED = re.compile(r"^(?:> ?)+", re.MULTILINE)


def render_ticket(report: Report) -> str:
    """One Markdown file: for people first, then the report as JSON, which nothing in it can break out of."""
    body = render_markdown(report)
    heading, _, rest = body.partition("\n")
    document = json.dumps(report_document(report), indent=1).translate(_IN_JSON)
    block = ("<details>", _MARK, "", "```json", document, "```", "", "</details>")
    return "\n".join((heading, *_who(report), "", rest.strip("\n"), "", *block)) + "\n"


def who_must_act(report: Report) -> dict[str, list[str]]:
    """Who, and what each is to do; the first is whom the diagnosis waits for. Empty where nothing is wrong."""
    who: dict[str, list[str]] = {}
    for layer, steps in _tasks(report):
        for step in steps:
            texts = who.setdefault(_actor(layer, step), [])
            if step.text not in texts:
                texts.append(step.text)
        if not steps:
            who.setdefault(_BY_LAYER[layer], [])
    if any(check.status is Status.ERROR for check in report.checks):
        who.setdefault(VENDOR, []).append("A check of tunneldoctor's own broke off: please report it")
    return who


def _tasks(report: Report) -> Iterator[tuple[Layer, list[Step]]]:
    """What is to be done about the diagnosis, then about every other fault that breaks something."""
    told = report.diagnosis
    if told:
        yield told.layer, [*([told.next_step] if told.next_step else []), *told.remedy]
    for check, finding in reading.other_findings(report):
        if finding.severity is Severity.ERROR:
            yield check.layer, [*([finding.next_step] if finding.next_step else []), *finding.remedy]


def _actor(layer: Layer, step: Step) -> str:
    return _BY_PLACE.get(step.run_on) or _IN_THE_CLOUD[layer]


def _who(report: Report) -> Iterator[str]:
    who = who_must_act(report)
    if not who:
        return
    yield from ("", _WHO, "")
    for actor, texts in who.items():
        yield f"- **{actor}**" + (f": {escaped('; '.join(texts))}" if texts else "")


def report_in(data: str | bytes) -> Report:
    """The report in a ticket, also one that was edited by hand or answered in a mail; of several tickets the last.

    A server may have said something that looks like a ticket: what it said stands above, and the JSON has no ``<``.
    Raises :class:`NotAReport`.
    """
    text = decoded(data)
    if len(text) > LARGEST:
        raise NotAReport(f"it is larger than {LARGEST // 2**20} MiB, and no ticket is")
    block = _BLOCK.search(text, text.rfind(_MARK) + 1) if _MARK in text else None
    if block is None:
        raise NotAReport("the block with the report's JSON is not in it any more: it can be read, but not shown")
    try:
        value = parsed(_QUOTED.sub("", block["json"]))
        must_be(value, REPORT_SCHEMA)
        return read_report(value)
    except NotAReport as error:
        raise NotAReport(f"the JSON in the ticket: {error}") from None


def for_people(document: str) -> str:
    """A ticket without its JSON, which says the same; any other document as it is."""
    return document.partition("\n<details>\n")[0]


def is_ticket(data: str | bytes) -> bool:
    """*data* is a ticket of ours, or what is left of one."""
    text = decoded(data)
    return not text.lstrip().startswith("{") and (_MARK in text or _WHO in text)
