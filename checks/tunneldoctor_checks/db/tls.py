"""The database's certificate is one that the client accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Finding, Layer, Outcome, Severity, Where
from tunneldoctor_checks.db._login_wanted import login_wanted
from tunneldoctor_checks.db._look_wanted import or_a_look
from tunneldoctor_checks.db._report import finding
from tunneldoctor_checks.facts import DATABASE, DB_FAULT, DB_READY, LOOK_WANTED

if TYPE_CHECKING:
    from tunneldoctor.database.tls import Handshake


def run(context: Context) -> Outcome:
    """Judge the certificate of the handshake that was made; nothing is sent."""
    prepared = context.need(DB_READY)
    if prepared.tls is None:
        return Outcome(skipped="the connection is not encrypted")
    from tunneldoctor.database.certificate import judge

    faults = judge(prepared.tls, context.need(DATABASE))
    found = [finding(fault.trouble, None if fault.rejected else Severity.WARNING) for fault in faults]
    expired = any(each.code == "db.tls-expired" for each in found)
    ending = () if expired else _ending(prepared.tls)
    return or_a_look(context, Outcome((*found, *ending), measured=_measured(prepared.tls)), prepared.tls)


def _ending(handshake: Handshake) -> tuple[Finding, ...]:
    from tunneldoctor.database.certificate import day, days_left

    left = days_left(handshake)
    if left is None:
        return ()
    return (Finding("db.tls-expires-soon", {"days": left, "not_after": day(handshake.leaf.not_valid_after_utc)}),)


def _measured(handshake: Handshake) -> dict[str, str]:
    from tunneldoctor.database.certificate import day

    return {"database.tls_cipher": handshake.cipher, "database.tls_expires": day(handshake.leaf.not_valid_after_utc)}


CHECK = Check(
    id="db.tls",
    layer=Layer.DB,
    title="the client accepts the database's certificate",
    where=Where.DATABASE,
    run=run,
    needs=(DB_READY, DATABASE),
    gives=(DB_FAULT, LOOK_WANTED.before),
    codes=(
        "db.tls-untrusted-issuer", "db.tls-root-missing", "db.tls-weak-certificate", "db.tls-expired",
        "db.tls-not-yet-valid", "db.tls-name-mismatch", "db.tls-name-mismatch-through-tunnel", "db.tls-expires-soon",
    ),
    applies=login_wanted,
)  # fmt: skip
