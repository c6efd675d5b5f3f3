import pytest

from tunneldoctor.config.database_url import parse
from tunneldoctor.config.errors import BadUrl


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("postgresql://db", "prefer"),
        ("postgresql://db?sslmode=verify-full", "verify-full"),
        ("postgresql://db?sslmode=disable", "disable"),
        ("postgresql://db?ssl=true", "require"),
        ("postgresql://db?sslrootcert=system", "verify-full"),
        ("postgresql+asyncpg://db/o?ssl=verify-ca", "verify-ca"),
        ("jdbc:postgresql://db/o", "prefer"),
        ("jdbc:postgresql://db/o?ssl=true", "verify-full"),
        ("jdbc:postgresql://db/o?ssl", "verify-full"),
        ("jdbc:postgresql://db/o?ssl=false", "prefer"),
        ("jdbc:postgresql://db/o?ssl=true&sslmode=require", "require"),
        ("jdbc:postgresql://db/o?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", "require"),
        ("mysql://db", "prefer"),
        ("mysql://db?ssl-mode=REQUIRED", "require"),
        ("mysql://db?tls=skip-verify", "require"),
        ("mysql+pymysql://db/o?ssl_ca=ca.pem", "verify-ca"),
        ("mysql+pymysql://db/o?ssl_ca=ca.pem&ssl_check_hostname=true", "verify-full"),
        ("jdbc:mysql://db", "prefer"),
        ("jdbc:mysql://db?sslMode=VERIFY_IDENTITY", "verify-full"),
        ("jdbc:mysql://db?sslMode=VERIFY_CA", "verify-ca"),
        ("jdbc:mysql://db?useSSL=false", "disable"),
        ("jdbc:mysql://db?useSSL=true", "prefer"),
        ("jdbc:mysql://db?useSSL=true&requireSSL=true", "require"),
        ("jdbc:mysql://db?useSSL=true&verifyServerCertificate=true", "verify-ca"),
        ("jdbc:mariadb://db", "disable"),
        ("jdbc:mariadb://db?sslMode=trust", "require"),
        ("jdbc:mariadb://db?useSsl=true", "verify-full"),
        ("jdbc:mariadb://db?useSsl=true&trustServerCertificate=true", "require"),
        ("jdbc:sqlserver://db", "verify-full"),
        ("jdbc:sqlserver://db;trustServerCertificate=true", "require"),
        ("jdbc:sqlserver://db;encrypt=false", "allow"),
        ("jdbc:sqlserver://db;encrypt=strict;trustServerCertificate=true", "verify-full"),
        ("sqlserver://db?encrypt=disable", "disable"),
        ("sqlserver://db", "prefer"),
        ("mssql+pyodbc://db/o?driver=ODBC+Driver+18+for+SQL+Server", "verify-full"),
        ("mssql+pyodbc://db/o?driver=ODBC+Driver+17+for+SQL+Server", "prefer"),
        ("mssql+pymssql://db/o", "prefer"),
        ("tcp://db:1", "disable"),
    ],
)
def test_what_is_asked_for_in_libpqs_words(text: str, mode: str) -> None:
    assert parse(text).tls.mode == mode


def test_the_setting_is_kept_as_it_was_written() -> None:
    assert parse("jdbc:mysql://db?sslMode=VERIFY_IDENTITY").tls.written == "sslMode=VERIFY_IDENTITY"
    assert parse("jdbc:postgresql://db/o?ssl=true").tls.written == "ssl=true"
    assert parse("postgresql://db").tls.written == ""


def test_certificates_and_the_name_to_verify() -> None:
    tls = parse("postgresql://db?sslmode=verify-ca&sslrootcert=/ca&sslcert=/c&sslkey=/k").tls
    assert (tls.root_certificate, tls.client_certificate, tls.client_key) == ("/ca", "/c", "/k")
    assert parse("jdbc:sqlserver://h;hostNameInCertificate=db.corp").tls.server_name == "db.corp"


@pytest.mark.parametrize("mode", ["REQUIRE", "Verify-Full"])
def test_libpq_knows_its_modes_in_lower_case_alone(mode: str) -> None:
    with pytest.raises(BadUrl, match="is no mode that is known"):
        parse(f"postgresql://db?sslmode={mode}")
    assert parse(f"jdbc:postgresql://db/o?sslmode={mode}").tls.mode == mode.lower()


def test_libpq_takes_the_systems_roots_with_full_verification_alone() -> None:
    with pytest.raises(BadUrl, match="too weak for sslrootcert=system"):
        parse("postgresql://db?sslmode=require&sslrootcert=system")
    assert parse("postgresql://db?sslmode=verify-full&sslrootcert=system").tls.root_certificate == "system"
