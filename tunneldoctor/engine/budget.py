"""The manners of one run, counted in one place."""

import threading
from collections import Counter

from tunneldoctor.model import BudgetSpent

#: Connections of one run beyond each hop's main one: six stay below what PerSourcePenalties (sshd_config(5),
#: ``noauth:1``, enforced from 15 s) and MaxStartups (10 unauthenticated) take notice of.
BARE_CONNECTIONS = 6
#: Refused logins of one run: fail2ban's default jail bans at 5, PerSourcePenalties count 5 s for each.
REFUSED_LOGINS = 2
#: Further logins on one server where a connection is held unused: with and without the keepalive, where the server
#: speaks first, and one in use.
HOLDING_LOGINS = 3


class RunBudget:
    """Counts connections and logins of all checks of a run; safe to use from any thread.

    *further_logins* is how many connections to one server were asked for to measure with.
    """

    def __init__(self, further_logins: int = 0) -> None:
        self._lock = threading.Lock()
        self._bare = 0
        self._refused = 0
        self._further_logins = further_logins
        self._further: Counter[str] = Counter()
        self._tried: set[tuple[str, str]] = set()
        self._sent: set[str] = set()

    def bare_connection(self, hop: str) -> None:
        """Count one more connection to *hop* that will not try to log in."""
        with self._lock:
            if self._bare >= BARE_CONNECTIONS:
                raise BudgetSpent(f"{BARE_CONNECTIONS} connections without a login were opened; no more in one run")
            self._bare += 1

    def login(self, hop: str, credential: str) -> None:
        """Count one try of *credential* on *hop*."""
        with self._lock:
            if self._refused >= REFUSED_LOGINS:
                raise BudgetSpent(f"{REFUSED_LOGINS} logins were refused; a further one could lock this address out")
            if (hop, credential) in self._tried:
                raise BudgetSpent("this credential was tried already; no credential is tried twice in one run")
            self._tried.add((hop, credential))

    def refused(self, hop: str) -> None:
        """Count one refused login on *hop*."""
        with self._lock:
            self._refused += 1

    def password(self, server: str) -> None:
        """Count one password sent to *server*."""
        with self._lock:
            if server in self._sent:
                raise BudgetSpent("a password was sent already; one password a run, so that no account is locked")
            self._sent.add(server)

    def further_login(self, hop: str) -> None:
        """Count one more login with what *hop* has accepted already."""
        with self._lock:
            if self._refused >= REFUSED_LOGINS:
                raise BudgetSpent(f"{REFUSED_LOGINS} logins were refused; a further one could lock this address out")
            if self._further[hop] >= self._further_logins:
                raise BudgetSpent(f"{self._further_logins} connections were asked for, and so many were opened")
            self._further[hop] += 1
