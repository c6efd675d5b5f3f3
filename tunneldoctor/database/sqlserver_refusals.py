"""Why SQL Server turned a login down: by the error's number, since its words follow the login's language.

Numbers: "Database Engine events and errors" (Microsoft), "Troubleshooting connectivity issues with Azure SQL Database".
States of 18456: MSSQLSERVER_18456; a server tells strangers state 1 alone and keeps the true one in its log.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from tunneldoctor.database.trouble import LoginRefusal, Reason, Trouble, quoted_address
from tunneldoctor.model import Evidence, Ruling, Value, rules_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.database.sqlserver_tokens import ServerError

_LOGIN_FAILED = 18456
_BY_NUMBER = {
    916: Reason.PERMISSION_DENIED,
    921: Reason.NOT_READY,  # the database has not been recovered yet
    922: Reason.NOT_READY,
    924: Reason.DATABASE_NOT_ACCEPTING,  # single-user, and somebody is in
    927: Reason.DATABASE_NOT_ACCEPTING,  # in the middle of a restore
    942: Reason.DATABASE_NOT_ACCEPTING,  # offline
    976: Reason.DATABASE_NOT_ACCEPTING,  # a secondary that takes no connections
    978: Reason.DATABASE_NOT_ACCEPTING,  # a secondary that takes ApplicationIntent=ReadOnly alone
    979: Reason.DATABASE_NOT_ACCEPTING,
    982: Reason.DATABASE_NOT_ACCEPTING,
    983: Reason.NOT_READY,  # its role in the availability group is being resolved
    4060: Reason.UNKNOWN_DATABASE,
    4064: Reason.UNKNOWN_DATABASE,  # the login's default database
    6005: Reason.NOT_READY,  # shutdown is in progress
    10928: Reason.TOO_MANY_CONNECTIONS,
    10929: Reason.TOO_MANY_CONNECTIONS,
    10936: Reason.TOO_MANY_CONNECTIONS,
    17142: Reason.NOT_READY,  # the service is paused
    17187: Reason.NOT_READY,  # not ready for new connections yet
    17806: Reason.AUTH_METHOD_UNSUPPORTED,
    17809: Reason.TOO_MANY_CONNECTIONS,
    17810: Reason.TOO_MANY_CONNECTIONS,
    17892: Reason.PERMISSION_DENIED,  # a logon trigger
    18401: Reason.NOT_READY,  # scripts of an upgrade run
    18452: Reason.AUTH_METHOD_UNSUPPORTED,  # a Windows login from a domain that is not trusted
    18456: Reason.LOGIN_REFUSED,
    18461: Reason.NOT_READY,  # single-user mode
    18470: Reason.ACCOUNT_LOCKED,  # disabled
    18486: Reason.ACCOUNT_LOCKED,
    18487: Reason.PASSWORD_EXPIRED,
    18488: Reason.PASSWORD_EXPIRED,  # must be changed first
    40197: Reason.NOT_READY,  # failing over
    40531: Reason.SERVER_NAME_NEEDED,  # the gateway can't tell which server is meant
    40532: Reason.SERVER_NAME_NEEDED,  # or knows none of the name that the client gave
    40501: Reason.TOO_MANY_CONNECTIONS,
    40613: Reason.NOT_READY,  # resuming, or failing over
    40615: Reason.HOST_NOT_ALLOWED,
    40914: Reason.HOST_NOT_ALLOWED,  # not from an allowed virtual network
    47073: Reason.HOST_NOT_ALLOWED,  # public network access is off
    49918: Reason.TOO_MANY_CONNECTIONS,
    49919: Reason.TOO_MANY_CONNECTIONS,
    49920: Reason.TOO_MANY_CONNECTIONS,
}
#: What is taken instead of the login, by the state of 18456.
_METHODS = {
    6: "Windows authentication for this name, which is a Windows login's",
    58: "Windows authentication alone",
}
#: Azure's words for a server that takes no SQL logins; the number is the same 18456.
_ENTRA_ONLY = "Azure Active Directory only authentication is enabled"
_BY_STATE = {
    2: Reason.UNKNOWN_USER,
    5: Reason.UNKNOWN_USER,
    6: Reason.AUTH_METHOD_UNSUPPORTED,
    7: Reason.ACCOUNT_LOCKED,
    8: Reason.PASSWORD_WRONG,
    9: Reason.PASSWORD_WRONG,
    11: Reason.PERMISSION_DENIED,
    12: Reason.PERMISSION_DENIED,
    18: Reason.PASSWORD_EXPIRED,
    38: Reason.UNKNOWN_DATABASE,
    40: Reason.UNKNOWN_DATABASE,
    46: Reason.UNKNOWN_DATABASE,
    58: Reason.AUTH_METHOD_UNSUPPORTED,
    126: Reason.UNKNOWN_DATABASE,
    132: Reason.TOKEN_INVALID,
    133: Reason.TOKEN_INVALID,
}


def refusal(error: ServerError, **situation: Any) -> LoginRefusal:
    """*error* as a refusal; *situation* fills the fields that only the login knows."""
    address = quoted_address(error.message) if _BY_NUMBER.get(error.number) is Reason.HOST_NOT_ALLOWED else ""
    return LoginRefusal(str(error.number), error.message, address=address, **situation)


def classify(errors: Sequence[ServerError], **situation: Any) -> Trouble:
    """The reason behind *errors*, of which there is one at least: 18456 may follow the one that says more."""
    error = next((each for each in errors if each.number != _LOGIN_FAILED), errors[0])
    reason = _BY_NUMBER.get(error.number, Reason.UNCLASSIFIED)
    if error.number == _LOGIN_FAILED:
        reason = Reason.AUTH_METHOD_UNSUPPORTED if _ENTRA_ONLY in error.message else _BY_STATE.get(error.state, reason)
    seen = refusal(error, **situation)
    evidence = tuple(
        Evidence("message", f"error {each.number}, state {each.state}, severity {each.severity}: {each.message}")
        for each in errors[:5]
    )
    rulings = _rulings() if reason is Reason.LOGIN_REFUSED else ()
    params = _params(seen, reason)
    if reason is Reason.AUTH_METHOD_UNSUPPORTED:
        params["method"] = _method(error)
    return Trouble(reason, params, evidence, rulings, seen)


def _method(error: ServerError) -> str:
    if _ENTRA_ONLY in error.message:
        return "Microsoft Entra authentication alone"
    return _METHODS.get(error.state if error.number == _LOGIN_FAILED else 0, "Windows authentication")


def _params(seen: LoginRefusal, reason: Reason) -> dict[str, Value]:
    params: dict[str, Value] = {"sqlstate": seen.number, "message": seen.message}
    if reason is Reason.HOST_NOT_ALLOWED:
        params |= {"address": seen.address or "the bastion", "how": "by the server's firewall"}
    if seen.address:
        params["network"] = f"{seen.address}/{ipaddress.ip_address(seen.address).max_prefixlen}"
    if reason is Reason.TOO_MANY_CONNECTIONS:
        params["full"] = "the whole server"
    return params


def _rulings() -> tuple[Ruling, ...]:
    """What has a number of its own is not what 18456 stands for."""
    others = (
        Reason.PASSWORD_EXPIRED, Reason.HOST_NOT_ALLOWED, Reason.TLS_REQUIRED,
        Reason.TLS_CLIENT_CERTIFICATE_REQUIRED, Reason.ACCOUNT_LOCKED,
    )  # fmt: skip
    own = "SQL Server has an error number of its own for that"
    stored = rules_out(Reason.PASSWORD_NOT_USABLE.code, "SQL Server stores passwords in one form only")
    return (*(rules_out(reason.code, own) for reason in others), stored)
