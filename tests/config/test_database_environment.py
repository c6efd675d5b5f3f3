"""libpq's variables give what the string leaves out, and it is said what came from them."""

from pathlib import Path

import pytest

from tests.config.test_database_files import SERVICES
from tunneldoctor.config import load
from tunneldoctor.model import Tunnel

VARIABLES = {
    "PGHOST": "from-the-environment",
    "PGPORT": "6432",
    "PGUSER": "env_user",
    "PGDATABASE": "env_name",
    "PGPASSWORD": "env secret",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/ca.pem",
}


def tunnel(folder: Path, database: str, **environment: str) -> Tunnel:
    file = folder / "tunneldoctor.toml"
    file.write_text(f'[tunnels.t]\nssh_url = "ssh://u@bastion"\nprivate_key = "file:k"\ndatabase = "{database}"\n')
    return load(file, {"HOME": str(folder), **environment}, folder).tunnel("t", {})


@pytest.mark.parametrize(
    "text", ["postgresql://", "connect_timeout=5", "postgresql+psycopg://", "postgresql+asyncpg:///"]
)
def test_variables_give_all_that_the_string_leaves_out(tmp_path: Path, text: str) -> None:
    read = tunnel(tmp_path, text, **VARIABLES)
    assert not read.problems
    assert str(read.remote) == "from-the-environment:6432"
    assert read.database
    assert (read.database.user, read.database.name) == ("env_user", "env_name")
    assert (read.database.tls.mode, read.database.tls.root_certificate) == ("verify-full", "/ca.pem")
    assert str(read.database.password) == "env:PGPASSWORD"
    assert str(read.origin("database.user")) == "$PGUSER"


def test_what_the_string_states_is_taken_from_nowhere_else(tmp_path: Path) -> None:
    read = tunnel(tmp_path, "postgresql://me:mine@db:5433/o?sslmode=require", **VARIABLES)
    assert read.database
    stated = (str(read.remote), read.database.user, read.database.name, read.database.tls.mode)
    assert stated == ("db:5433", "me", "o", "require")
    assert str(read.database.password) == "(given in plain text)"
    assert {key for key in read.origins if key.startswith("database.")} == {"database.sslrootcert"}


def test_a_service_comes_before_the_variables_and_may_be_named_by_one(tmp_path: Path) -> None:
    (tmp_path / ".pg_service.conf").write_text(SERVICES)
    read = tunnel(tmp_path, "postgresql://", PGSERVICE="prod", PGHOST="no", PGSSLROOTCERT="/ca.pem")
    assert str(read.remote) == "db.internal:6000"
    assert str(read.origin("database.host")) == "the service prod"
    assert str(read.origin("database.sslrootcert")) == "$PGSSLROOTCERT"


@pytest.mark.parametrize(
    "text", ["postgresql+pg8000://app@db/o", "jdbc:postgresql://db/o?user=app", "mysql://app@db/o", "redis://db/0"]
)
def test_clients_that_are_not_libpq_do_not_read_them(tmp_path: Path, text: str) -> None:
    read = tunnel(tmp_path, text, **VARIABLES)
    assert read.database
    assert (read.database.host, read.database.password) == ("db", None)
    assert read.database.port != 6432
    assert not [key for key in read.origins if key.startswith("database.")]


def test_a_database_password_of_the_file_wins(tmp_path: Path) -> None:
    read = tunnel(tmp_path, 'postgresql://app@db/o"\ndatabase_password = "env:OURS', PGPASSWORD="other")
    assert read.database
    assert str(read.database.password) == "env:OURS"


def test_a_value_that_can_not_be_is_named_with_where_it_came_from(tmp_path: Path) -> None:
    (problem,) = tunnel(tmp_path, "postgresql://app@db/o", PGSSLMODE="strict").problems
    assert problem.code == "config.bad-database-url"
    assert "sslmode (from $PGSSLMODE)" in problem.params["reason"]
