"""Steps that are for one kind of database: read from a page, shown to a tunnel that leads to it."""

from pathlib import Path

import pytest

from tunneldoctor.catalog import Catalog
from tunneldoctor.catalog.markdown import Fitting, markdown
from tunneldoctor.model import Database, Hop, Tunnel

PAGE = """---
title: "x"
summary: "y"
remedy:
  - text: "for all"
  - text: "for the elephant"
    engine: postgresql
  - text: "for the dolphin"
    engine: mysql
  - text: "for the seal"
    engine: mariadb
verify:
  text: "z"
---
## How to fix it
Thus.
"""


def catalog(folder: Path) -> Catalog:
    (folder / "db").mkdir()
    (folder / "db" / "fault.md").write_text(PAGE)
    return Catalog([folder])


def test_a_step_for_mysql_is_for_mariadb_too(tmp_path: Path) -> None:
    steps = catalog(tmp_path).page("db.fault").remedy
    assert [step.engines for step in steps] == [(), ("postgresql",), ("mysql", "mariadb"), ("mariadb",)]


@pytest.mark.parametrize(
    ("engine", "shown"),
    [
        ("postgresql", {"all", "elephant"}),
        ("mysql", {"all", "dolphin"}),
        ("mariadb", {"all", "dolphin", "seal"}),
        ("sqlserver", {"all"}),
        (None, {"all", "elephant", "dolphin", "seal"}),
    ],
)
def test_a_tunnel_is_shown_the_steps_for_its_engine(tmp_path: Path, engine: str | None, shown: set[str]) -> None:
    database = Database(engine, "db.internal", 1) if engine else None
    fitting = Fitting(Tunnel("orders", (Hop("bastion", "b"),), database=database))
    text = markdown(catalog(tmp_path).page("db.fault"), fitting)
    assert {word for word in ("all", "elephant", "dolphin", "seal") if word in text} == shown


def test_a_page_on_its_own_says_what_each_step_is_for(tmp_path: Path) -> None:
    text = markdown(catalog(tmp_path).page("db.fault"))
    assert "for the elephant (here, PostgreSQL)" in text
    assert "for the dolphin (here, MySQL and MariaDB)" in text
