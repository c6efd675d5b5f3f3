"""pg_service.conf and .pgpass are honoured as libpq honours them."""

from pathlib import Path

import pytest

from tunneldoctor.config import load
from tunneldoctor.config.database_elsewhere import elsewhere
from tunneldoctor.config.database_files import look_up
from tunneldoctor.config.database_parts import DatabaseUrl
from tunneldoctor.config.database_url import parse
from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.settings import Surroundings
from tunneldoctor.model import Severity, Tunnel

SERVICES = """
# comment
[other]
host=elsewhere

[prod]
host=db.internal
port=6000
user=app
dbname=orders
sslmode=verify-full
password=from-the-service
"""


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    (tmp_path / ".pg_service.conf").write_text(SERVICES)
    return Surroundings({"PGSYSCONFDIR": str(tmp_path / "etc")}, tmp_path, tmp_path)


def read(text: str, around: Surroundings) -> DatabaseUrl:
    return parse(text, lambda client, options: elsewhere(client, options, around))


@pytest.mark.parametrize("text", ["service=prod", "postgresql://?service=prod", "postgresql+psycopg://?service=prod"])
def test_a_service_gives_what_the_string_leaves_out(text: str, around: Surroundings) -> None:
    url = read(text, around)
    assert (url.host, url.port, url.user, url.name) == ("db.internal", 6000, "app", "orders")
    assert url.tls.mode == "verify-full"
    assert url.password == "from-the-service"
    assert "password" in url.origins


def test_what_the_string_states_wins_over_the_service(around: Surroundings) -> None:
    url = read("postgresql://me:mine@db2/o2?service=prod&sslmode=require", around)
    assert (url.host, url.port, url.user, url.name, url.tls.mode) == ("db2", 6000, "me", "o2", "require")
    assert url.password == "mine"
    assert "password" not in url.origins


def test_the_file_that_pgservicefile_names_is_read_instead(around: Surroundings, tmp_path: Path) -> None:
    other = tmp_path / "services"
    other.write_text("[prod]\nhost=from-the-variable\n")
    changed = Surroundings({**around.environ, "PGSERVICEFILE": str(other)}, around.home, around.cwd)
    assert read("service=prod", changed).host == "from-the-variable"


def test_the_system_s_file_is_read_where_the_user_s_own_does_not_define_it(around: Surroundings) -> None:
    folder = Path(around.environ["PGSYSCONFDIR"])
    folder.mkdir()
    (folder / "pg_service.conf").write_text("[shared]\nhost=from-the-system\n")
    assert read("service=shared", around).host == "from-the-system"


def test_a_service_that_nobody_defines_is_named(around: Surroundings) -> None:
    with pytest.raises(BadUrl) as caught:
        read("service=nowhere", around)
    assert caught.value.reason == "there is no definition of the service nowhere"


def test_a_mysql_option_file_gives_what_the_string_leaves_out(around: Surroundings) -> None:
    (around.home / "my.cnf").write_text(
        "[mysqld]\nport=1\n[client]\nhost = db.internal\nport=3307\nuser=app\npassword='p#ss'\nssl_ca=/ca.pem\n"
    )
    url = read("mysql+pymysql:///orders?read_default_file=~/my.cnf&user=me", around)
    assert (url.host, url.port, url.user, url.name, url.password) == ("db.internal", 3307, "me", "orders", "p#ss")
    assert "password" in url.origins
    assert (url.tls.mode, url.tls.root_certificate) == ("verify-ca", "/ca.pem")


def test_what_an_option_file_includes_counts_and_later_lines_win(around: Surroundings) -> None:
    (around.home / "my.cnf").write_text(
        "[client]\nuser=app\nport=1\n!includedir my.d\n!include last.cnf\n[mysqld]\nport=9\n[client]\nport=3308\n"
    )
    (around.home / "my.d").mkdir()
    (around.home / "my.d" / "b.cnf").write_text("[client]\nuser=b\nport=2\n; port=8\n[mysql]\nport=7\n")
    (around.home / "my.d" / "a.cnf").write_text("[client]\nhost=from-a\nuser=a\n")
    (around.home / "my.d" / "ignored.txt").write_text("[client]\nuser=no\n")
    (around.home / "last.cnf").write_text("[client]\ndatabase=orders\n!include last.cnf\n")
    url = read("mysql://?read_default_file=~/my.cnf", around)
    assert (url.host, url.port, url.user, url.name) == ("from-a", 3308, "b", "orders")
    assert url.origins["user"] == f"[client] of {around.home}/my.cnf"


def test_pymysql_reads_no_file_that_an_option_file_includes(around: Surroundings) -> None:
    (around.home / "my.cnf").write_text("[client]\nuser=app\n!include more.cnf\n")
    (around.home / "more.cnf").write_text("[client]\nuser=other\n")
    assert read("mysql+pymysql://db/o?read_default_file=~/my.cnf", around).user == "app"
    assert read("mysql+mysqldb://db/o?read_default_file=~/my.cnf", around).user == "other"


def test_an_included_file_that_is_not_there_is_named(around: Surroundings) -> None:
    (around.home / "my.cnf").write_text("[client]\nuser=app\n!include nowhere.cnf\n")
    with pytest.raises(BadUrl) as caught:
        read("mysql://db/o?read_default_file=~/my.cnf", around)
    assert "nowhere.cnf" in caught.value.reason


