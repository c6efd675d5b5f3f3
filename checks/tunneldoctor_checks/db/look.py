"""What the bastion itself meets with on its way to the database: address, servers behind the name, TLS, sizes."""

from __future__ import annotations

from dataclasses import replace

from tunneldoctor.model import Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.facts import ADMIN, DATABASE, DB_FAULT, LOOK_STAGE, TARGET
from tunneldoctor_checks.looking import judged_outcome, look_around, subject_of


def run(context: Context) -> Outcome:
    """Run the script there; no login at the database, and one TLS handshake at most with each server."""
    from tunneldoctor.database.trust import name_to_verify

    fault, database = context.need(DB_FAULT), context.need(DATABASE)
    subject = replace(
        subject_of(context, fault.code, "", "", ""),
        target=context.need(TARGET),
        engine=database.engine,
        name=name_to_verify(database),
        presented=str(fault.params.get("presented") or ""),
    )
    look = look_around(context, subject)
    if isinstance(look, str):
        return Outcome(unknown=f"no look from the bastion: {look}")
    return judged_outcome(look, subject)


CHECK = Check(
    id="db.look",
    layer=Layer.DB,
    title="what keeps the database from serving was looked up on the bastion",
    where=Where.DATABASE,
    run=run,
    needs=(ADMIN, DB_FAULT, DATABASE, TARGET),
    codes=(
        "db.large-packets-lost",
        "db.servers-differ",
    ),
    stage=LOOK_STAGE,
)
