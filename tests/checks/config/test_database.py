from collections.abc import Callable

from tunneldoctor.model import Database, Origin, Outcome, Problem, Tunnel
from tunneldoctor_checks.config.database import CHECK
from tunneldoctor_checks.facts import DATABASE


def test_a_database_is_given_and_its_further_hosts_are_told(
    make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome]
) -> None:
    database = Database("postgresql", "db1", 5432, options={"further hosts": "db2:5432"})
    outcome = run_check(CHECK, make_tunnel(database=database))
    (found,) = outcome.findings
    assert (found.code, found.params) == ("config.further-hosts", {"host": "db1:5432", "further": "db2:5432"})
    assert outcome.facts == {DATABASE: database}
    assert outcome.measured == {"database.further_hosts": "db2:5432"}


def test_what_the_string_leaves_out_is_told_with_where_it_came_from(
    make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome]
) -> None:
    origins = {"database": "tunneldoctor.toml:3", "database.user": "$PGUSER", "database.port": "the service prod"}
    database = Database("postgresql", "db1", 5432, "app")
    asked = make_tunnel(database=database, origins={key: Origin(text) for key, text in origins.items()})
    outcome = run_check(CHECK, asked)
    assert outcome.measured == {"database.settings_from": "port from the service prod, user from $PGUSER"}


def test_a_string_that_can_not_be_read_gives_nothing(
    make_tunnel: Callable[..., Tunnel], run_check: Callable[..., Outcome], problem: Callable[..., Problem]
) -> None:
    outcome = run_check(CHECK, make_tunnel(problems=(problem("config.bad-database-url", "database", "database"),)))
    assert [finding.code for finding in outcome.findings] == ["config.bad-database-url"]
    assert outcome.facts == {}