def test_the_string_s_own_spelling_of_an_option_wins_over_the_file_s(around: Surroundings) -> None:
    (around.home / "my.cnf").write_text("[client]\nssl-ca=/of-the-file.pem\n")
    url = read("mysql+pymysql://app@db/o?read_default_file=~/my.cnf&ssl_ca=/of-the-string.pem", around)
    assert url.tls.root_certificate == "/of-the-string.pem"


@pytest.mark.parametrize(("name", "said"), [("nowhere.cnf", "there is no file"), ("my.cnf", "has no group [client]")])
def test_an_option_file_without_what_is_wanted_is_named(around: Surroundings, name: str, said: str) -> None:
    (around.home / "my.cnf").write_text("[mysqld]\nport=1\n")
    with pytest.raises(BadUrl) as caught:
        read(f"mysql+pymysql://app@db/o?read_default_file=~/{name}", around)
    assert said in caught.value.reason


def _passfile(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / ".pgpass"
    path.touch(mode=0o600)
    path.write_text(text)
    path.chmod(mode)
    return path


def _found(text: str, around: Surroundings) -> str | None:
    passfile = look_up(parse(text), around)
    assert passfile and not passfile.ignored
    return passfile.password.secret.reveal().decode() if passfile.password and passfile.password.secret else None


@pytest.mark.parametrize(
    ("lines", "password"),
    [
        ("db:5432:orders:app:right\n", "right"),
        ("#db:5432:orders:app:no\ndb:5432:other:app:no\n*:*:*:app:right\ndb:5432:orders:app:later", "right"),
        (r"db:5432:orders:app:a\:b\\c", r"a:b\c"),
        ("db:5432:orders:app:with:colons", "with:colons"),
        ("db:5433:orders:app:no", None),
        ("127.0.0.1:*:*:*:no", None),
        ("db:5432:orders\n", None),
        ("", None),
    ],
)
def test_the_first_line_that_fits_gives_the_password(lines: str, password: str | None, around: Surroundings) -> None:
    _passfile(around.home, lines)
    assert _found("postgresql://app@db/orders", around) == password


def test_without_a_database_the_line_for_the_user_s_own_fits(around: Surroundings) -> None:
    _passfile(around.home, "db:5432:app:app:right")
    assert _found("host=db user=app", around) == "right"


def test_pgpassfile_and_passfile_name_another_file(around: Surroundings, tmp_path: Path) -> None:
    _passfile(around.home, "*:*:*:*:no")
    other = tmp_path / "other"
    other.mkdir()
    path = _passfile(other, "*:*:*:*:right")
    changed = Surroundings({"PGPASSFILE": str(path)}, around.home, around.cwd)
    assert _found("postgresql://app@db/orders", changed) == "right"
    assert _found(f"host=db user=app passfile={path}", around) == "right"


def test_a_file_that_others_may_read_is_ignored_as_libpq_does_and_that_is_said(around: Surroundings) -> None:
    _passfile(around.home, "*:*:*:*:right", 0o644)
    found = look_up(parse("postgresql://app@db/orders"), around)
    assert found and found.password is None
    assert "mode 0644" in found.ignored


@pytest.mark.parametrize(
    "text", ["jdbc:postgresql://db/o?user=app", "mysql://app@db/o", "postgresql+pg8000://app@db/o"]
)
def test_clients_that_are_not_libpq_do_not_read_it(text: str, around: Surroundings) -> None:
    _passfile(around.home, "*:*:*:*:right")
    assert look_up(parse(text), around) is None


def _tunnel(tmp_path: Path, database: str) -> Tunnel:
    file = tmp_path / "tunneldoctor.toml"
    file.write_text(f'[tunnels.t]\nssh_url = "ssh://u@bastion"\nprivate_key = "file:k"\ndatabase = "{database}"\n')
    return load(file, {"HOME": str(tmp_path)}, tmp_path).tunnel("t", {})


def test_a_tunnel_takes_the_password_of_pgpass_without_calling_it_plain_text(tmp_path: Path) -> None:
    path = _passfile(tmp_path, "*:*:*:*:right")
    tunnel = _tunnel(tmp_path, "postgresql://app@db.internal/orders")
    assert tunnel.database
    assert str(tunnel.database.password) == f"pgpass:{path}"
    assert not tunnel.problems


def test_a_pgpass_that_libpq_ignores_is_a_warning(tmp_path: Path) -> None:
    path = _passfile(tmp_path, "*:*:*:*:right", 0o640)
    tunnel = _tunnel(tmp_path, "postgresql://app@db.internal/orders")
    (problem,) = tunnel.problems
    assert (problem.code, problem.severity) == ("config.secret-not-found", Severity.WARNING)
    assert problem.params["reference"] == str(path)
    assert tunnel.database and tunnel.database.password is None


def test_a_tunnel_leads_to_the_host_of_the_service(tmp_path: Path) -> None:
    (tmp_path / ".pg_service.conf").write_text(SERVICES)
    tunnel = _tunnel(tmp_path, "service=prod")
    assert str(tunnel.remote) == "db.internal:6000"
    assert not tunnel.problems


def test_the_tunnel_s_own_end_as_hostaddr_is_no_mismatch(tmp_path: Path) -> None:
    text = 'host=db.internal hostaddr=127.0.0.1 port=15432 user=app"\nremote_bind = "db.internal:5432'
    assert not _tunnel(tmp_path, text).problems
