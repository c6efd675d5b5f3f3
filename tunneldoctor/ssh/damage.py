"""One thing that is wrong with a key's bytes, in the codes of the ``key`` layer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tunneldoctor.model import Severity, Value


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong, with the page's parameters. ``seen`` is evidence: lengths, names, counts, never the bytes.

    ``severity`` is an error where OpenSSH itself could not use the key as it stands, else a warning.
    """

    code: str
    params: Mapping[str, Value] = field(default_factory=dict)
    severity: Severity = Severity.ERROR
    seen: str = ""


class Refused(Exception):
    """The key can't be used, for the reason in ``damage``."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.code)
        self.damage = damage


def refused(code: str, seen: str = "", /, severity: Severity = Severity.ERROR, **params: Value) -> Refused:
    """A :class:`Refused` to raise."""
    return Refused(Damage(code, params, severity, seen))
