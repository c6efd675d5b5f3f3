from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunneldoctor.config.database_url import parse
from tunneldoctor.config.errors import BadUrl


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("postgresql://app@db:5433/orders", ("postgresql", "libpq", "db", 5433, "app", "orders")),
        ("postgres://db", ("postgresql", "libpq", "db", 5432, None, None)),
        ("postgresql://app@[fd00::5]/o", ("postgresql", "libpq", "fd00::5", 5432, "app", "o")),
        ("postgresql:///o?host=db&port=6000&user=app", ("postgresql", "libpq", "db", 6000, "app", "o")),
        ("postgresql://127.0.0.1/o?host=db&hostaddr=127.0.0.1", ("postgresql", "libpq", "db", 5432, None, "o")),
        ("postgresql+psycopg://app@db/o", ("postgresql", "sqlalchemy", "db", 5432, "app", "o")),
        ("postgresql+asyncpg:///o?host=db:6000", ("postgresql", "sqlalchemy", "db", 6000, None, "o")),
        ("mysql://app@db/o", ("mysql", "url", "db", 3306, "app", "o")),
        ("mariadb+pymysql://app@db/o", ("mariadb", "sqlalchemy", "db", 3306, "app", "o")),
        ("mssql://sa@db/o", ("sqlserver", "url", "db", 1433, "sa", "o")),
        ("sqlserver://sa@db:1434?database=o", ("sqlserver", "url", "db", 1434, "sa", "o")),
        ("sqlserver://db:1433;database=o;user=sa", ("sqlserver", "url", "db", 1433, "sa", "o")),
        ("jdbc:postgresql://db:5433/o?user=app", ("postgresql", "jdbc", "db", 5433, "app", "o")),
        ("jdbc:mysql://db/o?user=app", ("mysql", "jdbc", "db", 3306, "app", "o")),
        ("jdbc:mysql://address=(host=db)(port=3307)/o", ("mysql", "jdbc", "db", 3307, None, "o")),
        ("jdbc:mysql:loadbalance://db,db2/o", ("mysql", "jdbc", "db", 3306, None, "o")),
        ("jdbc:mariadb://app@db:3307/o", ("mariadb", "jdbc", "db", 3307, "app", "o")),
        ("jdbc:sqlserver://db:1433;databaseName=o;user=sa", ("sqlserver", "jdbc", "db", 1433, "sa", "o")),
        ("jdbc:sqlserver://;serverName=db;portNumber=1444", ("sqlserver", "jdbc", "db", 1444, None, None)),
        (r"jdbc:sqlserver://db\inst:1433", ("sqlserver", "jdbc", "db", 1433, None, None)),
        ("jdbc:sqlserver://db;databaseName={o;}}x}", ("sqlserver", "jdbc", "db", 1433, None, "o;}x")),
        (
            "mssql+pyodbc:///?odbc_connect=Driver%3D%7BODBC+Driver+18%7D%3BServer%3Dtcp%3Adb%2C1444%3BUID%3Dsa",
            ("sqlserver", "sqlalchemy", "db", 1444, "sa", None),
        ),
        ("tcp://db:6379", ("tcp", "tcp", "db", 6379, None, None)),
    ],
)
def test_what_a_connection_string_says(text: str, wanted: tuple[Any, ...]) -> None:
    url = parse(text)
    assert (url.engine, url.dialect, url.host, url.port, url.user, url.name) == wanted


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("postgresql://app:p%40ss@db/o", "p@ss"),
        ("postgresql://app:p%2Bs+s@db/o", "p+s+s"),
        ("postgresql://app:p?s#s@db/o", "p?s#s"),
        ("postgresql://db/o?password=p%40ss", "p@ss"),
        ("postgresql+psycopg://app:p/a%ss@db/o", "p/a%ss"),
        ("mysql://app:p%23ss@db/o", "p#ss"),
        ("jdbc:postgresql://db/o?user=app&password=p%40ss", "p@ss"),
        ("jdbc:mysql://app:p%40ss@db/o", "p@ss"),
        ("jdbc:sqlserver://db;user=sa;password={p;s}}s}", "p;s}s"),
        ("sqlserver://db;user=sa;password=p@ss", "p@ss"),
    ],
)
def test_the_password_as_the_dialects_own_parser_reads_it(text: str, password: str) -> None:
    assert parse(text).password == password


