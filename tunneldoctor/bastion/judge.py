"""From the output of a look to what it says about a symptom: one judge for each symptom that a look can split."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tunneldoctor.bastion import database
from tunneldoctor.bastion.forward import judge_failure, judge_prohibition
from tunneldoctor.bastion.hangup import judge_hangup
from tunneldoctor.bastion.login import judge_login
from tunneldoctor.bastion.reading import Look
from tunneldoctor.bastion.sight import Judgement
from tunneldoctor.bastion.subject import Subject

JUDGES: Mapping[str, Callable[[Look, Subject], Judgement]] = {
    "auth.publickey-refused": judge_login,
    "forward.prohibited": judge_prohibition,
    "forward.connect-failed": judge_failure,
    "ssh.closed-before-banner": judge_hangup,
    **database.JUDGES,
}
