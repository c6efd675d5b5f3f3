"""The hop lets the user in with one of the credentials that the tunnel has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tunneldoctor.model import (
    BudgetSpent,
    Check,
    Context,
    Evidence,
    Finding,
    Layer,
    Outcome,
    Ruling,
    SecretUnavailable,
    Severity,
    Value,
    Where,
    confirms,
)
from tunneldoctor_checks.auth._tries import CODES, Tries
from tunneldoctor_checks.facts import IDENTITIES, LOGIN_REFUSED, LOOK_WANTED, SESSION, TRUSTED, USERNAME

if TYPE_CHECKING:
    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.transport import Refusal, Transport

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.2
#: The question what the server takes (RFC 4252 §5.2).
_NOTHING = "no credential"
#: What PAM and sshd say in the banner of a login whose password must be changed first (pam_unix, OpenSSH auth.c).
_CHANGE = ("required to change your password", "password has expired", "password change required")
#: What pam_unix has sshd say before it hangs up on an account whose last day is over.
_EXPIRED = re.compile(r"account has expired", re.IGNORECASE)


def run(context: Context) -> Outcome:
    """Sign at once with each key that fits into the manners, then send the password if there is one."""
    transport, username = context.need(TRUSTED), context.need(USERNAME)
    tries = Tries()
    identities = context.want(IDENTITIES) or ()
    if not identities and context.hop.password is None:
        return Outcome(unknown="there is no key and no password to log in with")
    if _with_keys(context, transport, username, identities, tries):
        return _in(context, transport, tries)
    if context.hop.password is not None:
        if tries.over:
            tries.untried += 1
        elif _with_password(context, transport, username, tries):
            return _in(context, transport, tries)
        if tries.asks_for_a_key_at_last:
            tries.refused = tries.refused[-1:]
            if _with_keys(context, transport, username, identities, tries, " after the password"):
                return _in(context, transport, tries)
    return _out(context, tries)


def _with_keys(
    context: Context,
    transport: Transport,
    username: str,
    identities: tuple[Identity, ...],
    tries: Tries,
    when: str = "",
) -> bool:
    offers = [(f"{identity.name_of(key)}{when}", key) for identity in identities for key in identity.offers()]
    for number, (name, key) in enumerate(offers):
        if tries.over:
            tries.untried = len(offers) - number
            break
        if tries.methods is not None and "publickey" not in tries.methods:
            break
        try:
            context.budget.login(context.hop.name, name)
        except BudgetSpent:
            if not tries.refused:
                raise
            tries.untried = len(offers) - number
            break
        refusal = transport.authenticate(username, key, context.remaining() - _MARGIN)
        if refusal is None:
            return True
        _note(context, tries, name, refusal)
    return False


def _with_password(context: Context, transport: Transport, username: str, tries: Tries) -> bool:
    from tunneldoctor.ssh.userauth import PASSWORD, password_method

    methods, reference = tries.methods, context.hop.password
    if methods is None:
        asked = transport.ask_methods(username, context.remaining() - _MARGIN)
        if asked is None:
            return True
        if asked.kind != "refused" or password_method(asked.methods) is None:
            tries.refused.append((_NOTHING, asked))
            return False
        methods = asked.methods
    method = password_method(methods)
    if method is None or reference is None:
        return False
    try:
        secret = context.secret(reference)
        context.budget.login(context.hop.name, PASSWORD)
        context.budget.password(f"ssh {context.hop.address}")
    except (SecretUnavailable, BudgetSpent) as error:
        tries.untried += isinstance(error, BudgetSpent)
        tries.missing = f"the password was not tried: {error}"
        return False
    refusal = transport.authenticate(username, secret, context.remaining() - _MARGIN, method=method)
    if refusal is None:
        return True
    _note(context, tries, PASSWORD, refusal)
    return False


def _note(context: Context, tries: Tries, name: str, refusal: Refusal) -> None:
    tries.refused.append((name, refusal))
    if refusal.kind in {"refused", "closed"}:
        context.budget.refused(context.hop.name)


def _in(context: Context, transport: Transport, tries: Tries) -> Outcome:
    """Logged in. A key that was turned down on the way works for nobody else either, so it is worth a warning.

    Where the password must be changed first sshd forbids every forward (auth.c, ``auth_restrict_session``), which
    would only look like a second fault.
    """
    findings = []
    if change := next((text for text in transport.auth_banners if any(words in text.lower() for words in _CHANGE)), ""):
        findings.append(Finding("auth.password-change-required", {}, (Evidence("message", change.strip()),)))
    facts: dict[Any, Any] = {} if change else {SESSION: transport}
    refused = [(name, each) for name, each in tries.refused if each.kind == "refused" and each.method == "publickey"]
    if refused and "publickey" in refused[0][1].methods and context.hop.password is not None:
        facts[LOGIN_REFUSED] = refused[0][1]
        findings.append(_finding(context, "auth.publickey-refused", tries, Severity.WARNING))
    return Outcome(tuple(findings), facts, _seen(tries, transport.debug_messages))


def _out(context: Context, tries: Tries) -> Outcome:
    last = tries.last
    if last is None:
        return Outcome(unknown=tries.missing)
    if tries.untried and last.kind == "refused":
        return Outcome(
            unknown=f"{len(tries.refused)} logins were refused; {tries.untried} more were not tried, because a check "
            "does not use up the tries that a server allows: leave the one credential that is meant in the tunnel"
        )
    findings = [_finding(context, code, tries) for code in tries.codes()]
    if any("password" in each.methods for _, each in tries.refused if not each.partial) and not context.hop.password:
        offered = Evidence("list", f"methods still offered: {', '.join(last.methods)}")
        findings.append(Finding("auth.password-authentication-enabled", {}, (offered,)))
    first = next((each for _, each in tries.refused if tries.code(each) == "auth.publickey-refused"), last)
    facts: dict[Any, Any] = {LOGIN_REFUSED: first, LOOK_WANTED: True}
    return Outcome(tuple(findings), facts, _seen(tries), tuple(_by_banner(last)))


def _by_banner(last: Refusal) -> Iterator[Ruling]:
    """Why the server hung up, where it says so (OpenSSH auth2.c sends what PAM says, then ends)."""
    for text in last.auth_banners:
        if last.kind == "closed" and _EXPIRED.search(text):
            yield confirms("auth.account-locked", f"the server says: {text.strip()}")


def _finding(context: Context, code: str, tries: Tries, severity: Severity | None = None) -> Finding:
    name, refusal = next((each for each in tries.refused if tries.code(each[1]) == code), tries.refused[-1])
    identities = context.want(IDENTITIES)
    identity = identities[0] if identities else None
    params: dict[str, Value] = {
        "username": context.hop.username,
        "public_key": identity.public_line if identity else None,
        "certificate": identity.certificate_line if identity else None,
        "credential": name,
        "methods": ", ".join(refusal.methods) or ("nothing, it hung up" if refusal.too_many_tries else "none"),
        "asked": f"{refusal.text!r}" if refusal.kind == "prompts" else ", ".join(refusal.methods),
        "how": "hung up instead of answering the login; whether the credential was right is not known",
        "algorithm": refusal.algorithm or None,
        "seconds": round(refusal.seconds, 1),
    }
    return Finding(code, params, tuple(tries.evidence()), severity)


def _seen(tries: Tries, messages: tuple[str, ...] = ()) -> dict[str, Value]:
    from tunneldoctor.ssh.debug import egress_address

    known = messages or (tries.last.debug_messages if tries.last else ())
    address = egress_address(known)
    return {"egress_address": address} if address else {}


CHECK = Check(
    id="auth.login",
    layer=Layer.AUTH,
    title="the server accepts the login",
    where=Where.EACH_HOP,
    run=run,
    needs=(TRUSTED, USERNAME),
    wants=(IDENTITIES,),
    gives=(SESSION, LOGIN_REFUSED, LOOK_WANTED),
    codes=CODES,
    equivalent="ssh -v -N {ssh_options} {bastion_username}@{bastion_host}",
)
