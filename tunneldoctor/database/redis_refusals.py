"""Why Redis turned us down: by the word that starts its reply (src/server.c, createSharedObjects; src/acl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tunneldoctor.database.trouble import LoginRefusal, Reason, Trouble
from tunneldoctor.model import Evidence, Ruling, Value, rules_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.database.redis_replies import Reply

_BY_WORD = {
    "WRONGPASS": Reason.LOGIN_REFUSED,
    "NOPERM": Reason.PERMISSION_DENIED,
    "DENIED": Reason.HOST_NOT_ALLOWED,
    "LOADING": Reason.NOT_READY,
    "MASTERDOWN": Reason.NOT_READY,
    "CLUSTERDOWN": Reason.NOT_READY,
    "BUSY": Reason.NOT_READY,
}
#: The word ERR starts many replies; these are told by what follows it (networking.c, acl.c).
_BY_WORDS = (
    ("max number of clients", Reason.TOO_MANY_CONNECTIONS),
    ("without any password configured", Reason.PASSWORD_NOT_USABLE),
    ("invalid password", Reason.LOGIN_REFUSED),  # Redis up to 5
)
#: Characters of a reply that are kept.
_MESSAGE = 2000
#: Targets of a redirection that are shown.
_TARGETS = 5


def refusal(reply: Reply, **situation: Any) -> LoginRefusal:
    """*reply* as a refusal; *situation* fills the fields that only the login knows."""
    word, _, message = reply.text[:_MESSAGE].partition(" ")
    return LoginRefusal(word if reply.refused else "", message if reply.refused else reply.text[:_MESSAGE], **situation)


def classify(seen: LoginRefusal, *, choosing: bool = False, named: bool = True) -> Trouble:
    """The reason behind *seen*. *choosing*: it answers SELECT; *named*: the login named a user."""
    reason = _BY_WORD.get(seen.number) or _by_words(seen.message)
    if choosing and seen.number == "ERR":
        reason = Reason.UNKNOWN_DATABASE
    params: dict[str, Value] = {"sqlstate": seen.number, "message": seen.message}
    if not named:
        params["database_user"] = "default"  # who logs in without a name (acl.c, DefaultUser)
    if reason is Reason.HOST_NOT_ALLOWED:
        params |= {"address": "an address that is not its own", "how": "in protected mode"}
    if reason is Reason.TOO_MANY_CONNECTIONS:
        params["full"] = "the whole server"
    rulings = _rulings(named) if reason is Reason.LOGIN_REFUSED else ()
    return Trouble(reason, params, (Evidence("message", f"-{seen.number} {seen.message}"),), rulings, seen)


def redirected(why: str, targets: Sequence[str]) -> Trouble:
    """The server sends its clients on to *targets*."""
    target = ", ".join(targets[:_TARGETS]) or "another server"
    return Trouble(Reason.REDIRECTED, {"target": target, "why": why}, (Evidence("message", f"{why}: {target}"),))


def _by_words(message: str) -> Reason:
    return next((reason for words, reason in _BY_WORDS if words in message), Reason.UNCLASSIFIED)


def _rulings(named: bool) -> tuple[Ruling, ...]:
    """WRONGPASS covers a wrong password, an unknown user and one that is off; all else has a word of its own."""
    own = "Redis has another reply for that"
    others = (
        Reason.HOST_NOT_ALLOWED, Reason.TLS_REQUIRED, Reason.TLS_CLIENT_CERTIFICATE_REQUIRED,
        Reason.PASSWORD_NOT_USABLE, Reason.AUTH_METHOD_UNSUPPORTED,
    )  # fmt: skip
    rulings = [rules_out(reason.code, own) for reason in others]
    rulings.append(rules_out(Reason.PASSWORD_EXPIRED.code, "Redis' passwords don't expire"))
    if not named:
        rulings.append(rules_out(Reason.UNKNOWN_USER.code, "no user is named, and the default one always exists"))
    return tuple(rulings)
