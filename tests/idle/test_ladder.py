"""The ladder on a real sshd, with a box of the test's own in between: a second or two stand for minutes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.checks.doubles import FakeBudget, a_context, a_tunnel
from tests.idle.box import Box, box
from tests.ssh.real_sshd import Sshd, needs_sshd, sshd
from tunneldoctor.idle.flow import Arm, How
from tunneldoctor.idle.ladder import Conduct, Ladder
from tunneldoctor.idle.plan import Plan, plan
from tunneldoctor.idle.result import Kind, Result
from tunneldoctor.idle.ssh_flow import Door, witness
from tunneldoctor.idle.standing import Standing
from tunneldoctor.idle.through import InFront
from tunneldoctor.model import Address
from tunneldoctor.ssh.blobs import fingerprint
from tunneldoctor.ssh.pins import Pins
from tunneldoctor.ssh.transport import OpenFailure, Transport

pytestmark = needs_sshd


class Examination:
    """One ladder on *server*, or on what is in front of it; ``said`` is what it told on the way."""

    def __init__(self, server: Sshd, port: int, cancel_at: float | None = None) -> None:
        self.said: list[Standing] = []
        self.cancelled = threading.Event()
        self._cancel_at = cancel_at
        self.stream = socket.create_connection(("127.0.0.1", port), 5)
        made = Transport.handshake(self.stream, timeout=5)
        assert isinstance(made, Transport)
        assert made.authenticate("root", server.key, 5) is None
        self.session = made
        self.budget = FakeBudget()
        self.context = a_context(tunnel=a_tunnel("127.0.0.1", port, "root"), budget=self.budget)
        self.context.closing(made)
        pins = Pins("x", "x", fingerprints=(fingerprint(made.plain_host_key),))
        self.door = Door(self.context, self.stream, pins, "root", [server.key], 20.0)

    def run(self, planned: Plan, **more: Any) -> Result:
        conduct = Conduct(5.0, lambda: 60.0, self.cancelled, self._hear)
        opener = InFront(replace(self.door, keepalive=planned.keepalive))
        return Ladder(planned, [opener], conduct, witness(self.session, self.stream), **more).run()

    @contextmanager
    def forward(self) -> Iterator[None]:
        """A channel through the run's own connection, which leads to nobody who speaks."""
        with socket.create_server(("127.0.0.1", 0)) as database:
            forward = self.session.open(Address("127.0.0.1", database.getsockname()[1]), 5)
            assert not isinstance(forward, OpenFailure)
            yield
            forward.close()

    @property
    def opened(self) -> int:
        return sum(call[0] == "further login" for call in self.budget.spent)

    def _hear(self, standing: Standing) -> None:
        self.said.append(standing)
        if self._cancel_at is not None and standing.elapsed >= self._cancel_at:
            self.cancelled.set()


@contextmanager
def behind(config: str = "", cancel_at: float | None = None, **more: Any) -> Iterator[tuple[Examination, Box]]:
    """An sshd with *config*, and a box in front of it."""
    with sshd(config) as server, box((server.host, server.port), **more) as made:
        examination = Examination(server, made.port, cancel_at)
        try:
            yield examination, made
        finally:
            examination.context.close()


def test_a_box_that_ends_unused_connections_is_timed_when_it_does() -> None:
    with behind(forget_after=1.5) as (examination, _):
        result = examination.run(plan(4.0, 5))
    assert (result.kind, result.how, result.confirmed) == (Kind.CUT, How.CLOSED, True)
    assert result.upper is not None
    assert result.lower is not None
    assert result.lower < 1.6
    assert result.upper > 1.4
    assert result.companions == {Arm.SSH_KEEPALIVE: True, Arm.TCP_KEEPALIVE: False, Arm.WITNESS: True}


def test_a_box_that_answers_the_next_packet_with_a_reset_is_found_between_two_silences() -> None:
    with behind(forget_after=1.5, how="reset") as (examination, _):
        result = examination.run(plan(4.0, 6))
    assert (result.kind, result.how, result.confirmed) == (Kind.CUT, How.RESET, True)
    assert result.lower is not None
    assert result.upper is not None
    assert result.lower < 1.6
    assert result.upper > 1.4
    assert result.companions[Arm.SSH_KEEPALIVE]


