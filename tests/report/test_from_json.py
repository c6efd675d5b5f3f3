"""What was written is read back as it was; what was not written by the program is refused in words."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.conftest import GOLDENS
from tests.report.samples import STARTED
from tests.report.scenarios import SCENARIOS
from tests.report.test_to_json import events
from tunneldoctor.model import Evidence, Fleet, Report, Verdict
from tunneldoctor.report import (
    event_document,
    event_line,
    events_from_ndjson,
    fleet_from_json,
    fleet_json,
    render_junit,
    render_markdown,
    render_text,
    report_from_json,
    report_json,
    saved_from,
)
from tunneldoctor.report.json_value import LARGEST, NotAReport
from tunneldoctor.report.shown import LONGEST


def document(name: str = "symptom") -> dict[str, Any]:
    read: dict[str, Any] = json.loads(report_json(SCENARIOS[name]()))
    return read


def refusal(text: str | bytes) -> str:
    with pytest.raises(NotAReport) as refused:
        saved_from(text)
    told = str(refused.value)
    assert told and "\n" not in told
    return told


def test_a_report_read_back_is_written_as_it_was(report: Report) -> None:
    written = report_json(report)
    assert report_json(report_from_json(written)) == written
    assert report_json(report_from_json(json.loads(written))) == written


@pytest.mark.parametrize(
    "render",
    [
        lambda report: render_text(report, color=True, unicode=True, width=100, verbose=1),
        lambda report: render_text(report, color=False, unicode=False, width=80, quiet=True),
        render_markdown,
        render_junit,
    ],
    ids=["verbose", "quiet", "markdown", "junit"],
)
def test_a_report_read_back_reads_as_it_did_to_people(report: Report, render: Any) -> None:
    """All but what kind of line break a server used, which the JSON leaves out."""
    assert render(report_from_json(report_json(report))) == re.sub(r"\\+r", "", render(report))


def test_a_fleet_read_back_is_written_as_it_was() -> None:
    fleet = Fleet.of([make() for make in SCENARIOS.values()], STARTED, STARTED)
    written = fleet_json(fleet)
    assert fleet_json(fleet_from_json(written)) == written
    assert saved_from(written) == fleet_from_json(written)


def test_evidence_of_control_characters_alone_loses_nothing() -> None:
    report = SCENARIOS["broken"]()
    text = json.loads(report_json(report))
    finding = next(finding for check in text["checks"] for finding in check["findings"])
    finding["evidence"] = [{"kind": "bytes", "seen_from": "here", "text": Evidence("bytes", "\x01" * 2000).text}]
    assert json.loads(report_json(report_from_json(text))) == text


def test_a_stream_read_back_tells_the_same_events(report: Report) -> None:
    told = events(report)
    lines = [event_line(event) for event in told]
    assert [event_line(event) for event in events_from_ndjson(lines)] == lines
    assert report_json(saved_from("".join(lines))) == report_json(report)  # type: ignore[arg-type]


def test_of_a_stream_of_several_tunnels_one_can_be_chosen() -> None:
    lines = [event_line(event, name) for name in ("orders", "billing") for event in events(SCENARIOS["broken"]())[1:-1]]
    chosen = list(events_from_ndjson(lines, "billing"))
    assert [event_document(event, "billing") for event in chosen] == [
        json.loads(line) for line in lines if '"tunnel":"billing"' in line
    ]
    assert len(chosen) * 2 == len(lines)


def test_a_stream_of_several_tunnels_is_a_fleet() -> None:
    lines = [line for name in ("broken", "healthy") for line in map(event_line, events(SCENARIOS[name]()))]
    fleet = saved_from("".join(lines))
    assert isinstance(fleet, Fleet)
    assert [report.verdict for report in fleet.reports] == [Verdict.BROKEN, Verdict.HEALTHY]


def test_keys_that_a_later_program_adds_are_passed_over() -> None:
    grown = {**document(), "mood": "good"}
    grown["checks"][0]["weather"] = {"rain": None}
    assert json.loads(report_json(report_from_json(grown))) == document()


def test_the_version_that_made_a_report_stays_with_it() -> None:
    old = {**document(), "tool": {"name": "tunneldoctor", "version": "0.0.9"}}
    report = report_from_json(old)
    assert json.loads(report_json(report)) == old
    assert "tunneldoctor 0.0.9 on" in render_text(report, color=False, unicode=True, width=100, verbose=1)
    assert "tunneldoctor 0.0.9 on" in render_markdown(report)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_what_powershell_makes_of_a_report_is_read(encoding: str) -> None:
    written = report_json(SCENARIOS["broken"]())
    assert report_json(saved_from(written.encode(encoding))) == written  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x01\x02", "not JSON"),
        (b"orders: you -> bastion ok\n  ok dns\n", "line 1, column 1: this is not JSON"),
        (b"[1, 2]", "the document is [1, 2] and should be an object"),
        (b"{}", "not of tunneldoctor's"),
        (b'{"schema": "somebody.else/1"}', "'somebody.else/1', not tunneldoctor.report/1"),
        (b'{"schema": "tunneldoctor.pin/1"}', "tunneldoctor.pin/1"),
        (b'{"schema": ["tunneldoctor.report/1"]}', "not of tunneldoctor's"),
        (b"[" * 100_000, "cut off|no program of ours"),
        (b'{"a": ' * 20_000 + b"1" + b"}" * 20_000, "no program of ours"),
        (b'{"duration_ms": NaN}', "no program of ours"),
        (b'{"duration_ms": ' + b"9" * 5000 + b"}", "no program of ours"),
        (b" " * (LARGEST + 1), "larger than 16 MiB"),
        (b'{"event": "check.started", "at_ms": 1, "tunnel": null, "check": "a", "hop": "here"}\n', "before its report"),
        (b'{"event": "check.started"}\n', "line 1: at_ms is missing"),
        (b'{"event": "later"}\n{"event": "report", "at_m', "line 1: at_ms is missing"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused_in_words(text: bytes, words: str) -> None:
    assert any(each in refusal(text) for each in words.split("|"))


def test_a_report_of_a_newer_version_says_what_to_do() -> None:
    told = refusal(json.dumps({**document(), "schema": "tunneldoctor.report/2"}))
    assert told.startswith("it is tunneldoctor.report/2, and this tunneldoctor (")
    assert "reads version 1: read it with the one that wrote it, or later" in told


@pytest.mark.parametrize("at", [0.03, 0.3, 0.5, 0.77, 0.999])
def test_a_report_cut_off_in_the_middle_is_told_as_that(at: float) -> None:
    written = report_json(SCENARIOS["broken"]()).strip()
    assert "cut off in the middle" in refusal(written[: int(len(written) * at)])


def test_wherever_a_report_is_cut_off_it_is_told_as_that() -> None:
    written = report_json(SCENARIOS["interrupted"]()).strip()
    for end in range(1, len(written), 7):
        assert "cut off" in refusal(written[:end]), written[end - 20 : end]


def test_a_stream_cut_off_in_a_line_gives_what_was_whole_and_then_says_so() -> None:
    lines = [event_line(event) for event in events(SCENARIOS["broken"]())]
    read = events_from_ndjson([*lines[:5], lines[5][:40]])
    assert [event_line(next(read)) for _ in range(5)] == lines[:5]
    with pytest.raises(NotAReport, match=r"^line 6: it is cut off in the middle"):
        next(read)


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("verdict", "splendid", 'verdict is "splendid" and should be one of healthy, degraded, broken, inconclusive'),
        ("checks.2.status", 7, "checks[2].status is 7 and should be one of"),
        ("checks.2.duration_ms", "12", 'checks[2].duration_ms is "12" and should be a number'),
        ("checks.2.attempts", 1.5, "checks[2].attempts is 1.5 and should be a whole number"),
        ("checks.2.attempts", True, "checks[2].attempts is true and should be a whole number"),
        ("checks.2.hop", "[click](javascript:x)", "checks[2].hop is"),
        ("checks.2.findings", {}, "checks[2].findings is {} and should be a list"),
        ("diagnosis.code", "rm -rf /", "diagnosis.code is"),
        ("diagnosis.remedy.0.run_on", None, "diagnosis.remedy[0].run_on is null and should be one of"),
        ("duration_ms", 1e300, "duration_ms is 1e+300 and should be a number"),
        ("duration_ms", -1, "duration_ms is -1 and should be a number that is not negative"),
        ("complete", 1, "complete is 1 and should be true or false"),
        ("exit_code", 256, "exit_code is 256"),
        ("started_at", "yesterday", "started_at is"),
        ("started_at", "9999-12-31T23:59:59-23:00", "started_at is"),
        ("target.bastion_port", 65536, "target.bastion_port is 65536"),
        ("target.remote_bind", "db", 'target.remote_bind is "db" and should be HOST:PORT'),
        ("target.via", ["telnet"], 'target.via[0] is "telnet" and should be HOST:PORT'),
        ("facts", {"a": ["b"]}, 'facts.a is ["b"] and should be a text, a number'),
        ("counts.pass", None, "counts.pass is null"),
        ("tunnel", ["x" * 900], "…"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_place(place: str, value: Any, told: str) -> None:
    changed = document()
    *keys, last = [int(key) if key.isdigit() else key for key in place.split(".")]
    part: Any = changed
    for key in keys:
        part = part[key]
    part[last] = value
    assert told in refusal(json.dumps(changed))


def test_a_key_that_is_not_there_is_named() -> None:
    changed = document()
    del changed["checks"][1]["layer"]
    assert refusal(json.dumps(changed)).startswith("checks[1].layer is missing")


def test_a_text_of_megabytes_is_cut() -> None:
    changed = document()
    changed["checks"][0]["title"] = "x" * 1_000_000
    assert len(report_from_json(changed).checks[0].title) == LONGEST


def test_nothing_in_a_saved_report_can_write_on_the_terminal() -> None:
    changed = json.loads(
        report_json(SCENARIOS["broken"]())
        .replace("bastion.example.com", "\\u001b[2J\\u202e")
        .replace("OpenSSH", "\\u0007")
    )
    changed["facts"]["\x1b]0;owned\x07"] = "\x1b[31m"
    report = report_from_json(changed)
    assert report.tunnel.bastion.host == "\\x1b[2J\\u{202e}"
    for text in (
        render_text(report, color=False, unicode=True, width=100, verbose=2),
        render_markdown(report),
        render_junit(report),
    ):
        assert not set(text) & set("\x1b\x07\u202e")
        assert "\\x1b" in text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_whatever_is_put_into_a_report_it_is_read_or_refused_and_can_be_rendered(data: st.DataObject) -> None:
    changed: Any = document()
    part = changed
    while True:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else list(range(len(part)))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.booleans()):
            break
        part = part[key]
    part[key] = data.draw(json_values)
    try:
        report = report_from_json(changed)
    except NotAReport as error:
        assert str(error)
        return
    render_text(report, color=True, unicode=False, width=80, verbose=1)
    render_markdown(report)
    render_junit(report)
    assert report_json(report_from_json(report_json(report))) == report_json(report)


@pytest.mark.parametrize("golden", sorted(GOLDENS.glob("*.json")), ids=lambda path: path.name)
def test_the_goldens_are_read_back(golden: Path) -> None:
    text = golden.read_text()
    assert report_json(report_from_json(text)) == text
