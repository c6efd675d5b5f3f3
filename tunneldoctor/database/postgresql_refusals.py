"""Why PostgreSQL turned a login down: by SQLSTATE and the routine that says so, since its words follow lc_messages.

SQLSTATEs: PostgreSQL, appendix A. Routines: src/backend/libpq/auth.c, auth-scram.c, utils/init/miscinit.c, postinit.c,
storage/lmgr/proc.c. Words count only where the sender gives nothing else (poolers send no routine, and pgbouncer
08P01 for everything); the evidence then says so.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from tunneldoctor.database.postgresql_messages import error_fields
from tunneldoctor.database.trouble import LoginRefusal, Reason, Trouble, quoted_address
from tunneldoctor.model import Evidence, Ruling, Value, rules_out

_BY_STATE = {
    "28P01": Reason.LOGIN_REFUSED,
    "3D000": Reason.UNKNOWN_DATABASE,
    "42501": Reason.PERMISSION_DENIED,
    "53300": Reason.TOO_MANY_CONNECTIONS,
    "55000": Reason.DATABASE_NOT_ACCEPTING,
    "57P01": Reason.NOT_READY,
    "57P02": Reason.NOT_READY,
    "57P03": Reason.NOT_READY,
    "42704": Reason.STARTUP_OPTION_REFUSED,
    "22023": Reason.STARTUP_OPTION_REFUSED,
    "42601": Reason.STARTUP_OPTION_REFUSED,  # a switch that is none; nothing else is parsed before the login is done
    "55P02": Reason.STARTUP_OPTION_REFUSED,  # one that only the start of the server sets
}
#: Words of pgbouncer, RDS Proxy and Supavisor, the more special first.
_BY_WORDS: tuple[tuple[str, Reason], ...] = (
    ("query_wait_timeout", Reason.POOLER_UPSTREAM_DOWN),
    ("client_login_timeout", Reason.POOLER_UPSTREAM_DOWN),
    ("server login has been failing", Reason.POOLER_UPSTREAM_DOWN),
    ("server_login_retry", Reason.POOLER_UPSTREAM_DOWN),
    ("Timed-out waiting to acquire database connection", Reason.POOLER_UPSTREAM_DOWN),
    ("Endpoint ID is not specified", Reason.SERVER_NAME_NEEDED),  # Neon
    ("external_id or sni_hostname must be provided", Reason.SERVER_NAME_NEEDED),  # Supavisor
    ("password authentication failed for user", Reason.POOLER_UPSTREAM_DOWN),  # the pooler's own login
    ("no pg_hba.conf entry for host", Reason.POOLER_UPSTREAM_DOWN),  # the pooler's own address
    ("pg_hba.conf rejects connection for host", Reason.POOLER_UPSTREAM_DOWN),
    ("cannot connect to server", Reason.POOLER_UPSTREAM_DOWN),
    ("connect to compute node", Reason.POOLER_UPSTREAM_DOWN),
    ("access token has invalid format", Reason.TOKEN_INVALID),
    ("authentication failed for user", Reason.TOKEN_INVALID),  # "IAM authentication failed for user"
    ("certificate authentication failed", Reason.CLIENT_CERTIFICATE_REJECTED),
    ("authentication failed", Reason.LOGIN_REFUSED),  # "SASL …", "password …", "\"trust\" …"
    ("The password that was provided for the role", Reason.PASSWORD_WRONG),
    ("has no credentials for the role", Reason.UNKNOWN_USER),
    ("Tenant or user not found", Reason.UNKNOWN_USER),
    ("no such user", Reason.UNKNOWN_USER),
    ("is not permitted to log in", Reason.ACCOUNT_LOCKED),
    ("too many connections", Reason.TOO_MANY_CONNECTIONS),
    ('role "', Reason.UNKNOWN_USER),
    ("no such database", Reason.UNKNOWN_DATABASE),
    ("does not exist", Reason.UNKNOWN_DATABASE),
    ("login rejected", Reason.HOST_NOT_ALLOWED),
    ("SSL required", Reason.TLS_REQUIRED),
    ("SSL connection is required", Reason.TLS_REQUIRED),
    ("requires TLS connections", Reason.TLS_REQUIRED),
    ("only with SSL connections", Reason.TLS_REQUIRED),
    ("no more connections allowed", Reason.TOO_MANY_CONNECTIONS),
    ("maximum number of client connections", Reason.TOO_MANY_CONNECTIONS),
    ("connection slots are reserved", Reason.TOO_MANY_CONNECTIONS),
    ("too many clients", Reason.TOO_MANY_CONNECTIONS),
    ("unsupported startup parameter", Reason.STARTUP_OPTION_REFUSED),
    ("is disabled", Reason.DATABASE_NOT_ACCEPTING),
    ("not currently accepting connections", Reason.DATABASE_NOT_ACCEPTING),
    ("permission denied for database", Reason.PERMISSION_DENIED),
    ("not allowed", Reason.PERMISSION_DENIED),
    ("shutting down", Reason.NOT_READY),
    ("is starting up", Reason.NOT_READY),
    ("in recovery mode", Reason.NOT_READY),
)
_FULL = {
    "InitProcess": "the whole server",
    "InitPostgres": "the whole server, but for slots kept for superusers",
    "InitializeSessionUserId": "this user",
    "CheckMyDatabase": "this database",
}
#: set_config_option, its successors set_config_option_ext (15) and set_config_with_handle (17): guc.c.
_SETTING = "set_config_"
_OWN_STATE = "PostgreSQL gives that refusal a SQLSTATE of its own"


def refusal(body: bytes, **situation: Any) -> LoginRefusal:
    """An ErrorResponse as a refusal; *situation* fills the fields that only the login knows."""
    fields = error_fields(body)
    message = fields.get("M", "")
    return LoginRefusal(
        number=fields.get("C", ""),
        message=message,
        routine=fields.get("R", ""),
        detail=fields.get("D", ""),
        address=quoted_address(message),
        **situation,
    )


def classify(seen: LoginRefusal) -> Trouble:
    """The reason behind *seen*."""
    words = None if seen.routine else _by_words(seen)
    if words:
        reason, rulings = words, _password_rulings() if words is Reason.LOGIN_REFUSED else ()
    elif seen.number == "28000":
        reason, rulings = _not_authorized(seen)
    elif seen.number == "28P01" and seen.proven and seen.client_certificate:
        reason, rulings = Reason.CLIENT_CERTIFICATE_REJECTED, ()  # clientcert=verify-full, and the name in it (auth.c)
    elif seen.number == "42501" and seen.routine.startswith(_SETTING):
        reason, rulings = Reason.STARTUP_OPTION_REFUSED, ()
    else:
        reason, rulings = _BY_STATE.get(seen.number, Reason.UNCLASSIFIED), ()
        rulings = _password_rulings() if reason is Reason.LOGIN_REFUSED else rulings
    return Trouble(reason, _params(seen, reason), _evidence(seen, by_words=words is not None), rulings, seen)


def _by_words(seen: LoginRefusal) -> Reason | None:
    reason = next((reason for words, reason in _BY_WORDS if words in seen.message), None)
    if reason is not Reason.POOLER_UPSTREAM_DOWN:
        return reason
    if seen.number == "28P01" and not seen.proven:  # no pooler's 08P01: a server of another make, about its own client
        return Reason.LOGIN_REFUSED
    return Reason.POOLER_WAITS if seen.authenticated and "query_wait_timeout" in seen.message else reason


def _not_authorized(seen: LoginRefusal) -> tuple[Reason, tuple[Ruling, ...]]:
    """28000 has many senders; the routine, what was asked for before, and a quoted address tell them apart."""
    if seen.routine == "InitializeSessionUserId":
        return _role(seen)
    if seen.routine == "read_client_final_message":
        return Reason.TLS_INTERCEPTED, ()
    if seen.routine == "ClientAuthentication" and seen.address:
        return Reason.HOST_NOT_ALLOWED, ()
    if seen.routine == "ClientAuthentication" and seen.encrypted and not seen.password_sent:
        return Reason.TLS_CLIENT_CERTIFICATE_REQUIRED, ()
    if seen.routine == "auth_failed":
        return _external(seen)
    return Reason.UNCLASSIFIED, ()


def _role(seen: LoginRefusal) -> tuple[Reason, tuple[Ruling, ...]]:
    """No such role, or one without LOGIN: after a password only the latter; without one, only the words tell."""
    if (seen.authenticated and seen.password_sent) or "is not permitted to log in" in seen.message:
        return Reason.ACCOUNT_LOCKED, ()
    if "does not exist" in seen.message:
        return Reason.UNKNOWN_USER, ()
    return Reason.LOGIN_REFUSED, (
        *_never(
            Reason.PASSWORD_WRONG, Reason.PASSWORD_EXPIRED, Reason.PASSWORD_NOT_USABLE, because="none was asked for"
        ),
        *_never(
            Reason.HOST_NOT_ALLOWED,
            Reason.TLS_REQUIRED,
            Reason.TLS_CLIENT_CERTIFICATE_REQUIRED,
            Reason.AUTH_METHOD_UNSUPPORTED,
        ),
    )


def _external(seen: LoginRefusal) -> tuple[Reason, tuple[Ruling, ...]]:
    """Refused by PAM, LDAP, RADIUS, a token check (after a password in clear), or by certificate, ident, peer."""
    if seen.password_sent:
        own = rules_out(Reason.PASSWORD_NOT_USABLE.code, "the password is not checked by PostgreSQL itself")
        return Reason.LOGIN_REFUSED, (*_password_rulings(), own)
    if seen.client_certificate:
        return Reason.CLIENT_CERTIFICATE_REJECTED, ()
    return Reason.AUTH_METHOD_UNSUPPORTED, ()


def _password_rulings() -> tuple[Ruling, ...]:
    return _never(
        Reason.HOST_NOT_ALLOWED, Reason.TLS_REQUIRED, Reason.TLS_CLIENT_CERTIFICATE_REQUIRED, Reason.ACCOUNT_LOCKED,
        Reason.AUTH_METHOD_UNSUPPORTED,
    )  # fmt: skip


def _never(*reasons: Reason, because: str = _OWN_STATE) -> tuple[Ruling, ...]:
    return tuple(rules_out(reason.code, because) for reason in reasons)


def _params(seen: LoginRefusal, reason: Reason) -> dict[str, Value]:
    params: dict[str, Value] = {"sqlstate": seen.number, "message": seen.message}
    if reason is Reason.HOST_NOT_ALLOWED:
        params |= {"address": seen.address or "the bastion", "network": _network(seen.address)}
        params["record"] = "hostssl" if seen.encrypted else "host"
        params["how"] = "over TLS" if seen.encrypted else "without TLS"
    if reason is Reason.TOO_MANY_CONNECTIONS:
        params["full"] = _FULL.get(seen.routine, "the pooler" if not seen.routine else "the server")
    if reason is Reason.AUTH_METHOD_UNSUPPORTED:
        params["method"] = "ident, peer or another that asks the client for nothing"
    return {name: value for name, value in params.items() if value is not None}


def _evidence(seen: LoginRefusal, *, by_words: bool) -> tuple[Evidence, ...]:
    origin = f" (in {seen.routine})" if seen.routine else ""
    detail = f"\n{seen.detail}" if seen.detail else ""
    said = Evidence("message", f"{seen.number}{origin}: {seen.message}{detail}")
    if not by_words:
        return (said,)
    return said, Evidence("note", "read from the words alone: a pooler answers, which sends nothing else to go by")


def _network(address: str) -> str:
    return f"{address}/{ipaddress.ip_address(address).max_prefixlen}" if address else "BASTION_ADDRESS/32"
