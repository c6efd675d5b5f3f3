"""The database's password: when it may be sent, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import SecretUnavailable

if TYPE_CHECKING:
    from tunneldoctor.database.session import Prepared
    from tunneldoctor.model import Context

_ASKED = {"cleartext": "in clear", "mysql_clear_password": "in clear"}


class PasswordGiver:
    """An engine's source of the password, for one connection. ``value`` is what was handed out, or None.

    *trial* gives none at all: the login is only to show whether it gets that far. *again*: the server has accepted it
    in this run, and a further login counts as such.
    """

    def __init__(self, context: Context, prepared: Prepared, *, trial: bool = False, again: bool = False) -> None:
        self._context = context
        self._prepared = prepared
        self._trial = trial
        self._again = again
        self.value: bytes | None = None

    def __call__(self, method: str) -> bytes:
        """The password for *method*; one login may come to a second one. Raises Withheld, BudgetSpent."""
        from tunneldoctor.database.trouble import Withheld

        why_not = self._objection(method)
        if why_not:
            raise Withheld(why_not)
        if self.value is None:
            self.value = self._read()
        return self.value

    def _objection(self, method: str) -> str | None:
        if self._trial:
            return "this connection is only a trial"
        if method in _ASKED and not self._prepared.encrypted:
            return "the server asks for the password in clear on a connection without TLS; it was not sent"
        if self._rejected():
            return "the client's own TLS settings reject the certificate; the password was not sent to its owner"
        return None

    def _rejected(self) -> bool:
        if self._prepared.tls is None:
            return False
        from tunneldoctor.database.certificate import judge

        return any(fault.rejected for fault in judge(self._prepared.tls, self._prepared.database))

    def _read(self) -> bytes:
        from tunneldoctor.database.trouble import Reason, Withheld

        reference = self._prepared.database.password
        if reference is None:
            raise Withheld("the server asks for a password: give database_password", Reason.PASSWORD_MISSING)
        try:
            value = self._context.secret(reference).reveal()
        except SecretUnavailable as error:
            why = f"the server asks for a password, and {error.reference} can't be read: {error.reason}"
            raise Withheld(why, Reason.PASSWORD_MISSING) from error
        if not value:
            raise Withheld(f"the server asks for a password, and {reference} is empty", Reason.PASSWORD_MISSING)
        if not self._again:
            self._context.budget.password("database")
        return value
