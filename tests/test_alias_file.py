"""The map of aliases on this machine: private, and one for all runs, also those at the same time."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.report.scenarios import SCENARIOS
from tunneldoctor.alias_file import MapUnusable, growing, kept, place
from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.redaction import TOPOLOGY, Shared, shared
from tunneldoctor.model import Report, Status
from tunneldoctor.report import Topology


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_what_was_given_is_there_the_next_time_and_for_this_user_alone() -> None:
    with growing() as aliases:
        alias = aliases.of("host", "db.acme.internal")
    assert kept().original(alias) == "db.acme.internal"
    assert place().stat().st_mode & 0o777 == 0o600
    assert place().parent.stat().st_mode & 0o777 == 0o700


def test_what_ends_in_a_failure_leaves_the_map_as_it_was() -> None:
    with pytest.raises(RuntimeError), growing() as aliases:
        aliases.of("host", "db.acme.internal")
        raise RuntimeError
    assert len(kept()) == 0


def test_runs_at_the_same_time_give_no_alias_twice() -> None:
    def give(number: int) -> None:
        for each in range(5):
            with growing() as aliases:
                aliases.of("user", f"user_{number}_{each}")

    threads = [threading.Thread(target=give, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    document = json.loads(place().read_text())["aliases"]
    assert len(document) == len(set(document.values())) == 20


def test_a_folder_that_can_not_be_written_is_told(folder: Path) -> None:
    (folder / "tunneldoctor").write_text("a file where the folder should be")
    with pytest.raises(MapUnusable), growing():
        pass


def test_a_report_that_would_say_something_else_is_not_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """No report is known that does; so the stage is broken on purpose."""

    def wrong(self: Topology, report: Report) -> Report:
        first, *rest = report.checks
        return replace(report, checks=(replace(first, status=Status.FAIL), *rest))

    monkeypatch.setattr(Topology, "report", wrong)
    report = SCENARIOS["healthy"]()
    with pytest.raises(Failure) as failed:
        shared(Shared([report]), TOPOLOGY)
    assert failed.value.exit_code == 3
    assert "would say something else" in str(failed.value)
    assert not place().exists()
