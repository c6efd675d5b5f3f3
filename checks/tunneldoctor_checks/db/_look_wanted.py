"""Which faults of the database are worth a look from the bastion."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Finding, Outcome, Severity
from tunneldoctor_checks.facts import DATABASE, DB_FAULT, LOOK_WANTED

if TYPE_CHECKING:
    from tunneldoctor.database.tls import Handshake
    from tunneldoctor.model import Database

#: Told apart by a TLS handshake from there, at each address behind the name.
_BY_HANDSHAKE = frozenset(
    f"db.{name}"
    for name in (
        "no-answer", "closed-without-answer", "tls-stalled", "tls-handshake-failed", "tls-expired",
        "tls-not-yet-valid", "tls-name-mismatch", "tls-untrusted-issuer", "tls-intercepted",
    )
)  # fmt: skip
_STALLED, _ADDRESS = "db.tls-stalled", "db.host-not-allowed"


def or_a_look(context: Context, outcome: Outcome, handshake: Handshake | None = None) -> Outcome:
    """*outcome*, with the facts that have the admin log in where a look from the bastion tells more about a finding.

    *handshake* is the one whose certificate is to be found again there.
    """
    wanted = next((each for each in outcome.findings if _tells_more(each, context.need(DATABASE))), None)
    if wanted is None:
        return outcome
    if handshake:
        wanted = replace(wanted, params={**wanted.params, "presented": _fingerprint(handshake)})
    return replace(outcome, facts={**outcome.facts, DB_FAULT: wanted, LOOK_WANTED.before: True})


def _tells_more(finding: Finding, database: Database) -> bool:
    """MySQL's servers get no handshake from there: they would count it as a connection that was broken off."""
    if finding.severity not in (None, Severity.ERROR):
        return False
    if finding.code == _ADDRESS:
        return not _is_address(finding.params.get("address"))
    return finding.code in _BY_HANDSHAKE if _takes_a_handshake(database) else finding.code == _STALLED


def _fingerprint(handshake: Handshake) -> str:
    from cryptography.hazmat.primitives.hashes import SHA256

    return handshake.leaf.fingerprint(SHA256()).hex()


def _takes_a_handshake(database: Database) -> bool:
    from tunneldoctor.database.engine import TLS_FROM_THE_FIRST_BYTE

    if database.engine in TLS_FROM_THE_FIRST_BYTE:
        return database.tls.required
    return database.engine == "postgresql"


def _is_address(text: object) -> bool:
    from tunneldoctor.net.scope import is_literal

    return isinstance(text, str) and is_literal(text)
