"""What can be wrong with a database, in words that no engine owns, and the exceptions that carry it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tunneldoctor.model import Evidence, Ruling, Value

_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}")


class Reason(StrEnum):
    """What is wrong. The values are the names of the public codes without their layer: ``db.<value>``."""

    NO_ANSWER = "no-answer"
    CLOSED = "closed-without-answer"
    WRONG_SERVICE = "wrong-service"
    NOT_READY = "not-ready"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    HOST_NOT_ALLOWED = "host-not-allowed"
    HOST_BLOCKED = "host-blocked"
    TLS_REQUIRED = "tls-required"
    TLS_NOT_SUPPORTED = "tls-not-supported"
    TLS_UNTRUSTED_ISSUER = "tls-untrusted-issuer"
    TLS_ROOT_MISSING = "tls-root-missing"
    TLS_WEAK_CERTIFICATE = "tls-weak-certificate"
    TLS_EXPIRED = "tls-expired"
    TLS_NOT_YET_VALID = "tls-not-yet-valid"
    TLS_NAME_MISMATCH = "tls-name-mismatch"
    TLS_NAME_MISMATCH_THROUGH_TUNNEL = "tls-name-mismatch-through-tunnel"
    TLS_PROTOCOL_MISMATCH = "tls-protocol-mismatch"
    TLS_HANDSHAKE_FAILED = "tls-handshake-failed"
    TLS_STALLED = "tls-stalled"
    TLS_INTERCEPTED = "tls-intercepted"
    TLS_CLIENT_CERTIFICATE_REQUIRED = "tls-client-certificate-required"
    CLIENT_CERTIFICATE_REJECTED = "client-certificate-rejected"
    CLIENT_CERTIFICATE_UNUSABLE = "client-certificate-unusable"
    LOGIN_REFUSED = "login-refused"
    PASSWORD_WRONG = "password-wrong"
    PASSWORD_MISSING = "password-missing"
    PASSWORD_EXPIRED = "password-expired"
    PASSWORD_NOT_USABLE = "password-not-usable"
    TOKEN_INVALID = "token-invalid"
    UNKNOWN_USER = "unknown-user"
    ACCOUNT_LOCKED = "account-locked"
    UNKNOWN_DATABASE = "unknown-database"
    DATABASE_NOT_ACCEPTING = "database-not-accepting"
    PERMISSION_DENIED = "permission-denied"
    READ_ONLY = "read-only"
    AUTH_METHOD_UNSUPPORTED = "auth-method-unsupported"
    STARTUP_OPTION_REFUSED = "startup-option-refused"
    POOLER_UPSTREAM_DOWN = "pooler-upstream-down"
    POOLER_WAITS = "pooler-waits"
    REDIRECTED = "redirected"
    SERVER_NAME_NEEDED = "server-name-needed"
    UNCLASSIFIED = "unclassified"

    @property
    def code(self) -> str:
        """The public code."""
        return f"db.{self.value}"


@dataclass(frozen=True, slots=True)
class LoginRefusal:
    """A database's own words when it turns a login down.

    ``number`` is the SQLSTATE (PostgreSQL) or the error number (MySQL); ``routine`` is PostgreSQL's field R, which no
    ``lc_messages`` translates, "" where the sender leaves it out (poolers do). ``address`` is the client as the
    database quotes it. ``authenticated`` is True where the refusal came after the password had been accepted,
    ``proven`` where it came between the server's own proof (SCRAM) and that.
    """

    number: str
    message: str
    routine: str = ""
    detail: str = ""
    address: str = ""
    password_sent: bool = False
    authenticated: bool = False
    proven: bool = False
    encrypted: bool = False
    client_certificate: bool = False


def quoted_address(message: str) -> str:
    """The first IP address in a server's *message*, or "": translations keep it, whatever quotes they put around it."""
    for candidate in _ADDRESS.findall(message[:500]):
        try:
            return str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
    return ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, with what fills its page and what was seen."""

    reason: Reason
    params: Mapping[str, Value] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    refusal: LoginRefusal | None = None


class DatabaseTrouble(Exception):
    """An engine can't go on; ``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.reason.value)
        self.trouble = trouble


class Withheld(Exception):
    """The server asked for a password, and it must not be sent, or there is none. Says why, in words for the user."""

    def __init__(self, why: str, reason: Reason | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.reason = reason
