"""The hop lets the user in with one of the credentials that the tunnel has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunneldoctor.model import (
    BudgetSpent,
    Check,
    Context,
    Evidence,
    Finding,
    Layer,
    Outcome,
    SecretUnavailable,
    Severity,
    Value,
    Where,
)
from tunneldoctor_checks.facts import IDENTITIES, LOGIN_REFUSED, SESSION, TRUSTED, USERNAME

if TYPE_CHECKING:
    from paramiko import PKey

    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.transport import Refusal, Transport

#: Seconds kept back of the deadline for putting the outcome together.
_MARGIN = 0.2
#: How the password is spoken of.
_PASSWORD = "the password"
#: The question what the server takes (RFC 4252 §5.2).
_NOTHING = "no credential"
#: What PAM and sshd say in the banner of a login whose password must be changed first (pam_unix, OpenSSH auth.c).
_CHANGE = ("required to change your password", "password has expired", "password change required")


#: How a try ends other than by a plain refusal, and what that is called.
_ENDED = {
    "partial": "auth.second-factor-required",
    "prompts": "auth.second-factor-required",
    "password-change": "auth.password-change-required",
    "agent": "auth.agent-refused",
    "stalled": "auth.stalled",
    "closed": "auth.closed-after-login",
}


@dataclass(slots=True)
class _Tries:
    """What was tried so far on this hop, and how each try ended."""

    refused: list[tuple[str, Refusal]] = field(default_factory=list)
    untried: int = 0
    missing: str = "there is nothing to log in with that the server takes"

    @property
    def last(self) -> Refusal | None:
        return self.refused[-1][1] if self.refused else None

    @property
    def methods(self) -> tuple[str, ...] | None:
        """What the server still offers; None before it has said so."""
        return self.last.methods if self.last else None

    @property
    def over(self) -> bool:
        """True where going on makes no sense: the connection is gone or does not answer."""
        return self.last is not None and self.last.kind in {"closed", "no-service", "stalled"}

    def code(self, refusal: Refusal) -> str:
        """What *refusal* is called. A limit of tries is to blame only where it kept something from being tried."""
        if refusal.too_many_tries and self.untried:
            return "auth.too-many-attempts"
        return _code(refusal)


def run(context: Context) -> Outcome:
    """Sign at once with each key that fits into the manners, then send the password if there is one."""
    transport, username = context.need(TRUSTED), context.need(USERNAME)
    tries = _Tries()
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
    return _out(context, tries)


def _offers(identities: tuple[Identity, ...]) -> Iterator[tuple[str, PKey]]:
    for identity in identities:
        for key in identity.offers():
            certified = key.public_blob is not None or "-cert-v01@" in key.get_name()
            yield f"{identity.fingerprint}{' with its certificate' if certified else ''}", key


def _with_keys(
    context: Context, transport: Transport, username: str, identities: tuple[Identity, ...], tries: _Tries
) -> bool:
    offers = list(_offers(identities))
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


def _with_password(context: Context, transport: Transport, username: str, tries: _Tries) -> bool:
    methods, reference = tries.methods, context.hop.password
    if methods is None:
        asked = transport.ask_methods(username, context.remaining() - _MARGIN)
        if asked is None:
            return True
        if asked.kind != "refused" or _password_method(asked.methods) is None:
            tries.refused.append((_NOTHING, asked))
            return False
        methods = asked.methods
    method = _password_method(methods)
    if method is None or reference is None:
        return False
    try:
        secret = context.secret(reference)
        context.budget.login(context.hop.name, _PASSWORD)
        context.budget.password(f"ssh {context.hop.address}")
    except (SecretUnavailable, BudgetSpent) as error:
        tries.missing = f"the password was not tried: {error}"
        return False
    refusal = transport.authenticate(username, secret, context.remaining() - _MARGIN, method=method)
    if refusal is None:
        return True
    _note(context, tries, _PASSWORD, refusal)
    return False


def _password_method(methods: tuple[str, ...]) -> str | None:
    return next((method for method in ("password", "keyboard-interactive") if method in methods), None)


def _note(context: Context, tries: _Tries, name: str, refusal: Refusal) -> None:
    tries.refused.append((name, refusal))
    if refusal.kind in {"refused", "closed"}:
        context.budget.refused(context.hop.name)


def _in(context: Context, transport: Transport, tries: _Tries) -> Outcome:
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


def _out(context: Context, tries: _Tries) -> Outcome:
    last = tries.last
    if last is None:
        return Outcome(unknown=tries.missing)
    if tries.untried and last.kind == "refused":
        return Outcome(
            unknown=f"{len(tries.refused)} keys were refused; {tries.untried} more were not tried, because a check "
            "does not use up the tries that a server allows: name the one key in private_key"
        )
    findings = [_finding(context, code, tries) for code in _codes(tries)]
    if any("password" in each.methods for _, each in tries.refused) and context.hop.password is None:
        offered = Evidence("list", f"methods still offered: {', '.join(last.methods)}")
        findings.append(Finding("auth.password-authentication-enabled", {}, (offered,)))
    first = next((each for _, each in tries.refused if tries.code(each) == "auth.publickey-refused"), last)
    return Outcome(tuple(findings), {LOGIN_REFUSED: first}, _seen(tries))


def _codes(tries: _Tries) -> list[str]:
    """One code for each way in which the tries ended; a first factor that was right is no fault of its own."""
    ended = [tries.code(each) for _, each in tries.refused[:-1] if not each.partial]
    final = tries.code(tries.refused[-1][1])
    return [final] if final == "auth.too-many-attempts" else list(dict.fromkeys([*ended, final]))


def _code(refusal: Refusal) -> str:
    if not refusal.turned_down:
        return _ENDED.get(refusal.kind, "auth.unclassified")
    if refusal.method == "none":
        return "auth.password-not-offered"
    taken = refusal.too_many_tries or refusal.method in refusal.methods
    if refusal.method != "publickey":
        return "auth.password-refused" if taken else "auth.unclassified"
    return "auth.publickey-refused" if taken else "auth.publickey-not-offered"


def _finding(context: Context, code: str, tries: _Tries, severity: Severity | None = None) -> Finding:
    name, refusal = next((each for each in tries.refused if tries.code(each[1]) == code), tries.refused[-1])
    params: dict[str, Value] = {
        "username": context.hop.username,
        "public_key": _public_key(context.want(IDENTITIES) or ()),
        "credential": name,
        "methods": ", ".join(refusal.methods) or ("nothing, it hung up" if refusal.too_many_tries else "none"),
        "algorithm": refusal.algorithm or None,
        "seconds": round(refusal.seconds, 1),
    }
    return Finding(code, params, tuple(_evidence(tries)), severity)


def _public_key(identities: tuple[Identity, ...]) -> str | None:
    """The line that authorizes the key that is offered first."""
    return f"{identities[0].type} {identities[0].key.get_base64()}" if identities else None


def _evidence(tries: _Tries) -> Iterator[Evidence]:
    for name, refusal in tries.refused:
        offered = f"; it still offers: {', '.join(refusal.methods)}" if refusal.methods else ""
        how = f" ({refusal.algorithm})" if refusal.algorithm else ""
        yield Evidence("message", f"{name}{how}: {refusal.kind} after {refusal.seconds:.3f} s{offered}")
        if refusal.text:
            yield Evidence("message", refusal.text)
    last = tries.refused[-1][1]
    if last.disconnect:
        yield Evidence("message", f"the server disconnects, {last.disconnect[0]}: {last.disconnect[1]}")
    if last.end:
        yield Evidence("timing", f"the server ended the connection: {last.end}")
    for text in last.auth_banners[:5]:
        yield Evidence("message", f"the server's login banner: {text.strip()}")


def _seen(tries: _Tries, messages: tuple[str, ...] = ()) -> dict[str, Value]:
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
    gives=(SESSION, LOGIN_REFUSED),
    codes=(
        "auth.publickey-refused",
        "auth.publickey-not-offered",
        "auth.second-factor-required",
        "auth.too-many-attempts",
        "auth.password-refused",
        "auth.password-not-offered",
        "auth.password-change-required",
        "auth.agent-refused",
        "auth.closed-after-login",
        "auth.stalled",
        "auth.password-authentication-enabled",
        "auth.unclassified",
    ),
)
