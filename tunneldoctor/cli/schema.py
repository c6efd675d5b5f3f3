"""``tunneldoctor schema``: the JSON Schemas of what the commands print."""

from __future__ import annotations

import click

#: Those of tunneldoctor.report.schema.NAMES, which --help does not load.
_DOCUMENTS = ("report", "fleet", "events", "diff", "pin", "evidence", "reading", "repair-key")


@click.command("schema", short_help="Print the JSON Schema of a document.")
@click.argument("document", type=click.Choice(_DOCUMENTS), metavar="[DOCUMENT]", default="report")
def command(document: str) -> None:
    """Print the JSON Schema of what a command writes with --json.

    DOCUMENT is report (the default), fleet (several tunnels) or events (a line of --format ndjson), which are
    check's; diff, pin or repair-key; evidence, which is explain-evidence's; reading, which is read's.
    """
    from tunneldoctor.cli.console import Output
    from tunneldoctor.report import schema_json

    with Output(None) as output:
        output.write(schema_json(document), machine=True)
