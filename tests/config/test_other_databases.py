"""Connection strings of Redis, MongoDB and Oracle."""

from __future__ import annotations

import pytest

from tunneldoctor.config.database_url import parse


@pytest.mark.parametrize(
    ("text", "engine", "host", "port", "user", "password", "name"),
    [
        ("redis://:p%40@db:6380/2", "redis", "db", 6380, None, "p@", "2"),
        ("rediss://app:pw@db", "redis", "db", 6379, "app", "pw", None),
        ("mongodb://app:pw@db/orders?authSource=admin", "mongodb", "db", 27017, "app", "pw", "orders"),
        ("oracle://app:pw@db/ORDERS", "oracle", "db", 1521, "app", "pw", "ORDERS"),
        ("oracle+oracledb://app:pw@db:1522/?service_name=ORDERS", "oracle", "db", 1522, "app", "pw", "ORDERS"),
        ("jdbc:oracle:thin:app/pw@//db:1522/ORDERS", "oracle", "db", 1522, "app", "pw", "ORDERS"),
        ("jdbc:oracle:thin:@tcps://db:2484/ORDERS", "oracle", "db", 2484, None, None, "ORDERS"),
        ("jdbc:oracle:thin:@[2001:db8::5]:1521:XE", "oracle", "2001:db8::5", 1521, None, None, "XE"),
    ],
)
def test_what_they_say(
    text: str, engine: str, host: str, port: int, user: str | None, password: str | None, name: str | None
) -> None:
    url = parse(text)
    assert (url.engine, url.host, url.port, url.user, url.password, url.name) == (
        engine, host, port, user, password, name
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("redis://db", "disable"),
        ("rediss://db", "verify-full"),
        ("rediss://db?ssl_check_hostname=false", "verify-ca"),
        ("rediss://db?ssl_cert_reqs=none", "require"),
        ("mongodb://db", "disable"),
        ("mongodb://db/?tls=true", "verify-full"),
        ("mongodb://db/?ssl=true&tlsAllowInvalidHostnames=true", "verify-ca"),
        ("mongodb://db/?tls=true&tlsInsecure=true", "require"),
        ("oracle://db/o", "disable"),
        ("jdbc:oracle:thin:@tcps://db/o", "verify-full"),
    ],
)
def test_the_encryption_that_they_ask_for(text: str, mode: str) -> None:
    assert parse(text).tls.mode == mode


def test_files_of_certificates_are_read() -> None:
    tls = parse("mongodb://db/?tls=true&tlsCAFile=ca.pem&tlsCertificateKeyFile=me.pem").tls
    assert (tls.root_certificate, tls.client_certificate, tls.client_key) == ("ca.pem", "me.pem", "me.pem")
    tls = parse("rediss://db?ssl_ca_certs=ca.pem&ssl_certfile=me.pem").tls
    assert (tls.root_certificate, tls.client_certificate, tls.client_key) == ("ca.pem", "me.pem", "me.pem")


def test_oracles_names_are_services_or_sids() -> None:
    assert "sid" not in parse("oracle://db/ORDERS").options
    assert parse("oracle+oracledb://db/XE").options["sid"] == "XE"
    assert parse("jdbc:oracle:thin:@db:1521:XE").options["sid"] == "XE"


def test_further_members_of_a_replica_set_are_told() -> None:
    assert parse("mongodb://db1:27018,db2,db3/o").others == ("db2:27017", "db3:27017")
