"""The names that stand for others: one alias a name, whoever asks, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import unquote

from tunneldoctor.report.alias_addresses import AliasesFull, Numbers, alias_address, meet, spellings

#: Kinds of names, as they are counted and as their aliases begin.
HOST, USER, DATABASE, TUNNEL, NAME, KEY = "host", "user", "database", "tunnel", "name", "key"
KINDS = (HOST, USER, DATABASE, TUNNEL, NAME, KEY)
#: What counts an address, and a company's notes, which are left out.
ADDRESS, NOTES = "address", "notes"
#: All that is counted as replaced, in the order in which it is told; other kinds are of secrets.
REPLACED = (HOST, ADDRESS, USER, DATABASE, TUNNEL, NAME, KEY, NOTES)
_SCHEMA = "tunneldoctor.aliases/1"
#: Names that a map holds: what a thousand tickets have.
MOST = 20_000


class Aliases:
    """A map that grows. ``host-1.example`` in other cases stands for the same host as it was written there."""

    def __init__(self) -> None:
        self._aliases: dict[str, str] = {}
        self._originals: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self._numbered: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._numbers = Numbers(self._numbered)

    def __len__(self) -> int:
        return len(self._aliases)

    def known(self, text: str) -> str | None:
        """The alias of *text*, where it has one."""
        return self._aliases.get(text)

    def original(self, alias: str) -> str | None:
        """What *alias* stands for, where it is one; in a case that was never written, the host or name itself."""
        return self._originals.get(alias) or self._originals.get(alias.lower())

    def of(self, kind: str, text: str) -> str:
        """The alias of a name of *kind*. Raises :class:`AliasesFull`."""
        if text not in self._aliases:
            meant = unquote(text)
            meant = f"{HOST} {meant.lower()}" if kind == HOST else meant
            root = self._roots.get(meant) or self._roots.setdefault(meant, self._next(kind, text))
            self._keep(text, next(each for each in _cases(root) if each not in self._originals))
        return self._aliases[text]

    def of_address(self, text: str, prefix: int | None = None) -> str | None:
        """The alias of an address, or of a network's where *prefix* follows it; None where it may stay.

        Raises :class:`AliasesFull`.
        """
        key = text if prefix is None else f"{text}/{prefix}"
        if key not in self._aliases:
            root = alias_address(parsed(text), prefix, self._numbers)
            if root is None:
                return None
            slash = key[len(text) :]
            self._keep(key, next(one + slash for one in spellings(root) if one + slash not in self._originals))
        return self._aliases[key].partition("/")[0]

    def original_address(self, text: str, prefix: int | None = None) -> str | None:
        """The way back."""
        key = text if prefix is None else f"{text}/{prefix}"
        found = self._originals.get(key)
        return found.partition("/")[0] if found else None

    def meet(self, text: str) -> None:
        """An address that is going to be redacted: no other's alias should look like it."""
        meet(parsed(text), self._numbers)

    def document(self) -> dict[str, Any]:
        """All of it, for :meth:`read`."""
        return {"schema": _SCHEMA, "aliases": self._aliases, "roots": self._roots, "numbers": self._numbered,
                "counts": self._counts}  # fmt: skip

    @classmethod
    def read(cls, document: object) -> Aliases:
        """The map that *document* is. Raises ValueError."""
        if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
            raise ValueError(f"it is no {_SCHEMA}")
        new = cls()
        new._aliases = _texts(document.get("aliases"))
        new._originals = {alias: text for text, alias in new._aliases.items()}
        new._roots, new._numbered = _texts(document.get("roots")), _texts(document.get("numbers"))
        counts = document.get("counts")
        if not isinstance(counts, dict) or not all(isinstance(each, int) for each in counts.values()):
            raise ValueError("its counts are not numbers")
        new._counts = dict(counts)
        new._numbers = Numbers(new._numbered)
        return new

    def _next(self, kind: str, text: str) -> str:
        self._counts[kind] = number = self._counts.get(kind, 0) + 1
        return f"{kind}-{number}.example" if kind == HOST and "." in text else f"{kind}-{number}"

    def _keep(self, text: str, alias: str) -> None:
        if len(self._aliases) >= MOST:
            raise AliasesFull
        self._aliases[text] = alias
        self._originals[alias] = text


def parsed(text: str) -> IPv4Address | IPv6Address:
    """The address that *text* is, also with zeros in front. Raises ValueError."""
    if ":" not in text:
        return IPv4Address(".".join(str(int(each)) for each in text.split(".")))
    head, _, tail = text.rpartition(":")
    return ip_address(f"{head}:{parsed(tail)}" if "." in tail else text)


def _cases(root: str) -> Iterator[str]:
    """*root*, then the same with some of its letters in capitals."""
    letters = [index for index, letter in enumerate(root) if letter.isalpha()]
    for mask in range(1 << len(letters)):
        capitals = {index for bit, index in enumerate(letters) if mask >> bit & 1}
        yield "".join(letter.upper() if index in capitals else letter for index, letter in enumerate(root))
    raise AliasesFull


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for pair in value.items() for each in pair):
        raise ValueError("its names are not texts")
    return dict(value)