def test_further_hosts_are_told() -> None:
    url = parse("postgresql://app@db1,db2:5433,db3/o?target_session_attrs=primary")
    assert (url.host, url.others) == ("db1", ("db2:5433", "db3:5432"))


@pytest.mark.parametrize(
    ("text", "part", "words"),
    [
        ("db.internal:5432", "scheme", "does not start"),
        ("Server=tcp:db,1433;Password=x", "scheme", "ADO.NET"),
        ("cassandra://db", "scheme", "cassandra://"),
        ("jdbc:db2://db", "scheme", "jdbc:db2:"),
        ("postgresql://", "host", "no host"),
        ("postgresql:///orders", "host", "no host"),
        ("postgresql:///o?host=/var/run/postgresql", "host", "Unix socket"),
        ("postgresql://app:p@ss@db/o", "password", "not escaped"),
        ("postgresql+psycopg://app:p@ss@db/o", "password", "not escaped"),
        ("mysql://app:p@ss@db/o", "password", "not escaped"),
        ("postgresql://app:pa/ss@db/o", "password", "before the @"),
        ("postgresql://app:12/34@db/o", "password", "before the @"),
        ("mysql://app:12?34@db/o", "password", "before the @"),
        ("postgresql://app:100%@db/o", "password", "%"),
        ("postgresql://db:99999/o", "port", "99999"),
        ("postgresql://db:x/o", "port", "what stands there"),
        ("tcp://db", "port", "no port"),
        ("tcp://db:1/x", "path", "nothing else"),
        ("jdbc:postgresql://app:x@db/o", "user", "no user and password before the host"),
        ("jdbc:postgresql:orders", "host", "no // and host"),
        (r"jdbc:sqlserver://db\inst", "port", "named instance"),
        ("postgresql://db/o?sslmode=verify_full", "query", "sslmode"),
        ("jdbc:mysql://db/o?sslMode=maybe", "query", "sslMode"),
        ("jdbc:sqlserver://db;encrypt=maybe", "query", "encrypt"),
        ("postgresql://" + "x" * 5000, "whole", "longer"),
    ],
)
def test_what_is_wrong_is_named_by_its_part(text: str, part: str, words: str) -> None:
    with pytest.raises(BadUrl) as caught:
        parse(text)
    assert caught.value.part == part
    assert words in caught.value.reason


def test_options_leave_out_what_is_secret() -> None:
    url = parse("postgresql://app:hunter2@db/o?sslpassword=hunter2&application_name=x-hunter2&connect_timeout=3")
    assert url.open_options() == {"connect_timeout": "3"}
    assert url.further_secrets == ("sslpassword",)
    assert "hunter2" not in repr(url)


_SCHEMES = st.sampled_from(
    [
        "postgresql://",
        "postgresql+psycopg://",
        "mysql://",
        "sqlserver://",
        "tcp://",
        "mssql+pyodbc:///?odbc_connect=",
        "jdbc:",
        "jdbc:postgresql://",
        "jdbc:mysql://",
        "jdbc:mariadb://",
        "jdbc:sqlserver://",
    ]
)


@given(_SCHEMES, st.text(max_size=60) | st.text(alphabet="ab:/@[]%?#;={}()&,\\0é =", max_size=40))
def test_nothing_but_our_own_refusal_ever_comes_of_a_connection_string(scheme: str, rest: str) -> None:
    try:
        assert 1 <= parse(scheme + rest).port <= 65535
    except BadUrl as refusal:
        assert refusal.reason
        assert refusal.correction
