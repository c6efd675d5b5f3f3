"""A connection to the database without TLS, and whether that is worth a word."""

from __future__ import annotations

from tunneldoctor.model import Context, Evidence, Finding
from tunneldoctor_checks.db._second import target_of
from tunneldoctor_checks.facts import DATABASE


def in_clear(context: Context, why: str) -> tuple[Finding, ...]:
    """The warning that the connection is not encrypted behind the bastion; none where it crosses no network."""
    if _beside_the_bastion(context):
        return ()
    params = {"why": why, "mode": context.need(DATABASE).tls.mode}
    return (Finding("db.tls-off", params, (Evidence("message", why),)),)


def _beside_the_bastion(context: Context) -> bool:
    from tunneldoctor.database.trust import is_loopback

    target = target_of(context)
    return target is not None and (is_loopback(target.host) or target.host == context.hop.host)
