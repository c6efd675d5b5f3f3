"""The database's connection string can be read."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Finding, Layer, Outcome, Tunnel, Value, Where
from tunneldoctor_checks.config._problems import findings, of_database
from tunneldoctor_checks.facts import DATABASE

#: Before the name of an option in the tunnel's origins.
_OF_IT = "database."


def run(context: Context) -> Outcome:
    """Report what is wrong with the string, and hand on what it says."""
    database = context.tunnel.database
    found = findings(context.tunnel.problems, of_database)
    if database is None:
        return Outcome(found, skipped=None if found else "the tunnel names no database")
    further = database.options.get("further hosts")
    if further:
        found += (Finding("config.further-hosts", {"host": str(database.address), "further": further}),)
    return Outcome(found, {DATABASE: database}, _measured(context.tunnel, further))


def _measured(tunnel: Tunnel, further: str | None) -> dict[str, Value]:
    """What the string leaves out and its client takes from a file or the environment, with where that is."""
    origins = {key: origin for key, origin in tunnel.origins.items() if key.startswith(_OF_IT)}
    taken = ", ".join(f"{key.removeprefix(_OF_IT)} from {origin}" for key, origin in sorted(origins.items()))
    seen: dict[str, Value] = {"database.further_hosts": further, "database.settings_from": taken or None}
    return {name: value for name, value in seen.items() if value is not None}


CHECK = Check(
    id="config.database",
    layer=Layer.CONFIG,
    title="the database's connection string can be read",
    where=Where.DATABASE,
    gives=(DATABASE,),
    codes=(
        "config.bad-database-url", "config.further-hosts", "config.invisible-characters", "config.secret-not-found",
    ),
    run=run,
)  # fmt: skip
