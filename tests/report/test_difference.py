"""What changed between two runs is named; noise, and what one of them could not see, is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.report.samples import EDGE, FACTS, checks, diagnosis, ended, finding, report
from tests.report.scenarios import SCENARIOS
from tests.report.test_to_json import validate
from tunneldoctor.model import Address, Layer, Report, Severity, Status, Vantage, Verdict
from tunneldoctor.report import (
    difference,
    difference_json,
    render_difference,
    report_from_json,
    report_json,
    since_it_worked,
)

HEALTHY = SCENARIOS["healthy"]()
OTHER_KEY = "SHA256:AAAAztksCsDhcc0u9e8BrH1VWzcVfwZ0kbnVqtkqZ+o"


def measured(**facts: str | float) -> Report:
    return replace(HEALTHY, facts={**FACTS, **{name.replace("__", "."): value for name, value in facts.items()}})


def named(before: Report, after: Report) -> dict[str, tuple[object, object]]:
    return {each.name: (each.before, each.after) for each in difference(before, after).changes}


def text(before: Report, after: Report) -> str:
    return render_difference(difference(before, after), color=False, unicode=True, width=100)


def test_a_run_does_not_differ_from_itself(report: Report) -> None:
    found = difference(report, report_from_json(report_json(replace(report, duration_ms=9000.0))))
    # what kind of line break a server used is not in the JSON
    assert all("\\r" in str(each.before) or "\r" in str(each.before) for each in found.changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bastion__address", "203.0.113.9"),
        ("bastion__host_key", OTHER_KEY),
        ("bastion__software", "OpenSSH_9.9"),
        ("ssh__kex", "mlkem768x25519-sha256"),
        ("egress_address", "198.51.100.8"),
        ("database__version", "16.1"),
        ("database__tls", "TLSv1.2"),
        ("database__tls_expires", "2027-01-01 00:00 UTC"),
        ("bastion__latency_ms", 124.1),
    ],
)
def test_what_was_measured_otherwise_has_changed(name: str, value: str | float) -> None:
    fact = name.replace("__", ".")
    assert named(HEALTHY, measured(**{name: value})) == {fact: (FACTS.get(fact), value)}


@pytest.mark.parametrize("after", [24.1, 5.0, 47.0, 73.0, 0.0])
def test_a_round_trip_that_varies_as_round_trips_do_has_not_changed(after: float) -> None:
    assert named(HEALTHY, measured(bastion__latency_ms=after)) == {}


@pytest.mark.parametrize(("before", "after"), [(24.0, 80.0), (2.0, 60.0), (300.0, 90.0)])
def test_a_round_trip_twice_as_long_or_short_by_fifty_milliseconds_has(before: float, after: float) -> None:
    found = named(measured(bastion__latency_ms=before), measured(bastion__latency_ms=after))
    assert found == {"bastion.latency_ms": (before, after)}


@pytest.mark.parametrize("after", [149.0, 200.0])
def test_a_long_round_trip_has_to_double(after: float) -> None:
    assert named(measured(bastion__latency_ms=101.0), measured(bastion__latency_ms=after)) == {}


@pytest.mark.parametrize(("after", "differs"), [(349.8, False), (352.0, False), (240.0, True), (None, True)])
def test_a_cut_off_that_is_measured_anew_differs_by_tenths_and_has_not_changed(after: float, differs: bool) -> None:
    later = measured(idle__cutoff_seconds=after) if after else HEALTHY
    assert bool(named(measured(idle__cutoff_seconds=350.0), later)) is differs


def test_how_long_idle_was_asked_for_is_no_change() -> None:
    assert named(measured(idle__survived_seconds=60), measured(idle__survived_seconds=600)) == {}


def test_what_a_broken_run_could_not_measure_has_not_changed() -> None:
    found = difference(HEALTHY, SCENARIOS["symptom"]())
    assert "database.version" in found.unmeasured
    assert "database.version" not in {each.name for each in found.changes}
    assert "db.read-only" not in {each.name for each in found.changes}  # nobody logged in to see it


def test_what_another_version_does_not_look_at_has_not_changed() -> None:
    newer = replace(measured(database__mood="good"), version="99.0", checks=HEALTHY.checks[1:])
    assert named(HEALTHY, newer) == {}
    assert difference(HEALTHY, newer).unmeasured == ("database.mood",)


def test_encryption_that_a_whole_run_no_longer_finds_has_changed() -> None:
    assert named(HEALTHY, SCENARIOS["degraded"]())["database.tls"] == ("TLSv1.3", None)


def test_whose_commands_the_advice_shows_is_no_change() -> None:
    assert named(HEALTHY, replace(HEALTHY, tunnel=replace(HEALTHY.tunnel, provider=None))) == {}


def test_the_target_and_the_place_of_the_examination_count() -> None:
    moved = replace(HEALTHY.tunnel, remote=Address("db2.internal.corp", 5432), hops=(EDGE, *HEALTHY.tunnel.hops))
    found = named(HEALTHY, replace(HEALTHY, tunnel=moved, vantage=Vantage("agent.corp", "198.51.100.7")))
    assert found == {
        "via": (None, "ssh://jump@edge.example.com:2222"),
        "remote_bind": ("db.internal.corp:5432", "db2.internal.corp:5432"),
        "host": ("laptop.example.net", "agent.corp"),
    }


def test_verdict_diagnosis_causes_checks_and_findings_are_told() -> None:
    found = named(HEALTHY, SCENARIOS["symptom"]())
    assert found["verdict"] == ("healthy", "broken")
    assert found["diagnosis"] == (None, "auth.publickey-refused")
    assert str(found["causes"][1]).startswith("auth.key-not-authorized, ")
    assert found["auth.login"] == ("pass", "fail")
    assert found["auth.publickey-refused"] == (None, "error")
    assert found["ssh.weak-algorithms"] == (None, "warning")
    assert found["forward.open"] == ("pass", "blocked")


def test_the_text_sums_up_what_only_follows() -> None:
    told = text(HEALTHY, SCENARIOS["symptom"]())
    assert "verdict                             healthy → broken\n" in told
    assert "auth.login (bastion)                pass → fail\n" in told
    assert "not run any more: forward.open, db.tls, db.login, idle.known-cutoffs\n" in told
    assert "forward.open (database)" not in told
    assert all(len(line) <= 100 for line in told.splitlines())


def test_the_text_says_when_nothing_changed() -> None:
    assert text(HEALTHY, HEALTHY) == (
        "orders: nothing changed between 2026-11-22T03:04:05Z (healthy) and 2026-11-22T03:04:05Z (healthy)\n"
    )


def test_the_text_is_ascii_where_nothing_else_can_be_shown() -> None:
    assert render_difference(
        difference(HEALTHY, SCENARIOS["hostile"]()), color=False, unicode=False, width=80
    ).isascii()


def test_nothing_that_a_server_said_can_write_on_the_terminal() -> None:
    hostile = SCENARIOS["hostile"]()
    for told in (
        text(HEALTHY, hostile),
        since_it_worked(HEALTHY, hostile),
        difference_json(difference(HEALTHY, hostile)),
    ):
        assert told.replace("\n", "").isprintable()
    assert "\n" not in since_it_worked(HEALTHY, hostile)


@pytest.mark.parametrize("other", SCENARIOS.values(), ids=SCENARIOS)
def test_the_document_validates(report: Report, other: Callable[[], Report]) -> None:
    found = difference(report, other())
    document = json.loads(difference_json(found))
    validate("diff", document)
    assert document["same"] == (document["changes"] == [])


def broken_by_a_new_host_key(hours: float) -> Report:
    changed = finding("hostkey.changed")
    told = report(
        checks(hostkey_verify=ended("hostkey.verify", Status.FAIL, changed)),
        diagnosis(changed, "bastion", Layer.HOSTKEY),
        Verdict.BROKEN,
        facts={**FACTS, "bastion.host_key": OTHER_KEY},
    )
    return replace(told, started_at=told.started_at + timedelta(hours=hours))


def test_one_sentence_tells_when_it_last_worked_and_what_changed_since() -> None:
    assert since_it_worked(HEALTHY, broken_by_a_new_host_key(2.5)) == (
        "last time it worked: 2 h ago; since then: bastion host key changed from "
        f"{FACTS['bastion.host_key']} to {OTHER_KEY}"
    )


def test_the_sentence_says_when_nothing_else_changed() -> None:
    told = since_it_worked(
        HEALTHY, replace(SCENARIOS["broken"](), started_at=HEALTHY.started_at + timedelta(minutes=3))
    )
    assert told == "last time it worked: 3 min ago; since then: nothing else that could be compared has changed"


def test_the_sentence_stays_short() -> None:
    many = replace(broken_by_a_new_host_key(1), facts={name: f"other {name}" for name in FACTS})
    assert since_it_worked(HEALTHY, many).endswith(f", {len(FACTS) - 3} more")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "less than a minute ago"), (60, "1 min ago"), (7100, "118 min ago"), (7200, "2 h ago"),
        (47.9 * 3600, "47 h ago"), (48 * 3600, "2 d ago"), (-300, "5 min ahead of this machine's clock"),
    ],
)  # fmt: skip
def test_the_age_is_told_in_one_unit(seconds: float, words: str) -> None:
    at = replace(SCENARIOS["broken"](), started_at=HEALTHY.started_at + timedelta(seconds=seconds))
    assert since_it_worked(HEALTHY, at).startswith(f"last time it worked: {words}; ")


def test_a_finding_that_is_ignored_now_has_changed() -> None:
    warned, ignored = (
        finding("db.tls-off", Severity.WARNING),
        finding("db.tls-off", Severity.WARNING, ignored="--ignore"),
    )
    before, after = (
        report(checks(db_tls=ended("db.tls", status, each)), None, Verdict.HEALTHY)
        for status, each in ((Status.WARN, warned), (Status.PASS, ignored))
    )
    assert named(before, after) == {"db.tls": ("warn", "pass"), "db.tls-off": ("warning", "ignored")}
