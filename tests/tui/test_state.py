"""What the screens show follows from the events alone, in whatever order they come."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.runs import events_of, sample
from tunneldoctor.model import CheckFinished, CheckProgress, Event, RunFinished, Status
from tunneldoctor.tui.state import Phase, State, again, fold, fold_all

NOTHING = State("orders")


def totals_are_right(state: State) -> bool:
    in_phases = sum(state.in_phase(phase) for phase in Phase)
    return in_phases == len(state.looks) and state.counts.total() == state.in_phase(Phase.ENDED)


def test_a_run_read_to_its_end_is_its_report() -> None:
    for name in ("healthy", "broken", "symptom", "jump-hosts", "interrupted"):
        report = sample(name)
        state = fold_all(NOTHING, events_of(report))
        assert state.phase is Phase.ENDED
        assert tuple(look.result for look in state.looks.values()) == report.checks
        assert state.stops == report.path
        assert {status: state.counts[status] for status in Status} == report.counts


def test_a_report_alone_shows_what_the_whole_run_shows() -> None:
    report = sample("symptom")
    alone = fold(NOTHING, RunFinished(report.duration_ms, report))
    whole = fold_all(NOTHING, events_of(report))
    assert [look.result for look in alone.looks.values()] == [look.result for look in whole.looks.values()]
    assert alone.stops == whole.stops


@settings(max_examples=150, deadline=None)
@given(st.permutations(events_of(sample("symptom"))), st.integers(0, 40))
def test_no_order_of_events_makes_the_totals_disagree(events: list[Event], cut: int) -> None:
    state = NOTHING
    for event in events[:cut] or events:
        state = fold(state, event)
        assert totals_are_right(state)


def test_news_of_a_check_that_ended_already_changes_nothing() -> None:
    report = sample("broken")
    state = fold_all(NOTHING, events_of(report))
    check = report.checks[0]
    assert fold(state, CheckProgress(9.0, check.id, check.hop, "late")) == state


def test_what_runs_is_on_its_way_and_a_stop_is_not_called_good_before_anything_was_sent_to_it() -> None:
    report = sample("healthy")
    events = events_of(report)
    read_only = [
        each for each in events if not isinstance(each, CheckFinished) or each.result.layer in ("config", "key")
    ]
    state = fold_all(State("orders", report.tunnel), read_only[:-1])
    assert state.in_phase(Phase.RUNNING) > 0
    assert [stop.status for stop in state.stops] == [None, None, None]


def test_looking_again_at_a_part_keeps_the_rest() -> None:
    from dataclasses import replace

    from tunneldoctor.engine.revise import merged, was_chosen
    from tunneldoctor.model import Policy

    first, healthy = sample("broken"), sample("healthy")
    chosen = {"forward.open", "db.tls", "db.login"}
    checks = tuple(
        check
        if check.id in chosen
        else replace(check, status=Status.SKIPPED, reason="not chosen with --only", started_ms=None)
        for check in healthy.checks
    )
    later = replace(healthy, checks=checks)
    state = again(fold_all(NOTHING, events_of(first)), part=True)
    assert [look.result for look in state.looks.values()] == list(first.checks), "nothing is lost when it begins"
    half = fold_all(state, events_of(later)[:-1])
    assert half.looks["key.private-key", "bastion"].status == "pass", "what was not chosen is not called skipped"
    state = fold(half, events_of(later)[-1])
    assert state.report == merged(first, later, Policy())
    for look, old in zip(state.looks.values(), first.checks, strict=True):
        again_now = next(check for check in checks if (check.id, check.hop) == look.key)
        assert look.result == (again_now if was_chosen(again_now) else old)
    assert state.report is not None
    assert (state.report.verdict, state.report.exit_code, state.report.diagnosis) == ("healthy", 0, None)


def test_each_whole_run_is_one_probe_and_a_stop_that_was_not_reached_is_lost_not_zero() -> None:
    state = fold_all(NOTHING, events_of(sample("healthy")))
    state = fold_all(again(state), events_of(sample("jump-hosts")))
    assert len(state.probes) == 2
    assert state.probes[0]["bastion"] == 24.1
    assert state.probes[1]["database"] is None
