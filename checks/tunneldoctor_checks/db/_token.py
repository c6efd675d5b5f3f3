"""Whether the refused password is a cloud's short-lived token, and what can be read in it; it is never shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from tunneldoctor.database.trouble import Trouble
    from tunneldoctor.model import Database


def about_the_password(trouble: Trouble, password: bytes, database: Database) -> Trouble:
    """*trouble* with what the password's form says about it."""
    from tunneldoctor.database.tokens import read_token
    from tunneldoctor.database.trouble import Reason

    if trouble.reason not in (Reason.LOGIN_REFUSED, Reason.TOKEN_INVALID):
        return trouble
    token = read_token(password)
    if token is None:
        marks = tuple(Evidence("secret", f"the password {mark}") for mark in _marks(password))
        return replace(trouble, evidence=(*trouble.evidence, *marks))
    problem = token.problem(database)
    params = {**trouble.params, "kind": token.kind, "problem": problem or "nothing is wrong that can be seen here"}
    seen = Evidence("secret", f"the password has the form of {token.kind}; {params['problem']}")
    return replace(trouble, reason=Reason.TOKEN_INVALID, params=params, evidence=(*trouble.evidence, seen), rulings=())


def _marks(password: bytes) -> list[str]:
    """What pasting does to a password."""
    found = []
    if password.strip() != password:
        found.append("begins or ends with white space or a line break")
    if password[:1] == password[-1:] and password[:1] in (b'"', b"'") and len(password) > 1:
        found.append("is in quotes")
    if b"%" in password and len(password) > 2:
        found.append("holds a percent sign: in a URL that begins an escaped character")
    return found
