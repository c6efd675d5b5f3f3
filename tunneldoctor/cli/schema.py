"""``tunneldoctor schema``: the JSON Schemas of what ``check`` prints."""

from __future__ import annotations

import click


@click.command("schema", short_help="Print the JSON Schema of a report, a fleet or an event.")
@click.argument("document", type=click.Choice(["report", "fleet", "events"]), default="report")
def command(document: str) -> None:
    """Print the JSON Schema of a report, of a fleet (several tunnels) or of a line of --format ndjson."""
    from tunneldoctor.cli.console import Output
    from tunneldoctor.report import schema_json

    with Output(None) as output:
        output.write(schema_json(document), machine=True)
