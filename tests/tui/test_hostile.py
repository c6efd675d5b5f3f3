"""Whatever a server, a file or a name says, it is shown as what it is: no markup, no sequence a terminal obeys."""

import re
from dataclasses import replace

import pytest

from tests.tui.runs import events_of, sample, shown
from tests.tui.screen import screen_lines
from tunneldoctor.model import (
    CheckProgress,
    CheckReport,
    CheckStarted,
    Event,
    Evidence,
    FindingReport,
    Report,
    RuledOut,
    Step,
)

STRINGS = {
    "closing": "got [/] here",
    "brackets": "[bastion.example.com]:2222",
    "markup": "[bold red on white]x[/bold red on white] $text-error",
    "action": "[@click=app.quit]press[/]",
    "escape": "\x1b]0;PWNED-TITLE\x07\x1b[2J\x1b[31mred",
    "c1": "\x9b2J\x9d0;PWNED\x9c",
    "bidi": "abc\u202egnihsihp\u2066x",
    "wide": "数据库连接被拒绝" * 20,
    "long": "x" * 10_000,
    "nul": "a\x00b",
    "lines": "one\r\ntwo\x0bthree\u2028four",
    "combining": "e" + "\u0301" * 50,
}
WILD = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def everywhere(text: str) -> list[Event]:
    """A run in which *text* stands wherever a text from outside may stand, and in our own words too."""
    report = sample("symptom")
    step = Step(text, f"echo {text}")

    def finding(old: FindingReport) -> FindingReport:
        return replace(
            old, title=text, summary=text, ruled_out=(RuledOut("auth.unknown-user", text),), next_step=step,
            remedy=(step,), verify=step, params={"username": text}, evidence=(Evidence("message", text),),
        )  # fmt: skip

    def check(old: CheckReport) -> CheckReport:
        return replace(old, title=text, reason=text, findings=tuple(map(finding, old.findings)))

    checks = tuple(map(check, report.checks))
    told = replace(report.diagnosis, title=text, summary=text, next_step=step, remedy=(step,))
    tunnel = replace(report.tunnel, name=text, hops=(replace(report.tunnel.bastion, host=text),))
    hostile: Report = replace(report, checks=checks, diagnosis=told, tunnel=tunnel, facts={"bastion.software": text})
    events = events_of(hostile)
    at = next(n for n, event in enumerate(events) if isinstance(event, CheckStarted))
    said = CheckProgress(1.0, events[at].check, events[at].hop, text)
    return [*events[: at + 1], said, *events[at + 1 :]]


@pytest.mark.parametrize("name", STRINGS)
async def test_hostile_text_is_shown_and_not_obeyed(name: str) -> None:
    text = STRINGS[name]
    async with shown(everywhere(text)) as it:
        for keys in (("y",), ("enter", "end", "l"), ("escape", "slash", "x", "enter", "escape", "down")):
            await it.pilot.press(*keys)
            await it.settle()
            assert not WILD.search("".join(screen_lines(it.app))), name
        await it.pilot.resize_terminal(30, 8)
        await it.settle()
        assert it.app.return_code is None, "it goes on"
        assert not WILD.search(it.app.clipboard.replace("\n", ""))


@pytest.mark.parametrize("name", ["closing", "brackets", "markup", "action"])
async def test_brackets_lose_nothing(name: str) -> None:
    async with shown(everywhere(STRINGS[name]), (160, 60)) as it:
        text = " ".join(" ".join(screen_lines(it.app)).split())
        assert STRINGS[name] in text
