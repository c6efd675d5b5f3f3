"""The engine against a real MariaDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from fixtures.lab.mariadb import MariaDb, break_off
from tests.database.lab_mariadb import BASTION, Client, Servers
from tunneldoctor.database import mysql_login
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Withheld
from tunneldoctor.model import BudgetSpent, Tls

MISSING = Withheld("give database_password", Reason.PASSWORD_MISSING)
REJECTED = Withheld("the certificate is rejected")
REQUIRED = {"db.tls-required", "db.tls-client-certificate-required"}


@pytest.fixture
def bastion(mariadb: MariaDb) -> Iterator[Client]:
    """A client from an address whose errors are counted; whatever was counted before is forgotten."""
    mariadb.sql("flush hosts")
    made = Client(mariadb.port, BASTION)
    yield made
    made.close()


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_a_good_password_logs_in_whatever_the_encryption(mysql: Client, mode: str) -> None:
    session = mysql.login(mysql.database(mode=mode))
    assert session.version.startswith("10.")
    assert session.version.endswith("-MariaDB")
    assert session.seen_as == "localhost"
    assert session.encryption == (None if mode in ("disable", "allow") else "TLSv1.3")
    assert session.idle_timeout == 28800
    assert session.read_only is None
    assert mysql.asked == ["mysql_native_password"]
    assert session.ping(5) > 0


@pytest.mark.parametrize("user", ["signer", "müller", "either", "insists_on_tls"])
def test_accounts_of_other_forms_log_in(mysql: Client, user: str) -> None:
    assert mysql.login(mysql.database(user)).seen_as == "localhost"


def test_a_database_need_not_be_named(mysql: Client) -> None:
    assert mysql.login(mysql.database(name=None)).seen_as == "localhost"


def test_an_account_without_a_password_needs_none(mysql: Client) -> None:
    assert mysql.login(mysql.database("passwordless"), MISSING).seen_as == "localhost"


@pytest.mark.parametrize("user", ["app", "signer", "stranger", "elsewhere"])
def test_a_password_that_is_wanted_and_missing_is_said_to_be(mysql: Client, user: str) -> None:
    with pytest.raises(Withheld) as caught:
        mysql.login(mysql.database(user), MISSING)
    assert caught.value is MISSING


@pytest.mark.parametrize("error", [REJECTED, BudgetSpent("one password a run")])
def test_a_password_that_is_withheld_ends_the_login(mysql: Client, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        mysql.login(mysql.database(), error)
    assert caught.value is error


@pytest.mark.parametrize(
    ("user", "name", "password", "reason"),
    [
        ("app", "orders", "wrong", Reason.LOGIN_REFUSED),
        ("signer", "orders", "wrong", Reason.LOGIN_REFUSED),
        ("ghost", "orders", "wrong", Reason.LOGIN_REFUSED),
        ("elsewhere", "orders", "lab-secret-42", Reason.LOGIN_REFUSED),
        ("insists_on_certificate", "orders", "lab-secret-42", Reason.LOGIN_REFUSED),
        ("app", "nowhere", "lab-secret-42", Reason.UNKNOWN_DATABASE),
        ("app", "closed", "lab-secret-42", Reason.PERMISSION_DENIED),
        ("locked", "orders", "lab-secret-42", Reason.ACCOUNT_LOCKED),
        ("elapsed", "orders", "lab-secret-42", Reason.PASSWORD_EXPIRED),
    ],
)
def test_a_refusal_is_told_by_its_number(mysql: Client, user: str, name: str, password: str, reason: Reason) -> None:
    assert mysql.trouble(mysql.database(user, name), password).reason is reason


def left_open(mysql: Client, *tls: Any, user: str = "app") -> set[str]:
    """Those of REQUIRED that a refusal with 1045 leaves open."""
    trouble = mysql.trouble(mysql.database(user, tls=Tls(*tls)), "wrong")
    assert trouble.params["errno"] == 1045
    return REQUIRED - {each.code for each in trouble.rulings}


def test_without_tls_the_account_may_require_it(mysql: Client) -> None:
    assert left_open(mysql, "disable") == REQUIRED


def test_over_tls_the_account_may_require_a_certificate(mysql: Client) -> None:
    assert left_open(mysql, "require") == {"db.tls-client-certificate-required"}


def test_with_a_certificate_the_account_requires_nothing_more(mysql: Client, servers: Servers) -> None:
    pair = servers.lab.pki.client("good", "app")
    file, key = servers.lab.folder / "client.crt", servers.lab.folder / "client.key"
    file.write_bytes(pair.certificate)
    key.touch(mode=0o600)
    key.write_bytes(pair.key)
    assert left_open(mysql, "require", "", None, str(file), str(key)) == set()
    tls = Tls("require", "", None, str(file), str(key))
    assert mysql.login(mysql.database("insists_on_certificate", tls=tls)).encryption


def test_a_refused_password_is_none_of_what_has_its_own_number(mysql: Client) -> None:
    out = {each.code for each in mysql.trouble(mysql.database(), "wrong").rulings}
    assert out == {
        "db.password-expired", "db.password-not-usable", "db.account-locked", "db.auth-method-unsupported",
        "db.tls-required",
    }  # fmt: skip


def test_the_address_is_the_one_that_the_server_quotes(bastion: Client) -> None:
    params = bastion.trouble(bastion.database(), "wrong").params
    assert (params["address"], params["errno"], params["sqlstate"]) == (BASTION, 1045, "28000")


@pytest.mark.parametrize("user", ["local", "either", "nobody"])
def test_1698_may_come_of_four_causes(mysql: Client, user: str) -> None:
    """An account of unix_socket; one whose first method is a password; and no account at all."""
    trouble = mysql.trouble(mysql.database(user), "wrong")
    assert (trouble.reason, trouble.params["errno"]) == (Reason.LOGIN_REFUSED, 1698)
    assert {each.code for each in trouble.rulings} == {
        "db.password-expired", "db.password-not-usable", "db.account-locked", *REQUIRED,
    }  # fmt: skip


def test_pam_is_given_the_password_in_clear_and_asks_for_that_by_name(mysql: Client) -> None:
    assert mysql.trouble(mysql.database("pam"), "wrong").params["errno"] == 1045
    assert mysql.asked == ["mysql_native_password", "cleartext"]


def test_an_expired_password_may_end_the_connection(mysql: Client, mariadb: MariaDb) -> None:
    mariadb.sql("set global disconnect_on_expired_password = 1")
    try:
        trouble = mysql.trouble(mysql.database("elapsed"))
    finally:
        mariadb.sql("set global disconnect_on_expired_password = 0")
    assert (trouble.reason, trouble.params["errno"]) == (Reason.PASSWORD_EXPIRED, 1862)


def test_a_read_only_server_says_why(mysql: Client, mariadb: MariaDb) -> None:
    mariadb.sql("set global read_only = 1")
    try:
        session = mysql.login(mysql.database())
    finally:
        mariadb.sql("set global read_only = 0")
    assert session.read_only == "read_only is on: it is a replica, or was made read-only"


def test_the_servers_own_idle_limit_is_read_and_seen(mysql: Client, mariadb: MariaDb) -> None:
    mariadb.sql("set global wait_timeout = 1")
    try:
        session = mysql.login(mysql.database())
    finally:
        mariadb.sql("set global wait_timeout = 28800")
    assert session.idle_timeout == 1
    with pytest.raises(DatabaseTrouble) as caught:
        session.listen(5)
    assert caught.value.trouble.reason is Reason.CLOSED


def test_silence_on_an_idle_session_is_no_trouble(mysql: Client) -> None:
    session = mysql.login(mysql.database())
    session.listen(0.05)
    assert session.ping(5) > 0


def test_a_session_takes_its_leave(mysql: Client, mariadb: MariaDb) -> None:
    def aborted() -> str:
        return mariadb.sql("show global status like 'Aborted_clients'")

    before = aborted()
    session = mysql.login(mysql.database())
    session.close()
    session.close()
    assert aborted() == before


def test_a_server_that_has_no_tls_is_told_apart(servers: Servers) -> None:
    with servers.started(tls=False) as server:
        asking = Client(server.port)
        assert asking.trouble(asking.database()).reason is Reason.TLS_NOT_SUPPORTED
        prepared = asking.prepare(asking.database(mode="prefer"))
        assert (prepared.offers_tls, prepared.encrypted) == (False, False)
        asking.close()


@pytest.mark.parametrize(
    ("settings", "held", "number", "full"),
    [
        (("max-connections = 10", "connect-timeout = 600"), 10, 1040, "the whole server"),  # said after the login
        (("max-connections = 10", "connect-timeout = 600"), 11, 1040, "the whole server"),  # said instead of a greeting
        (("max-user-connections = -1",), 0, 1203, "this user"),
    ],
)
def test_a_full_server_says_what_is_full(
    servers: Servers, settings: tuple[str, ...], held: int, number: int, full: str
) -> None:
    with servers.started(*settings) as server:
        server.occupy(held)
        asking = Client(server.port)
        trouble = asking.trouble(asking.database())
        asking.close()
    assert (trouble.reason, trouble.params["errno"]) == (Reason.TOO_MANY_CONNECTIONS, number)
    assert trouble.params["full"] == full


def test_an_account_that_used_up_its_hour_is_full(mysql: Client) -> None:
    mysql.login(mysql.database("single"))
    trouble = mysql.trouble(mysql.database("single"))
    assert (trouble.params["errno"], trouble.params["full"]) == (1226, "this user")


def test_what_is_broken_off_blocks_the_bastion_and_is_named(bastion: Client, mariadb: MariaDb) -> None:
    """That the next test would fail if it had reason to."""
    for _ in range(12):
        break_off(bastion.connect())
    trouble = bastion.trouble(bastion.database())
    assert (trouble.reason, trouble.params["address"]) == (Reason.HOST_BLOCKED, BASTION)
    mariadb.sql("flush hosts")


def _unprepared(bastion: Client) -> None:
    """A run that ends before the login."""
    prepared = bastion.prepare(bastion.database())
    prepared.close()
    prepared.close()


EXAMINATIONS: dict[str, Callable[[Client], object]] = {
    "a wrong password": lambda it: it.login(it.database(), "wrong"),
    "a wrong password for ed25519": lambda it: it.login(it.database("signer"), "wrong"),
    "no such user": lambda it: it.login(it.database("ghost"), "wrong"),
    "no such user, taken for one of the socket": lambda it: it.login(it.database("nobody"), "wrong"),
    "no password given": lambda it: it.login(it.database(), MISSING),
    "no password given for ed25519": lambda it: it.login(it.database("signer"), MISSING),
    "a password withheld": lambda it: it.login(it.database("signer"), REJECTED),
    "a client certificate that can't be used": lambda it: it.login(it.database(tls=Tls("require", "", None, "/none"))),
    "no such database": lambda it: it.login(it.database(name="nowhere")),
    "no right to the database": lambda it: it.login(it.database(name="closed")),
    "a locked account": lambda it: it.login(it.database("locked")),
    "TLS required": lambda it: it.login(it.database("insists_on_tls", mode="disable")),
    "no login tried": _unprepared,
}


@pytest.mark.parametrize("examination", EXAMINATIONS)
def test_a_dozen_examinations_of_each_kind_leave_the_bastion_unblocked(bastion: Client, examination: str) -> None:
    """156 in all, with max_connect_errors = 10, and never a good login in between, which would set the count back."""
    for _ in range(12):
        with suppress(DatabaseTrouble, Withheld):
            EXAMINATIONS[examination](bastion)
        bastion.close()
    assert bastion.login(bastion.database()).seen_as == BASTION


@pytest.mark.parametrize("account", ["app", "signer", "local", "passwordless"])
def test_nobody_may_be_taken_for_any_account(bastion: Client, monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    """As MariaDB does with a name that it does not know; here the name is changed to know which account it takes."""
    monkeypatch.setattr(mysql_login, "NOBODY", account)
    for _ in range(12):
        _unprepared(bastion)
        bastion.close()
    assert bastion.login(bastion.database()).seen_as == BASTION


def test_a_server_without_tls_is_left_politely_where_the_client_insists(servers: Servers) -> None:
    with servers.started("max-connect-errors = 3", tls=False) as server:
        bastion = Client(server.port, BASTION)
        for _ in range(6):
            assert bastion.trouble(bastion.database()).reason is Reason.TLS_NOT_SUPPORTED
            bastion.close()
        assert bastion.login(bastion.database(mode="disable")).seen_as == BASTION
        bastion.close()
