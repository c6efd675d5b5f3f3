"""The demo's scene: whole while it lasts, gone afterwards."""

import tomllib
from pathlib import Path

import pytest

from tunneldoctor.demo import programs
from tunneldoctor.demo.faults import MEANING, Fault
from tunneldoctor.demo.programs import NoPostgres
from tunneldoctor.demo.scene import scene


def tunnel_in(configuration: Path) -> dict[str, str]:
    return tomllib.loads(configuration.read_text())["tunnels"]["demo"]


@pytest.fixture
def any_postgres() -> None:
    try:
        programs.find_programs()
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("any_postgres")
def test_nothing_is_left_behind() -> None:
    told: list[str] = []
    with scene(None, told.append) as configuration:
        folder = configuration.parent
        assert (folder / "id_ed25519").stat().st_mode & 0o077 == 0
        assert (folder / "db_password").stat().st_mode & 0o077 == 0
    assert not folder.exists()
    assert [line.split()[1] for line in told] == ["PostgreSQL", "a"]
    assert not any((folder / "db_password").name in line for line in told)


@pytest.mark.usefixtures("any_postgres")
def test_nothing_is_left_behind_when_the_examination_breaks_off() -> None:
    with pytest.raises(KeyboardInterrupt), scene(None, lambda text: None) as configuration:
        folder = configuration.parent
        raise KeyboardInterrupt
    assert not folder.exists()


@pytest.mark.usefixtures("any_postgres")
def test_the_wrong_host_key_is_pinned_under_the_port_that_the_bastion_has() -> None:
    with scene(Fault.CHANGED_HOST_KEY, lambda text: None) as configuration:
        pinned = (configuration.parent / "known_hosts").read_text().split()
        url = tunnel_in(configuration)["ssh_url"]
    assert pinned[0] == f"[127.0.0.1]:{url.rpartition(':')[2]}"


def test_the_wheel_is_found_without_being_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = tmp_path / programs.WHEEL
    (wheel / "pginstall" / "bin").mkdir(parents=True)
    (wheel / "__init__.py").write_text("raise SystemExit('imported')")
    (wheel / "pginstall" / "bin" / "postgres").touch(mode=0o755)
    monkeypatch.setattr(programs, "DEBIAN", tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert programs.find_programs() == programs.Programs(wheel / "pginstall" / "bin", wheel)


def test_the_newest_postgresql_of_the_machine_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        for name in ("initdb", "postgres"):
            (tmp_path / version / "bin" / name).touch(mode=0o755)
    monkeypatch.setattr(programs, "DEBIAN", tmp_path)
    assert programs.find_programs().folder == tmp_path / "17" / "bin"


def test_every_fault_says_what_it_is() -> None:
    assert set(MEANING) == set(Fault)
