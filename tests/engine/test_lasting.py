"""Checks that let time pass: their deadline, their word on the way, and their last one."""

from __future__ import annotations

import threading

import pytest

from tests.engine.world import World, last_report, make_tunnel
from tunneldoctor.model import (
    BudgetSpent,
    Check,
    CheckProgress,
    Context,
    Finding,
    Layer,
    Outcome,
    Policy,
    Where,
    found,
)


def test_a_check_that_lets_time_pass_has_that_time_beyond_the_deadline_of_its_stage(world: World) -> None:
    seen: dict[str, float] = {}

    def look(context: Context) -> Outcome:
        seen[context.hop.name] = context.remaining()
        return Outcome()

    check = Check("idle.a", Layer.IDLE, "", Where.BASTION, look, lasts=lambda tunnel, policy: policy.up_to)
    world.report(check, tunnel=make_tunnel(timeout=5.0), policy=Policy(up_to=60.0))
    assert 60.0 < seen["bastion"] <= 65.0


def test_time_that_another_stage_takes_is_not_lent(world: World) -> None:
    seen: list[float] = []

    def look(context: Context) -> Outcome:
        seen.append(context.remaining())
        return Outcome()

    long = Check("idle.a", Layer.IDLE, "", Where.BASTION, lambda _: Outcome(), stage="a", lasts=lambda *_: 60.0)
    short = Check("idle.b", Layer.IDLE, "", Where.BASTION, look)
    world.report(long, short, tunnel=make_tunnel(timeout=5.0))
    assert seen[0] <= 5.0


def test_progress_carries_data_and_no_control_characters(world: World) -> None:
    def talk(context: Context) -> Outcome:
        context.progress("3 alive", alive=3, note="\x1b[2J")
        return Outcome()

    events = list(world.run(Check("idle.a", Layer.IDLE, "", Where.BASTION, talk)).events())
    (said,) = [event for event in events if isinstance(event, CheckProgress)]
    assert said.values == {"alive": 3, "note": "\\x1b[2J"}


def test_a_check_that_lets_time_pass_says_what_it_knows_when_the_run_is_interrupted(world: World) -> None:
    waiting = threading.Event()

    def wait(context: Context) -> Outcome:
        waiting.set()
        context.cancelled.wait(context.remaining())
        return Outcome(unknown="alive up to 300 s", measured={"idle.alive_after_seconds": 300})

    run = world.run(Check("idle.a", Layer.IDLE, "", Where.BASTION, wait, lasts=lambda *_: 60.0))
    threading.Thread(target=lambda: (waiting.wait(), run.cancel(130))).start()
    report = last_report(list(run.events()))
    assert report.exit_code == 130
    assert report.checks[0].reason == "alive up to 300 s"
    assert report.facts["idle.alive_after_seconds"] == 300


def test_one_that_does_not_listen_is_not_waited_for(world: World) -> None:
    waiting, over = threading.Event(), threading.Event()

    def hang(context: Context) -> Outcome:
        waiting.set()
        over.wait(30)
        return found(Finding("tcp.refused"))

    run = world.run(Check("idle.a", Layer.IDLE, "", Where.BASTION, hang, lasts=lambda *_: 60.0))
    threading.Thread(target=lambda: (waiting.wait(), run.cancel(130))).start()
    report = last_report(list(run.events()))
    over.set()
    assert report.checks[0].reason == "interrupted"


def test_no_more_further_logins_than_asked_for(world: World) -> None:
    counted: list[int] = []

    def open_many(context: Context) -> Outcome:
        for number in range(10):
            counted.append(number)
            context.budget.further_login("bastion")
        return Outcome()

    check = Check("idle.a", Layer.IDLE, "", Where.BASTION, open_many)
    report = world.report(check, policy=Policy(find_cutoff=True, connections=3))
    assert counted == [0, 1, 2, 3]
    assert report.checks[0].reason == "3 connections were asked for, and so many were opened"


def test_nobody_logs_in_further_unless_asked_to(world: World) -> None:
    def once_more(context: Context) -> Outcome:
        with pytest.raises(BudgetSpent):
            context.budget.further_login("bastion")
        return Outcome()

    assert world.report(Check("idle.a", Layer.IDLE, "", Where.BASTION, once_more)).exit_code == 0
