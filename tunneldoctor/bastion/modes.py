"""Owners and modes on the way to a file: what StrictModes says to them, and whether a user can read it at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunneldoctor.bastion.reading import Section

#: A line of ``ls -ldn``: mode, a mark for ACLs or labels, links, owner, group, size, date, name.
_LISTED = re.compile(r"([-bcdlps][-rwxsStT]{9})(\S?)\s+\d+\s+(\d+)\s+(\d+)\s.*?\s(/.*)")
_SHARED = re.compile(r"group (\d+):(.*)")
_ABSENT = re.compile(r"(?:cannot access |ls: )'?(/.*?)'?: No such file or directory")
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder. ``members`` are those who share its group, where that may write; ``acl`` where it has one."""

    path: str
    mode: str
    owner: int
    group: int
    acl: bool = False
    members: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path} is {self.mode}, owner {self.owner}, group {self.group}"

    def allows(self, letter: str, uid: int, groups: frozenset[int]) -> bool:
        """Whether that user may ``r``, ``w`` or ``x`` it, by the modes alone."""
        at = 1 if uid == self.owner else 4 if self.group in groups else 7
        bits = self.mode[at : at + 3]
        return uid == _ROOT or letter in bits or (letter == "x" and ("s" in bits or "t" in bits))

    def is_safe(self, user: str, uid: int, private_group_may_write: bool) -> bool:
        """safe_path in misc.c: the user's or root's, and nobody else may write."""
        if self.owner not in (_ROOT, uid) or self.mode[8] == "w":
            return False
        return self.mode[5] != "w" or (private_group_may_write and set(self.members) == {user})


@dataclass(frozen=True, slots=True)
class Way:
    """The file first, then every folder above it; links are resolved. ``absent`` is what was not found on the way.

    ``whole`` is False where something on the way could not be seen.
    """

    entries: tuple[Entry, ...]
    absent: tuple[str, ...]
    whole: bool

    @classmethod
    def of(cls, section: Section | None) -> Way | None:
        """From the output of ``ls -ldn`` on each; None without one."""
        if section is None:
            return None
        listed = [match for match in map(_LISTED.fullmatch, section.lines) if match]
        shared = {match[1]: _members(match[2]) for match in map(_SHARED.fullmatch, section.lines) if match}
        absent = [match[1] for match in map(_ABSENT.search, section.lines) if match]
        entries = [
            Entry(each[5], each[1], int(each[3]), int(each[4]), each[2] == "+", shared.get(each[4], ()))
            for each in sorted(listed, key=lambda each: len(each[5]), reverse=True)
        ]
        whole = bool(entries) and len(listed) + len(shared) + len(absent) == len(section.lines)
        return cls(tuple(entries), tuple(absent), whole)

    @property
    def file(self) -> Entry | None:
        """The file itself, where it is there."""
        return self.entries[0] if self.entries and not self.absent else None

    def unsafe(self, user: str, uid: int, home: str, private_group_may_write: bool) -> Entry | None:
        """The first entry that StrictModes stumbles over, going up to the home folder, else to the root."""
        for entry in self.entries:
            if not entry.is_safe(user, uid, private_group_may_write):
                return entry
            if entry.path == home and entry is not self.entries[0]:
                return None
        return None

    def barred(self, uid: int, groups: frozenset[int]) -> Entry | None:
        """What keeps the user from opening the file, by the modes alone: sshd opens it as the user (auth.c)."""
        for number, entry in enumerate(self.entries):
            letter = "r" if number == 0 and not self.absent else "x"
            if not entry.allows(letter, uid, groups):
                return entry
        return None


def _members(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, re.split(r"[\s,]+", text))))
