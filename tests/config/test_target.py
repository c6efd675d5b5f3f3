from collections.abc import Callable

import pytest

from tunneldoctor.model import Address, Problem, Severity, Tunnel

Build = Callable[..., Tunnel]
Only = Callable[[Tunnel], Problem]


def codes(tunnel: Tunnel) -> list[str]:
    return [problem.code for problem in tunnel.problems]


def test_the_target_is_the_databases_place_by_default(tunnel: Build) -> None:
    built = tunnel(remote_bind=None, database='"postgresql://app@db.internal/orders"')
    assert built.remote == Address("db.internal", 5432)
    assert built.origin("remote_bind") == built.origin("database")
    assert built.problems == ()


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("db:5432", Address("db", 5432)),
        ("[fd00::5]:5432", Address("fd00::5", 5432)),
        ("db", Address("db", 3306)),
        ("fd00::5", Address("fd00::5", 3306)),
    ],
)
def test_remote_bind_may_leave_the_port_to_the_database(tunnel: Build, value: str, address: Address) -> None:
    assert tunnel(remote_bind=f'"{value}"', database='"mysql://app@localhost"').remote == address


@pytest.mark.parametrize("value", ["db", "db:x", "db:0", "db:99999", ":5432", "postgresql://u:hunter2@db/o", "[db]:1"])
def test_a_remote_bind_that_names_no_place_is_a_problem(tunnel: Build, only_problem: Only, value: str) -> None:
    built = tunnel(remote_bind=f'"{value}"')
    assert only_problem(built).code == "config.bad-remote-bind"
    assert built.remote is None
    assert "hunter2" not in repr(built)


def test_a_database_on_loopback_is_the_tunnels_own_end(tunnel: Build) -> None:
    built = tunnel(database='"postgresql://app@localhost:15432/orders"')
    assert built.remote == Address("db.internal", 5432)
    assert built.problems == ()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "LOCALHOST.", "0.0.0.0"])
def test_a_database_on_loopback_alone_is_the_bastion_itself(tunnel: Build, only_problem: Only, host: str) -> None:
    built = tunnel(remote_bind=None, database=f'"postgresql://app@{host}/orders"')
    problem = only_problem(built)
    assert (problem.code, problem.severity, problem.key) == ("config.loopback-target", Severity.WARNING, "database")
    assert built.remote is not None


def test_a_remote_bind_on_loopback_is_the_bastion_itself(tunnel: Build, only_problem: Only) -> None:
    assert only_problem(tunnel(remote_bind='"localhost:5432"')).code == "config.loopback-target"


@pytest.mark.parametrize(
    ("remote_bind", "found"),
    [
        ("db.internal:5432", []),
        ("DB.INTERNAL.:5432", []),
        ("10.0.0.5:5432", []),  # may well be the address of that name
        ("db.internal:5433", ["config.remote-bind-mismatch"]),
        ("other.internal:5432", ["config.remote-bind-mismatch"]),
    ],
)
def test_two_different_places_are_a_mismatch(tunnel: Build, remote_bind: str, found: list[str]) -> None:
    assert codes(tunnel(remote_bind=f'"{remote_bind}"', database='"postgresql://app@db.internal/o"')) == found


def test_a_database_that_can_not_be_read_is_one_problem(tunnel: Build, only_problem: Only) -> None:
    built = tunnel(remote_bind=None, database='"postgresql://app:p@ss@db/o"')
    problem = only_problem(built)
    assert (problem.code, problem.hop, problem.params["part"]) == ("config.bad-database-url", "database", "password")
    assert (built.database, built.remote) == (None, None)


def test_a_password_in_the_url_is_used_and_is_a_problem(tunnel: Build, only_problem: Only) -> None:
    built = tunnel(database='"postgresql://app:hunter2@db.internal/o"')
    assert only_problem(built).code == "config.secret-in-plain-text"
    assert built.database is not None
    assert built.database.password is not None
    assert built.database.password.is_literal


def test_database_password_wins_over_the_url(tunnel: Build) -> None:
    built = tunnel(database='"postgresql://app:hunter2@db.internal/o"', database_password='"env:PW"')
    assert built.database is not None
    assert str(built.database.password) == "env:PW"


def test_a_password_without_a_database_is_not_looked_at(tunnel: Build) -> None:
    assert tunnel(database_password='"hunter2"').problems == ()


def test_certificate_files_are_relative_to_the_configuration_file(tunnel: Build) -> None:
    built = tunnel(database='"postgresql://app@db.internal/o?sslmode=verify-full&sslrootcert=ca.pem"')
    assert built.database is not None
    assert built.database.tls.root_certificate is not None
    assert built.database.tls.root_certificate.endswith("/ca.pem")
    assert built.database.tls.root_certificate.startswith("/")


def test_invisible_characters_in_the_target(tunnel: Build, only_problem: Only) -> None:
    built = tunnel(remote_bind=r'"db.internal:5432\n"')
    assert only_problem(built).severity is Severity.WARNING
    assert built.remote == Address("db.internal", 5432)
    built = tunnel(remote_bind=r'"db.in\u200Bternal:5432"')
    assert (only_problem(built).code, only_problem(built).severity) == ("config.invisible-characters", None)


def test_a_databases_user_may_have_several_words(tunnel: Build, only_problem: Only) -> None:
    built = tunnel(database='"postgresql://My%20App@db.internal/o"')
    assert built.problems == ()
    assert built.database
    assert built.database.user == "My App"
    problem = only_problem(tunnel(database='"postgresql://app%20@db.internal/o"'))
    assert (problem.code, problem.severity) == ("config.invisible-characters", Severity.WARNING)


def test_invisible_characters_in_the_databases_host(tunnel: Build, only_problem: Only) -> None:
    problem = only_problem(tunnel(database=r'"postgresql://app@db.in\u200Bternal/o"'))
    assert (problem.code, problem.hop) == ("config.invisible-characters", "database")
    problem = only_problem(tunnel(database=r'"postgresql://app@db.internal/o "'))
    assert (problem.code, problem.severity) == ("config.invisible-characters", Severity.WARNING)
