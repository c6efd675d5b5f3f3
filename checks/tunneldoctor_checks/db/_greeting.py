"""A port that does not greet where the engine's server speaks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Finding, Outcome, found
from tunneldoctor_checks.db._who import who_answers
from tunneldoctor_checks.facts import CHANNEL

if TYPE_CHECKING:
    from tunneldoctor.database.trouble import Trouble


def no_greeting(context: Context, trouble: Trouble) -> Outcome:
    """Closed before a word was said; hung; or somebody who waits for us to speak.

    The look begins on the same connection: should it be the engine after all, it would count a second one.
    """
    from tunneldoctor.database.trouble import Reason

    if trouble.reason is Reason.CLOSED:
        return found(Finding("forward.closed-at-once", trouble.params, trouble.evidence))
    return who_answers(context, trouble, context.need(CHANNEL))
