"""The database accepts the user and the password, and answers a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Evidence, Finding, Layer, Outcome, Value, Where
from tunneldoctor_checks.db._clear import in_clear
from tunneldoctor_checks.db._login_wanted import login_wanted
from tunneldoctor_checks.db._look_wanted import or_a_look
from tunneldoctor_checks.db._other_way import other_way
from tunneldoctor_checks.db._password import PasswordGiver
from tunneldoctor_checks.db._report import finding
from tunneldoctor_checks.db._token import about_the_password
from tunneldoctor_checks.facts import (
    DATABASE,
    DB_FAULT,
    DB_LOGIN_REFUSED,
    DB_READY,
    DB_SESSION,
    LOOK_WANTED,
    SESSION,
    TARGET,
)

if TYPE_CHECKING:
    from tunneldoctor.database.session import Prepared, Session
    from tunneldoctor.database.trouble import Trouble, Withheld


def run(context: Context) -> Outcome:
    """Log in once; where the server only minds the (missing) encryption, see whether it would the other way."""
    from tunneldoctor.database.engine import NAMELESS
    from tunneldoctor.database.trouble import DatabaseTrouble, Withheld

    prepared = context.need(DB_READY)
    if not prepared.database.user and prepared.database.engine not in NAMELESS:
        prepared.close()
        return Outcome(unknown="`database` names no user; clients put the system's user there: write user@ in front")
    giver = PasswordGiver(context, prepared)
    try:
        session = prepared.engine.login(prepared, giver, context.remaining())
    except Withheld as error:
        return _withheld(error, _encryption(prepared))
    except DatabaseTrouble as error:
        return or_a_look(context, _refused(context, prepared, error.trouble, giver), prepared.tls)
    return _logged_in(context, prepared, session)


def _logged_in(context: Context, prepared: Prepared, session: Session) -> Outcome:
    """What a session tells for free. *prepared* is the connection that was tried first."""
    context.closing(session)
    findings: list[Finding] = []
    if session.read_only:
        findings.append(Finding("db.read-only", {"why": session.read_only}, (Evidence("message", session.read_only),)))
    if session.encryption is None and (prepared.encrypted or prepared.database.tls.mode == "allow"):
        findings += in_clear(context, "server and client settle on a connection without it")
    return Outcome(tuple(findings), {DB_SESSION: session}, _measured(session))


def _measured(session: Session) -> dict[str, Value]:
    seen: dict[str, Value] = {
        "database.version": session.version or None,
        "database.tls": session.encryption or "off",
        "database.latency_ms": session.latency_ms,
        "database.seen_as": session.seen_as,
        **{f"database.setting.{name}": value for name, value in session.settings.items()},
    }
    return {name: value for name, value in seen.items() if value is not None}


def _withheld(error: Withheld, measured: dict[str, Value]) -> Outcome:
    findings = (Finding(error.reason.code, {"why": error.why}),) if error.reason else ()
    return Outcome(findings, unknown=error.why, measured=measured)


def _refused(context: Context, prepared: Prepared, trouble: Trouble, giver: PasswordGiver) -> Outcome:
    refusal = trouble.refusal
    if refusal and not refusal.password_sent:
        instead = other_way(context, prepared, trouble)
        if isinstance(instead, Outcome):
            return instead
        if instead is not None:
            return _logged_in(context, prepared, instead)
    if refusal and giver.value:
        trouble = about_the_password(trouble, giver.value, prepared.database)
    facts = {DB_LOGIN_REFUSED: refusal} if refusal else {}
    return Outcome((finding(trouble),), facts, _encryption(prepared), trouble.rulings)


def _encryption(prepared: Prepared) -> dict[str, Value]:
    return {"database.tls": prepared.tls.version if prepared.tls else "off"}


CHECK = Check(
    id="db.login",
    layer=Layer.DB,
    title="the database accepts the login",
    where=Where.DATABASE,
    run=run,
    needs=(DB_READY, DATABASE),
    wants=(SESSION, TARGET),
    gives=(DB_SESSION, DB_LOGIN_REFUSED, DB_FAULT, LOOK_WANTED.before),
    codes=(
        "db.login-refused", "db.host-not-allowed", "db.tls-required", "db.unknown-database", "db.permission-denied",
        "db.too-many-connections", "db.not-ready", "db.unknown-user", "db.account-locked", "db.password-wrong",
        "db.password-expired", "db.password-not-usable", "db.password-missing", "db.auth-method-unsupported",
        "db.client-certificate-rejected", "db.tls-client-certificate-required", "db.tls-handshake-failed",
        "db.tls-intercepted", "db.token-invalid", "db.pooler-upstream-down", "db.pooler-waits",
        "db.database-not-accepting", "db.startup-option-refused", "db.read-only", "db.tls-off", "db.no-answer",
        "db.closed-without-answer",
        "db.wrong-service", "db.redirected", "db.server-name-needed", "db.unclassified",
    ),
    applies=login_wanted,
    equivalent="{database_client}",
)  # fmt: skip
