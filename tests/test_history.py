"""Runs are kept for this user alone, few of them, and whatever goes wrong there harms no examination."""

import errno
import multiprocessing
import os
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.samples import ORDERS
from tests.report.scenarios import SCENARIOS
from tunneldoctor import history as module
from tunneldoctor.history import History, folder_name
from tunneldoctor.model import Report, Verdict
from tunneldoctor.report import report_json

HOSTILE = [
    "..", ".", "/", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", "~", "-rf", "", " ", "a\nb", "a\0b", "\x1b[2J",
    "C:", "con", "Ördërs 🐘", "x" * 300, "x" * 299 + "y", "🐘" * 200, "ORDERS", "orders", "orders%2F", "orders/",
    "\ud800",
]  # fmt: skip


class Kept:
    """A history in a folder of its own, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.history = History(folder, self.said.append)

    @property
    def files(self) -> list[Path]:
        return sorted(path for path in self.history.folder.rglob("*") if path.is_file())

    @property
    def minutes(self) -> list[int]:
        return [kept.started_at.minute for kept in self.history.kept("orders")]


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "state" / "tunneldoctor" / "history")


def run(name: str = "orders", scenario: str = "healthy", minutes: float = 0) -> Report:
    report = SCENARIOS[scenario]()
    return replace(
        report,
        tunnel=replace(ORDERS, name=name),
        started_at=report.started_at.replace(minute=0) + timedelta(minutes=minutes),
    )


def test_a_run_is_read_back_as_it_was(kept: Kept) -> None:
    report = run(scenario="broken")
    path = kept.history.keep(report)
    last = kept.history.last("orders")
    assert last is not None
    assert last.path == path
    assert (last.started_at, last.verdict, last.code) == (report.started_at, Verdict.BROKEN, "forward.refused")
    assert report_json(last.report) == report_json(report)
    assert kept.said == []


def test_the_last_run_comes_first(kept: Kept) -> None:
    for minutes in (3, 1, 2):
        kept.history.keep(run(minutes=minutes))
    kept.history.keep(run("billing", minutes=9))
    assert kept.minutes == [3, 2, 1]
    assert [each.report.tunnel.name for each in kept.history.kept()] == ["billing", "orders", "orders", "orders"]
    assert kept.history.names() == ["billing", "orders"]
    assert kept.history.last("nobody") is None


def test_the_last_run_that_worked_is_found_behind_broken_and_interrupted_ones(kept: Kept) -> None:
    kept.history.keep(run(minutes=1))
    kept.history.keep(run(scenario="degraded", minutes=2))
    kept.history.keep(run(scenario="broken", minutes=3))
    kept.history.keep(replace(run(minutes=4), complete=False))
    kept.history.keep(run(scenario="inconclusive", minutes=5))
    worked = kept.history.last_that_worked("orders")
    assert worked is not None
    assert worked.started_at.minute == 2
    earlier = kept.history.last_that_worked("orders", before=worked.started_at)
    assert earlier is not None
    assert earlier.started_at.minute == 1
    assert kept.history.last_that_worked("orders", before=earlier.started_at) is None


def test_a_broken_tunnel_is_told_when_it_last_worked_and_no_other_is(kept: Kept) -> None:
    kept.history.keep(run(minutes=1))
    assert str(kept.history.remark(run(scenario="broken", minutes=31))).startswith("last time it worked: 30 min ago; ")
    assert kept.history.remark(run(minutes=31)) is None
    assert kept.history.remark(run("billing", scenario="broken", minutes=31)) is None


def test_only_this_user_can_read_what_is_kept(kept: Kept) -> None:
    kept.history.folder.mkdir(parents=True, mode=0o777)
    kept.history.folder.chmod(0o777)
    umask = os.umask(0)
    try:
        path = kept.history.keep(run())
    finally:
        os.umask(umask)
    assert path is not None
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


def test_hostile_names_stay_in_the_folder_and_apart(kept: Kept) -> None:
    for number, name in enumerate(HOSTILE):
        assert kept.history.keep(run(name, minutes=number)) is not None, name
    assert kept.said == []
    assert len({path.parent for path in kept.files}) == len(HOSTILE)
    assert all(path.parent.parent == kept.history.folder for path in kept.files)
    for number, name in enumerate(HOSTILE):
        assert [each.started_at.minute for each in kept.history.kept(name)] == [number], name


@given(st.text(), st.text())
def test_no_two_names_share_a_folder_even_where_case_is_folded(one: str, other: str) -> None:
    assert (folder_name(one).lower() == folder_name(other).lower()) == (one == other)
    assert len(folder_name(one)) <= 120
    assert not set(folder_name(one)) & set("./\\")


def test_the_oldest_runs_go(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PER_TUNNEL", 3)
    for minutes in range(6):
        kept.history.keep(run(minutes=minutes))
    kept.history.keep(run("billing"))
    assert kept.minutes == [5, 4, 3]
    assert len(kept.files) == 4


def test_the_last_run_that_worked_outlives_the_broken_ones(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PER_TUNNEL", 3)
    kept.history.keep(run(minutes=0))
    kept.history.keep(run(minutes=1))
    for minutes in range(2, 8):
        kept.history.keep(run(scenario="broken", minutes=minutes))
    assert kept.minutes == [7, 6, 1]


def test_the_bytes_of_a_tunnel_are_bounded(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(report_json(run()))
    monkeypatch.setattr(module, "BYTES_PER_TUNNEL", size * 2 + 10)
    for minutes in range(5):
        kept.history.keep(run(minutes=minutes))
    assert kept.minutes == [4, 3]


def test_the_runs_of_all_tunnels_are_bounded_and_empty_folders_go(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_ALL", 3)
    for minutes in range(8):
        kept.history.keep(run(f"tunnel-{minutes}", minutes=minutes))
    assert kept.history.names() == ["tunnel-5", "tunnel-6", "tunnel-7"]
    assert len(list(kept.history.folder.iterdir())) == 3
    monkeypatch.setattr(module, "BYTES_IN_ALL", 1)
    kept.history.keep(run("tunnel-8", minutes=8))
    assert kept.files == []


def test_what_a_killed_run_left_goes_after_a_while_and_what_is_being_written_stays(kept: Kept) -> None:
    path = kept.history.keep(run(minutes=1))
    assert path is not None
    left, writing = path.with_name("20200101T000000.000Z-healthy-left.tmp"), path.with_name("2020-healthy-writing.tmp")
    for each in (left, writing):
        each.write_bytes(b"{")
    os.utime(left, (0, 0))
    assert kept.minutes == [1]
    kept.history.keep(run("billing", minutes=2))
    assert [each.name for each in kept.files if each.suffix == ".tmp"] == [writing.name]


def test_a_report_that_is_far_too_large_is_not_kept(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    assert kept.history.keep(run()) is None
    assert kept.files == []
    assert len(kept.said) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * 100, b"[]", b'{"schema": "tunneldoctor.report/2"}'])
def test_a_broken_file_is_told_and_passed_over(kept: Kept, content: bytes) -> None:
    kept.history.keep(run(minutes=1))
    path = kept.history.keep(run(minutes=2))
    assert path is not None
    path.write_bytes(content)
    assert kept.minutes == [1]
    assert len(kept.said) == 1
    assert str(path) in kept.said[0]
    worked = kept.history.last_that_worked("orders")
    assert worked is not None
    assert worked.started_at.minute == 1


def test_a_folder_where_a_file_should_be_is_told(kept: Kept) -> None:
    path = kept.history.keep(run())
    assert path is not None
    (path.parent / "20990101T000000.000Z-healthy-x.json").mkdir()
    assert len(kept.history.kept("orders")) == 1
    assert "Is a directory" in kept.said[0]


def test_where_nothing_can_be_written_that_is_said_once_and_nothing_raised(kept: Kept) -> None:
    kept.history.folder.parent.mkdir(parents=True)
    kept.history.folder.write_text("in the way")
    assert kept.history.keep(run()) is None
    assert len(kept.said) == 1
    assert kept.said[0].startswith(f"this run is not kept in {kept.history.folder}: ")
    assert "--no-history" in kept.said[0]


def test_a_full_disk_leaves_nothing_half_written(kept: Kept) -> None:
    """The real thing: a file system of 64 kB is mounted where the runs go."""
    mounted = kept.history.folder
    mounted.mkdir(parents=True)
    if os.geteuid() or os.system(f"mount -t tmpfs -o size=64k tmpfs '{mounted}' 2>/dev/null"):
        pytest.skip("needs root and the right to mount")
    try:
        results = [kept.history.keep(run(scenario="broken", minutes=number)) for number in range(20)]
        assert results[0] is not None
        assert results[-1] is None
        assert os.strerror(errno.ENOSPC) in kept.said[-1]
        assert [path.suffix for path in kept.files] == [".json"] * (20 - results.count(None))
        assert len(kept.history.kept("orders")) == len(kept.files)
    finally:
        os.system(f"umount '{mounted}'")


def _keep_many(folder: Path, worker: int) -> None:
    history = History(folder, lambda text: os._exit(3))
    module.PER_TUNNEL, module.IN_ALL = 3, 4
    for number in range(15):
        history.keep(run(f"tunnel-{(number + worker) % 3}", minutes=number))
        history.kept()


def test_runs_at_the_same_time_do_not_harm_each_other(kept: Kept) -> None:
    processes = [
        multiprocessing.get_context("fork").Process(target=_keep_many, args=(kept.history.folder, worker))
        for worker in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert 1 <= len(kept.files) <= 4
    assert len(kept.history.kept()) == len(kept.files)


def test_without_a_home_folder_nothing_is_written_into_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = Kept(Path("~/.local/state/tunneldoctor/history"))
    assert kept.history.keep(run()) is None
    assert len(kept.said) == 1
    assert list(tmp_path.iterdir()) == []
