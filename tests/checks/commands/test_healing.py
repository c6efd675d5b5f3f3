"""What the pages advise heals: a fault is staged, the page's commands are run in its order, and the fault is gone.

Each command runs as it is shown, on the machine that the page names (see machines.py for what stands in for what), and
so does the page's way to make sure. What a page leaves to a person (an editor, a new key to be put in place) is in the
case. Commands that are not run here are listed with the reason in classes.py.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fixtures.lab.leftovers import USER_PREFIX, owned
from fixtures.lab.session import Lab, why_not
from fixtures.lab.stage import staged
from tests.checks.commands.advice import CATALOG
from tests.checks.commands.cases import CASES, Case
from tests.checks.commands.classes import absent, why_not_run
from tests.checks.commands.machines import Machines, with_a_stock_database, with_stock_settings
from tests.checks.commands.staging import SCENARIOS, page_of, report_on, values_of
from tunneldoctor.catalog.fill import step as filled
from tunneldoctor.model import Place, Provider, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fixtures.lab.stage import Stage
    from tunneldoctor.catalog import Page
    from tunneldoctor.model import Value

pytestmark = [pytest.mark.lab, pytest.mark.skipif(why_not(True) is not None, reason=str(why_not(True)))]

#: A field that nobody gave a value.
UNFILLED = re.compile(r"\{[a-z_]+\}")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as session:
        yield session


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.scenario)
def test_following_the_page_heals(case: Case, lab: Lab) -> None:
    scenario = SCENARIOS[case.scenario]
    with staged(with_a_stock_database(with_stock_settings(scenario)), lab) as stage:
        _heal(page_of(scenario), case, stage)


def test_an_account_made_as_advised_can_log_in(lab: Lab) -> None:
    """With a name of the lab's own, so that what is left of a killed test is removed by the next."""
    name = owned(USER_PREFIX)
    missing = SCENARIOS["auth-no-such-user"]
    ours = replace(missing, tunnel={"ssh_url": f"ssh://{name}@{{bastion_host}}:{{bastion_port}}"})
    case = Case(
        missing.name, shows={"journalctl": f"Invalid user {name}"}, fails=("^getent passwd",), runs=("useradd",)
    )
    try:
        with staged(with_stock_settings(ours), lab) as stage:
            _heal(CATALOG.page("auth.unknown-user"), case, stage)
    finally:
        subprocess.run(["userdel", "--remove", name], check=False, capture_output=True)


def _heal(page: Page, case: Case, stage: Stage) -> None:
    report = report_on(stage)
    values = values_of(stage, report) | case.known
    machines = Machines(stage, _words(case.edit, values))
    look = report["diagnosis"]["next_step"]
    if look and look["command"]:
        step = Step(look["text"], look["command"], Place(look["run_on"]))
        _follow(filled(step, case.known), case, machines)
    engine = str(values.get("database_engine"))
    for step in (each for each in page.remedy if engine in (each.engines or (engine,))):
        _follow(filled(step, values), case, machines)
    if case.finish:
        done = machines.run(Place.HERE, case.finish.format(**stage.words))
        assert done.returncode == 0, done.stderr
    if case.healed:
        after = report_on(stage)
        assert after["verdict"] == "healthy", after["diagnosis"]
        assert page.verify is not None
        _follow(filled(page.verify, values), case, machines)


def _words(text: str, values: Mapping[str, Value]) -> str:
    """*text* with ``{target}`` and the like filled in, as :func:`str.format` would without minding other braces."""
    return text.replace("{target}", str(values.get("target")))


def _follow(step: Step, case: Case, machines: Machines) -> None:
    """Run the step's command where it says, if it is for a machine of the lab; see that it does what is promised."""
    command = step.command
    if not command or step.run_on is Place.CLOUD or step.provider not in {None, Provider.ONPREM}:
        return
    left_out = why_not_run(command) and not _any(case.runs, command)
    if left_out or _any(case.skips, command) or absent(command):
        return
    assert not UNFILLED.search(command), f"{command}: nobody knows what to put there"
    done = machines.run(step.run_on, command, typed=case.typed)
    output = done.stdout + done.stderr
    assert (done.returncode != 0) is _any(case.fails, command), f"{command}\nended with {done.returncode}\n{output}"
    for part, wanted in case.shows.items():
        if part in command:
            assert re.search(wanted, output, re.MULTILINE), f"{command}\n{output}"


def _any(patterns: Sequence[str], command: str) -> bool:
    return any(re.search(pattern, command) for pattern in patterns)