def test_a_network_that_keeps_connections_is_left_in_peace_and_no_more_are_opened_than_asked_for() -> None:
    with behind() as (examination, between):
        result = examination.run(plan(2.0, 5))
        assert (between.taken, between.at_a_time) == (6, 6)
        ladder = between.moments[1:]
        assert all(third - first > 0.8 for first, third in zip(ladder, ladder[2:], strict=False)), "two a second"
    assert result.kind is Kind.NONE
    assert result.lower is not None
    assert result.lower >= 2.0
    assert examination.opened == 5
    last = examination.said[-1]
    assert (last.opened, last.alive, last.dead, last.upper) == (5, 5, 0, None)


def test_a_bastion_that_refuses_the_third_connection_is_measured_with_those_it_takes() -> None:
    with behind(forget_after=1.5, how="reset", takes=3) as (examination, between):
        result = examination.run(plan(4.0, 6))
        assert between.taken <= 5, "who refuses is not pressed"
    assert (result.kind, result.how) == (Kind.CUT, How.RESET)
    assert any("was not to be had" in note for note in result.notes)


def test_connections_that_all_live_for_the_same_time_are_not_called_idle() -> None:
    with behind(live_for=2.5) as (examination, _), examination.forward():
        result = examination.run(plan(6.0, 5))
    assert result.kind is Kind.NOT_IDLE
    assert "after it was opened, used or not" in result.reason


def test_where_nothing_runs_over_them_a_server_may_have_taken_those_in_use_for_unused() -> None:
    with behind("UnusedConnectionTimeout 2") as (examination, _):
        result = examination.run(plan(6.0, 4))
    assert (result.kind, result.how, result.companions[Arm.WITNESS]) == (Kind.CUT, How.CLOSED, False)
    assert result.age is not None


def test_a_restart_ends_all_at_one_moment_and_is_not_called_idle() -> None:
    with behind() as (examination, between):
        threading.Timer(2.5, between.stop).start()
        result = examination.run(plan(6.0, 5))
    assert result.kind is Kind.NOT_IDLE
    assert "at the same moment" in result.reason


def test_sshd_that_ends_what_has_no_forward_open_takes_kept_connections_too() -> None:
    with behind("UnusedConnectionTimeout 2") as (examination, _), examination.forward():
        result = examination.run(plan(6.0, 4))
    assert (result.kind, result.how) == (Kind.CUT, How.CLOSED)
    assert result.age is not None
    assert (result.companions[Arm.SSH_KEEPALIVE], result.companions[Arm.WITNESS]) == (False, True)


def test_a_server_that_keeps_its_connections_alive_leaves_no_silence_to_measure() -> None:
    with behind("ClientAliveInterval 1", forget_after=2.5) as (examination, _):
        result = examination.run(plan(4.0, 3))
    assert result.kind is Kind.NONE
    assert result.lower is not None
    assert result.lower < 2.5
    assert any("speaks by itself" in note for note in result.notes)


def test_an_interrupted_ladder_says_what_is_known_so_far() -> None:
    with behind(cancel_at=2.0) as (examination, _):
        result = examination.run(plan(30.0, 4))
    assert result.kind is Kind.UNMEASURED
    assert "interrupted" in result.reason
    assert result.lower is not None


def test_how_it_stands_is_told_in_words_and_as_data() -> None:
    standing = Standing(61.0, 3700.0, 240, 260.0, 8, 8, 7, 1, 60.4, 62.0)
    assert str(standing) == "1:00:39 left at most: 7 alive at 60 s, 1 dead at 62 s"
    earlier = replace(standing, dead=0, alive=8, upper=None)
    assert str(earlier) == "1:00:39 left at most (3:19 if 240 s): 8 alive at 60 s, 0 dead"
    assert standing.values["left_seconds"] == 3639.0
    assert standing.values["dead_after_seconds"] == 62.0
