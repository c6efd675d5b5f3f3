"""The fixed words of every report: layers, statuses, severities, places, verdicts."""

from collections.abc import Iterable
from enum import StrEnum


class Layer(StrEnum):
    """Where on the way a check looks, in the order of the path."""

    CONFIG = "config"
    KEY = "key"
    DNS = "dns"
    TCP = "tcp"
    SSH = "ssh"
    HOSTKEY = "hostkey"
    AUTH = "auth"
    FORWARD = "forward"
    DB = "db"
    IDLE = "idle"

    @property
    def rank(self) -> int:
        """The layer's place on the path, 0 for ``config``."""
        return list(Layer).index(self)


class Status(StrEnum):
    """How one check ended."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    ERROR = "error"

    @classmethod
    def worst(cls, statuses: Iterable["Status"]) -> "Status | None":
        """How several checks stand together; None where none of them looked at anything."""
        order = (cls.FAIL, cls.ERROR, cls.UNKNOWN, cls.BLOCKED, cls.WARN, cls.PASS)
        there = set(statuses)
        return next((status for status in order if status in there), None)


class Severity(StrEnum):
    """How bad a finding is for this tunnel."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Place(StrEnum):
    """Where something was seen, or where a command is to be run."""

    HERE = "here"
    BASTION = "bastion"
    DATABASE = "database"
    CLOUD = "cloud"


class Provider(StrEnum):
    """Whose commands the advice shows."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"
    ONPREM = "onprem"


class Verdict(StrEnum):
    """What a whole run comes to."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    BROKEN = "broken"
    INCONCLUSIVE = "inconclusive"

    @property
    def works(self) -> bool:
        """Nothing is broken, as far as all could be looked at; there may be warnings."""
        return self in (Verdict.HEALTHY, Verdict.DEGRADED)


class Retry(StrEnum):
    """Whether a failure may heal by itself."""

    NEVER = "never"
    SOON = "soon"
    WHILE_WAITING = "while-waiting"
