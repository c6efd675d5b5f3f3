"""A look around on the bastion through the admin's account: one read-only script, run once, every command told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Outcome, Value
from tunneldoctor_checks.facts import ADMIN

if TYPE_CHECKING:
    from tunneldoctor.bastion.reading import Look
    from tunneldoctor.bastion.subject import Subject

#: Seconds kept back of the deadline for judging what was seen.
_MARGIN = 0.3


def subject_of(context: Context, symptom: str, key: str, certificate: str, algorithm: str) -> Subject:
    """The login of the hop's user that is to be looked into; *key* and *certificate* are ``type base64``, or empty."""
    from tunneldoctor.bastion.subject import Subject

    hop = context.hop
    return Subject(
        symptom=symptom,
        user=hop.username or "",
        port=hop.port,
        host=hop.host or "",
        tunnel=context.tunnel.name,
        key=key,
        certificate=certificate,
        algorithm=algorithm,
    )


def look_around(context: Context, subject: Subject) -> Look | str:
    """What the script says about *subject*; in words why it says nothing."""
    from tunneldoctor.bastion.reading import NotALook, read
    from tunneldoctor.bastion.subject import script_about

    answer = context.need(ADMIN).run(script_about(subject), context.remaining() - _MARGIN)
    if answer.problem:
        return answer.problem
    try:
        look = read(answer.stdout)
    except NotALook as error:
        return f"the script's output can't be read: {error}"
    for section in look.sections:
        context.progress(f"ran there: {section.command}")
    return look


def judged_outcome(look: Look, subject: Subject) -> Outcome:
    """What the look comes to: rulings, the faults behind the first one, and the address that the bastion sees us as."""
    from tunneldoctor.bastion.judge import JUDGES

    address = look.values().get("from", "")
    judgement = JUDGES[subject.symptom](look, replace(subject, address=address))
    measured: dict[str, Value] = {"egress_address": address} if address else {}
    return Outcome(
        findings=judgement.findings(subject.params),
        rulings=judgement.rulings,
        measured=measured,
        unknown=judgement.puzzle or None,
    )
