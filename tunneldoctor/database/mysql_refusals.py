"""Why MySQL, MariaDB or a proxy before them turned a login down: by the number, since the words follow lc_messages.

Numbers: MySQL, "Server Error Message Reference"; MariaDB, "MariaDB Error Codes". Words count only for proxies, which
lend one number to everything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tunneldoctor.database.trouble import LoginRefusal, Reason, Trouble
from tunneldoctor.model import Evidence, Ruling, Value, rules_out

if TYPE_CHECKING:
    from tunneldoctor.database.mysql_messages import ServerError

_BY_NUMBER = {
    1040: Reason.TOO_MANY_CONNECTIONS,
    1044: Reason.PERMISSION_DENIED,
    1045: Reason.LOGIN_REFUSED,
    1049: Reason.UNKNOWN_DATABASE,
    1053: Reason.NOT_READY,  # shutdown in progress
    1129: Reason.HOST_BLOCKED,
    1130: Reason.HOST_NOT_ALLOWED,
    1135: Reason.TOO_MANY_CONNECTIONS,  # no thread can be made for one more
    1203: Reason.TOO_MANY_CONNECTIONS,
    1226: Reason.TOO_MANY_CONNECTIONS,
    1251: Reason.AUTH_METHOD_UNSUPPORTED,
    1275: Reason.AUTH_METHOD_UNSUPPORTED,  # a password in the form from before MySQL 4.1
    1290: Reason.READ_ONLY,
    1524: Reason.AUTH_METHOD_UNSUPPORTED,  # the account's plugin is not loaded
    1698: Reason.AUTH_METHOD_UNSUPPORTED,  # the account's plugin takes no password
    1792: Reason.READ_ONLY,
    1820: Reason.PASSWORD_EXPIRED,
    1836: Reason.READ_ONLY,
    1862: Reason.PASSWORD_EXPIRED,
    2001: Reason.TLS_REQUIRED,  # Azure's gateway
    3032: Reason.NOT_READY,  # offline mode
    3118: Reason.ACCOUNT_LOCKED,
    3159: Reason.TLS_REQUIRED,
    3168: Reason.NOT_READY,
    3955: Reason.ACCOUNT_LOCKED,  # for some days, after wrong passwords
    4150: Reason.ACCOUNT_LOCKED,  # MariaDB, after max_password_errors
    4151: Reason.ACCOUNT_LOCKED,  # MariaDB
    9001: Reason.POOLER_UPSTREAM_DOWN,  # ProxySQL: Max connect timeout reached
    9002: Reason.TLS_REQUIRED,  # Azure's gateway
}
#: Words of ProxySQL, MaxScale, RDS Proxy, Azure's gateway and Galera.
_BY_WORDS: tuple[tuple[str, Reason], ...] = (
    ("Max connect timeout reached", Reason.POOLER_UPSTREAM_DOWN),
    ("Timed-out waiting to acquire database connection", Reason.POOLER_UPSTREAM_DOWN),
    ("Authentication with backend failed", Reason.POOLER_UPSTREAM_DOWN),
    ("SSL connection is required", Reason.TLS_REQUIRED),
    ("requires TLS connections", Reason.TLS_REQUIRED),
    ("has no credentials for the role", Reason.UNKNOWN_USER),
    ("The password that was provided for the role", Reason.PASSWORD_WRONG),
    ("IAM authentication failed", Reason.TOKEN_INVALID),
    ("is not allowed to connect to this", Reason.HOST_NOT_ALLOWED),
    ("WSREP has not yet prepared node", Reason.NOT_READY),
)
_FULL = {1040: "the whole server", 1135: "the machine's threads"}
_METHODS = {
    1251: "a method that this client does not know",
    1275: "mysql_old_password, the form of before MySQL 4.1",
    1524: "a method whose plugin the server has not loaded",
    1698: "proof of who runs the client (unix_socket, auth_socket), which no network carries",
}
#: An account as messages quote it, and a host alone. MySQL's documentation, "Specifying Account Names".
_ACCOUNT = re.compile(r"'@'([A-Za-z0-9._:-]{1,255})'")
_HOST = re.compile(r"'([A-Za-z0-9._:-]{1,255})'")
_QUOTED_BY = {1045: _ACCOUNT, 1275: _ACCOUNT, 1698: _ACCOUNT, 1129: _HOST, 1130: _HOST}
_OWN_NUMBER = "MySQL and MariaDB give that refusal a number of its own"
_OWN_METHOD = "each account has the method that its password is stored for"
_LATER = "the account's own method comes before that"


def refusal(said: ServerError, **situation: Any) -> LoginRefusal:
    """An ERR packet as a refusal; *situation* fills the fields that only the login knows."""
    return LoginRefusal(
        number=str(said.number), message=said.message, detail=said.state, address=_address(said), **situation
    )


def classify(seen: LoginRefusal, *, decoys: bool = False) -> Trouble:
    """The reason behind *seen*. For *decoys* see :func:`unsupported`."""
    words = next((reason for words, reason in _BY_WORDS if words in seen.message), None)
    reason = words or _BY_NUMBER.get(int(seen.number), Reason.UNCLASSIFIED)
    if reason is Reason.AUTH_METHOD_UNSUPPORTED:
        return unsupported(_METHODS[int(seen.number)], seen, decoys=decoys)
    rulings = _rulings(seen) if reason is Reason.LOGIN_REFUSED else ()
    return Trouble(reason, _params(seen, reason), _evidence(seen), rulings, seen)


def unsupported(method: str, seen: LoginRefusal, *, decoys: bool) -> Trouble:
    """The server asks for *method*, which can't be had here.

    That is all where the server is MySQL. MariaDB has *decoys*: it treats a user that it does not know like some other
    account (sql_acl.cc, find_mpvio_user), and goes on to an account's second method where the first one fails.
    """
    params = _params(seen, Reason.LOGIN_REFUSED) | {"method": method}
    evidence = (Evidence("list", f"asked for: {method}"), *_evidence(seen))
    if not decoys:
        return Trouble(Reason.AUTH_METHOD_UNSUPPORTED, params, evidence, (), seen)
    later = (
        Reason.PASSWORD_EXPIRED, Reason.PASSWORD_NOT_USABLE, Reason.ACCOUNT_LOCKED, Reason.TLS_REQUIRED,
        Reason.TLS_CLIENT_CERTIFICATE_REQUIRED,
    )  # fmt: skip
    return Trouble(Reason.LOGIN_REFUSED, params, evidence, tuple(rules_out(each.code, _LATER) for each in later), seen)


def _rulings(seen: LoginRefusal) -> tuple[Ruling, ...]:
    """1045 says the same of a wrong password, user or host, and of TLS or a certificate that the account REQUIREs."""
    out = [
        rules_out(Reason.PASSWORD_EXPIRED.code, _OWN_NUMBER),
        rules_out(Reason.ACCOUNT_LOCKED.code, _OWN_NUMBER),
        rules_out(Reason.AUTH_METHOD_UNSUPPORTED.code, _OWN_NUMBER),
        rules_out(Reason.PASSWORD_NOT_USABLE.code, _OWN_METHOD),
    ]
    if seen.encrypted:
        out.append(rules_out(Reason.TLS_REQUIRED.code, "the connection is encrypted"))
    if seen.client_certificate:
        out.append(rules_out(Reason.TLS_CLIENT_CERTIFICATE_REQUIRED.code, "a client certificate was presented"))
    return tuple(out)


def _params(seen: LoginRefusal, reason: Reason) -> dict[str, Value]:
    number = int(seen.number)
    params: dict[str, Value] = {"errno": number, "sqlstate": seen.detail or seen.number, "message": seen.message}
    if seen.address:
        params["address"] = seen.address
    elif reason in (Reason.HOST_NOT_ALLOWED, Reason.HOST_BLOCKED):
        params["address"] = "an address that it does not name"
    if reason is Reason.TOO_MANY_CONNECTIONS:
        params["full"] = _FULL.get(number, "this user")
    return params


def _evidence(seen: LoginRefusal) -> tuple[Evidence, ...]:
    state = f" ({seen.detail})" if seen.detail else ""
    said = Evidence("message", f"{seen.number}{state}: {seen.message}")
    if "using password: NO" in seen.message and seen.password_sent:
        return said, Evidence(
            "note", "the server itself saw no password: a plugin (PAM) checked it, or a proxy left it out"
        )
    return (said,)


def _address(said: ServerError) -> str:
    """The client as the server names it, "" where it does not; 1044 and others name the account's host instead."""
    form = _QUOTED_BY.get(said.number)
    found = form.findall(said.message[:1000]) if form else []
    return str(found[-1]) if found else ""
