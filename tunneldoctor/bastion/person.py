"""The account on the bastion: who it is, and what its password entry says about logging in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunneldoctor.bastion.reading import Look

_NUMBER = re.compile(r"(\d+)\(([^()]*)\)")
_STATE = re.compile(r"password (\w+) changed (-?\d*) maximum (-?\d*) expires ?(-?\d*)")
_NOBODY = re.compile(r"no such user|unknown user", re.IGNORECASE)
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the bastion. ``real_home`` is the home with its links resolved; ``gids`` are the groups' numbers."""

    name: str
    uid: int
    home: str
    real_home: str
    shell: str
    groups: tuple[str, ...]
    gids: frozenset[int]

    @classmethod
    def of(cls, look: Look, user: str) -> Person | None:
        """The account of that name; None where there is none, or where it was not seen."""
        fields = [line.split(":") for line in look.text("account").splitlines()]
        entry = next((each for each in fields if len(each) == 6 and each[0] == user and each[1].isdecimal()), None)
        if entry is None:
            return None
        resolved = next((each[0] for each in fields if len(each) == 1 and each[0].startswith("/")), "")
        groups = _NUMBER.findall(look.text("id").partition(" ")[2])
        gids = frozenset({int(entry[2]), *(int(number) for number, _ in groups)} if entry[2].isdecimal() else ())
        names = tuple(dict.fromkeys(name for _, name in groups))
        return cls(user, int(entry[1]), entry[4], resolved or entry[4], entry[5], names, gids)


def is_nobody(look: Look) -> str:
    """The words in which the bastion says that it knows no such user; empty where it does not say so."""
    section = look.section("id")
    match = section and section.status and _NOBODY.search(section.text)
    return section.text if section and match else ""


@dataclass(frozen=True, slots=True)
class PasswordState:
    """What /etc/shadow says, in days since 1970. ``kind``: ``locked`` (``!``), ``none`` (``*``), ``empty``, ``set``."""

    kind: str
    changed: int | None
    maximum: int | None
    expires: int | None

    @classmethod
    def of(cls, look: Look) -> PasswordState | None:
        """None where the admin may not see it."""
        match = _STATE.search(look.text("shadow"))
        return cls(match[1], *(_number(text) for text in match.groups()[1:])) if match else None

    def is_over(self, now: float) -> bool:
        """auth_shadow_acctexpired in auth-shadow.c: the account ends with the day; 0 and less mean never."""
        return self.expires is not None and self.expires > 0 and now / _DAY > self.expires

    def must_change(self, now: float) -> bool:
        """Whether the password is too old, or was never set by its owner (shadow(5)): PAM then wants another first."""
        if self.changed is None:
            return False
        return self.changed == 0 or ((self.maximum or -1) >= 0 and now / _DAY > self.changed + (self.maximum or 0))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("-").isdecimal() else None
