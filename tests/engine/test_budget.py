"""The manners of a run: what is asked for to measure with is counted, server by server."""

from __future__ import annotations

import pytest

from tunneldoctor.engine.budget import RunBudget
from tunneldoctor.model import BudgetSpent


def test_no_further_login_unless_asked_for() -> None:
    with pytest.raises(BudgetSpent):
        RunBudget().further_login("bastion")


def test_each_server_gets_as_many_further_logins_as_were_asked_for_and_no_more() -> None:
    budget = RunBudget(further_logins=2)
    for server in ("bastion", "database"):
        budget.further_login(server)
        budget.further_login(server)
        with pytest.raises(BudgetSpent, match="2 connections were asked for"):
            budget.further_login(server)


def test_after_two_refused_logins_there_is_no_further_one() -> None:
    budget = RunBudget(further_logins=2)
    budget.refused("bastion")
    budget.refused("bastion")
    with pytest.raises(BudgetSpent, match="lock this address out"):
        budget.further_login("bastion")
