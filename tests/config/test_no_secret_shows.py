"""A planted password is in nothing that a tunnel shows, in whichever form it was given, well-formed or not."""

from collections.abc import Callable

import pytest

from tunneldoctor.model import Tunnel

PLANTED = "Tr0ub4dor"
_PASSWORDS = ["{p}", "{p}%40x", "x@{p}", "{p}@x", "{p}/x", "x/{p}", "{p}?x", "{p}#x", "{p}%", "{p}:x", "1/{p}", "{p} x"]
_DATABASES = [
    "postgresql://app:{}@db/orders",
    "postgresql://app:{}@db:99999/orders",
    "postgresql://app:{}@/orders",
    "postgresql://app:{}@db/orders?sslmode=nonsense",
    "postgresql://app:{}@db1,db2/orders",
    "postgresql://db/orders?user=app&password={}",
    "postgresql://db/orders?sslpassword={}",
    "postgresql+psycopg://app:{}@db/orders",
    "postgresql+psycopg://app:{}@db:x/orders",
    "mysql://app:{}@db/orders",
    "mariadb+pymysql://app:{}@db/orders",
    "mssql+pyodbc:///?odbc_connect=Server%3Ddb%3BUID%3Dsa%3BPWD%3D{}",
    "sqlserver://sa:{}@db",
    "sqlserver://db;user=sa;password={}",
    "jdbc:postgresql://db/orders?user=app&password={}",
    "jdbc:postgresql://app:{}@db/orders",
    "jdbc:mysql://app:{}@db/orders",
    "jdbc:mariadb://db/orders?password={}&trustStorePassword={}",
    "jdbc:sqlserver://db;password={};keyStoreSecret={}",
    "jdbc:oracle:thin:app/{}@db",
    "oracle://app:{}@db",
    "tcp://app:{}@db:1",
    "host=db password={}",
    "app:{}@db",
]
_SERVERS = ["ssh://tunnel:{}@bastion", "ssh://tunnel:{}@bastion:99999", "ssh://tunnel:{}@", "http://u:{}@b", "u:{}@b"]


def shown(tunnel: Tunnel) -> str:
    return repr(tunnel) + "".join(f"{problem}{problem.params}{problem.origin}" for problem in tunnel.problems)


@pytest.mark.parametrize("password", _PASSWORDS)
@pytest.mark.parametrize("form", _DATABASES)
def test_a_databases_password_shows_nowhere(tunnel: Callable[..., Tunnel], form: str, password: str) -> None:
    url = form.replace("{}", password.format(p=PLANTED))
    for built in (tunnel(database=f'"{url}"'), tunnel({"database": url})):
        assert PLANTED not in shown(built)


@pytest.mark.parametrize("password", _PASSWORDS)
@pytest.mark.parametrize("form", _SERVERS)
@pytest.mark.parametrize("key", ["ssh_url", "via", "admin", "run_from", "bastion_host"])
def test_a_servers_password_shows_nowhere(tunnel: Callable[..., Tunnel], key: str, form: str, password: str) -> None:
    url = form.replace("{}", password.format(p=PLANTED))
    value = f'["{url}"]' if key == "via" else f'"{url}"'
    for built in (tunnel(**{key: value}), tunnel({key: url})):
        assert PLANTED not in shown(built)


@pytest.mark.parametrize("key", ["private_key_passphrase", "bastion_password", "database_password"])
def test_a_secret_of_its_own_key_shows_nowhere(tunnel: Callable[..., Tunnel], key: str) -> None:
    database = '"postgresql://app@db/orders"'
    for built in (tunnel(database=database, **{key: f'"{PLANTED}"'}), tunnel({key: PLANTED}, database=database)):
        assert PLANTED not in shown(built)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "mysql", "sqlserver", "jdbc:mysql", "ssh"])
def test_a_password_where_the_port_belongs_shows_nowhere(tunnel: Callable[..., Tunnel], scheme: str) -> None:
    key = "ssh_url" if scheme == "ssh" else "database"
    assert PLANTED not in shown(tunnel(**{key: f'"{scheme}://app:{PLANTED}"'}))


def test_a_pasted_key_shows_nowhere(tunnel: Callable[..., Tunnel]) -> None:
    assert PLANTED not in shown(tunnel(private_key=f'"-----BEGIN PRIVATE KEY-----\\n{PLANTED}"'))
