"""One more try on a fresh channel, with TLS where there was none or without it: only before any password was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Context, Evidence, Finding, Outcome, found
from tunneldoctor_checks.db._password import PasswordGiver
from tunneldoctor_checks.db._second import second_channel

if TYPE_CHECKING:
    from tunneldoctor.database.session import Prepared, Session
    from tunneldoctor.database.trouble import Trouble


def other_way(context: Context, prepared: Prepared, trouble: Trouble) -> Session | Outcome | None:
    """A session where the client itself would have gone the other way; a finding; or None where it changes nothing.

    libpq's ``allow`` tries TLS after a refusal without, and ``prefer`` does without after a refusal with it. Where
    the client insists on no TLS, the try only shows whether that is what the server minds.
    """
    from tunneldoctor.database.engine import SPEAKS_FIRST, TLS_FROM_THE_FIRST_BYTE
    from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Withheld

    mode = prepared.database.tls.mode
    follows = mode in ("allow", "prefer")
    if trouble.reason is not Reason.HOST_NOT_ALLOWED or not (follows or mode == "disable"):
        return None
    if prepared.offers_tls is False or prepared.database.engine in TLS_FROM_THE_FIRST_BYTE | SPEAKS_FIRST:
        return None
    channel = second_channel(context, context.remaining())
    if channel is None:
        return None
    try:
        encrypt = not prepared.encrypted
        again = prepared.engine.prepare(channel, prepared.database, context.remaining(), encrypt=encrypt)
        if again.encrypted is not encrypt:
            return None
        session = again.engine.login(again, PasswordGiver(context, again, trial=not follows), context.remaining())
    except Withheld as error:
        return Outcome(unknown=error.why) if follows else _minds(trouble)
    except DatabaseTrouble as error:
        return None if error.trouble.reason is Reason.HOST_NOT_ALLOWED or not follows else _instead(error.trouble)
    if not follows:
        session.close()
        return _minds(trouble)
    return session


def _minds(trouble: Trouble) -> Outcome:
    seen = Evidence("message", "over TLS the same login is let in as far as the password")
    return found(Finding("db.tls-required", trouble.params, (*trouble.evidence, seen)))


def _instead(trouble: Trouble) -> Outcome:
    from tunneldoctor_checks.db._report import outcome

    return outcome(trouble)
