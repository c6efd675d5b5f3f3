"""The database's connection string can be read."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.config._problems import findings, of_database
from tunneldoctor_checks.facts import DATABASE


def run(context: Context) -> Outcome:
    """Report what is wrong with the string, and hand on what it says."""
    database = context.tunnel.database
    found = findings(context.tunnel.problems, of_database)
    if database is None:
        return Outcome(found, skipped=None if found else "the tunnel names no database")
    further = database.options.get("further hosts")
    return Outcome(found, {DATABASE: database}, {"database.further_hosts": further} if further else {})


CHECK = Check(
    id="config.database",
    layer=Layer.CONFIG,
    title="the database's connection string can be read",
    where=Where.DATABASE,
    gives=(DATABASE,),
    codes=("config.bad-database-url", "config.invisible-characters", "config.secret-not-found"),
    run=run,
)
