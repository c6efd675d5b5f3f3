"""Why the bastion refuses the key, as seen from the bastion: its log, its rules, the account, the key's files."""

from __future__ import annotations

from tunneldoctor.model import Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.facts import ADMIN, IDENTITIES, LOGIN_REFUSED, LOOK_STAGE
from tunneldoctor_checks.looking import judged_outcome, look_around, subject_of

_SYMPTOM, _NOT_THIS_KEY = "auth.publickey-refused", "auth.key-not-authorized"
#: As many keys as the manners of a run let be refused.
_KEYS = 2


def run(context: Context) -> Outcome:
    """Run the script there for the key that was refused; for a second one where the first is simply not known."""
    refusal = context.need(LOGIN_REFUSED)
    if refusal.method != "publickey" or not refusal.turned_down:
        return Outcome(skipped="no key was refused")
    outcome = Outcome(unknown="there is no key to look for")
    for number, identity in enumerate((context.want(IDENTITIES) or ())[:_KEYS]):
        algorithm = "" if number else refusal.algorithm
        subject = subject_of(context, _SYMPTOM, identity.public_line, identity.certificate_line or "", algorithm)
        look = look_around(context, subject)
        if isinstance(look, str):
            return Outcome(unknown=f"no look from the bastion: {look}")
        outcome = judged_outcome(look, subject)
        if not any(ruling.code == _NOT_THIS_KEY and not ruling.out for ruling in outcome.rulings):
            break
    return outcome


CHECK = Check(
    id="auth.look",
    layer=Layer.AUTH,
    title="what keeps the key out was looked up on the bastion",
    where=Where.BASTION,
    run=run,
    needs=(ADMIN, LOGIN_REFUSED),
    wants=(IDENTITIES,),
    codes=(
        "auth.unknown-user",
        "auth.account-locked",
        "auth.user-not-allowed",
        "auth.algorithm-not-accepted",
        "auth.key-too-short-for-server",
        "auth.key-revoked",
        "auth.authorized-keys-unreadable",
        "auth.bad-permissions",
        "auth.key-not-authorized",
        "auth.key-expired",
        "auth.from-mismatch",
        "auth.selinux-context",
        "auth.certificate-authority-untrusted",
        "auth.certificate-principal-not-authorized",
        "auth.certificate-source-address",
        "key.certificate-expired",
        "key.certificate-not-yet-valid",
        "key.certificate-wrong-principal",
        "key.certificate-no-principals",
        "key.certificate-is-host-certificate",
        "key.certificate-mismatch",
        "key.certificate-signed-with-sha1",
        "key.certificate-unknown-option",
        "key.certificate-unreadable",
    ),
    stage=LOOK_STAGE,
)
