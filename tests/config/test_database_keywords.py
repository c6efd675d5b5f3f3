"""libpq's connection strings of names and values, as libpq itself reads them."""

import pytest

from tunneldoctor.config.database_url import parse
from tunneldoctor.config.errors import BadUrl


def test_a_keyword_string_is_read_as_libpq_does() -> None:
    url = parse(r"host = db.internal port=6000 user='o''app' dbname=orders sslmode=verify-full".replace("''", r"\'"))
    assert (url.engine, url.dialect, url.host, url.port) == ("postgresql", "libpq", "db.internal", 6000)
    assert (url.user, url.name, url.tls.mode) == ("o'app", "orders", "verify-full")


@pytest.mark.parametrize(
    ("written", "password"),
    [
        (r"password='it\'s here'", "it's here"),
        (r"password=a\ b", "a b"),
        ("password=a;b#c%40@d", "a;b#c%40@d"),
        ("password=''", None),
        ("password= blank", "blank"),  # white space may stand on both sides of the =
        ("password=a'b'", "a'b'"),
    ],
)
def test_quotes_and_backslashes_of_a_password(written: str, password: str | None) -> None:
    assert (parse(f"host=db {written} user=app").password or None) == password


def test_the_first_of_several_hosts_is_looked_at_and_the_others_are_told() -> None:
    url = parse("host=db1,db2 port=5433,5434")
    assert (url.host, url.port, url.others) == ("db1", 5433, ("db2:5434",))


@pytest.mark.parametrize("text", ["host=db password='open", "host=db password", "host=db ="])
def test_what_libpq_can_not_read_is_named_and_never_repeated(text: str) -> None:
    with pytest.raises(BadUrl) as caught:
        parse(text)
    assert "quote" in caught.value.reason
    assert "open" not in f"{caught.value.reason}{caught.value.correction}"


@pytest.mark.parametrize(
    "text",
    [
        "Server=tcp:db,1433;Initial Catalog=o;User ID=sa;Password=secret-1",
        "Data Source=db;Password=secret-1",
        "Driver={ODBC Driver 18 for SQL Server};Server=db;PWD=secret-1",
        "Host=db;Username=app;Password=secret-1",
    ],
)
def test_a_string_of_ado_net_or_odbc_is_called_one(text: str) -> None:
    with pytest.raises(BadUrl, match=r"ADO\.NET") as caught:
        parse(text)
    assert "secret-1" not in f"{caught.value.reason}{caught.value.correction}"
