"""Why the bastion does not forward to the database, as seen from the bastion: its rules, the key's options, the way."""

from __future__ import annotations

from dataclasses import replace

from tunneldoctor.model import Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.facts import ADMIN, FORWARD_REFUSED, LOOK_STAGE, SESSION, TARGET
from tunneldoctor_checks.looking import judged_outcome, look_around, subject_of


def run(context: Context) -> Outcome:
    """Run the script there, which also looks the database's name up and connects to it."""
    from tunneldoctor.bastion.judge import JUDGES
    from tunneldoctor.ssh.forwarding import classify

    code = classify(context.need(FORWARD_REFUSED))
    if code not in JUDGES:
        return Outcome(skipped=f"{code} leaves nothing to look up")
    session = context.need(SESSION)
    subject = subject_of(context, code, *session.login_lines, session.login_algorithm)
    subject = replace(subject, target=context.need(TARGET))
    look = look_around(context, subject)
    if isinstance(look, str):
        return Outcome(unknown=f"no look from the bastion: {look}")
    return judged_outcome(look, subject)


CHECK = Check(
    id="forward.look",
    layer=Layer.FORWARD,
    title="what keeps the bastion from forwarding was looked up there",
    where=Where.BASTION,
    run=run,
    needs=(ADMIN, FORWARD_REFUSED, SESSION, TARGET),
    codes=(
        "auth.password-change-required",
        "forward.key-restricted",
        "forward.certificate-restricted",
        "key.certificate-no-port-forwarding",
        "forward.disabled-in-sshd",
        "forward.key-permitopen",
        "forward.permit-open",
        "forward.name-not-resolved",
        "forward.refused",
        "forward.timeout",
        "forward.no-route",
    ),
    stage=LOOK_STAGE,
)
