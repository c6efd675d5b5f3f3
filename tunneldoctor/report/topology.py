"""A report for somebody outside: hosts, addresses, users, paths and names of databases become aliases.

What helps stays: the same name has the same alias everywhere, private addresses stay private, those of a subnet stay
together, ports, versions, codes and settings stay as they are. Names are learned first, from the fields that hold
them and from what servers say in quotes; then every text is read word by word. A name that is an ordinary word too
(a user ``tunnel``) is replaced where it plainly is a name, and stays in running text, which it would make unreadable.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import unquote

from tunneldoctor.model import Event, Hop, Report, RunFinished, RunStarted
from tunneldoctor.report.aliases import ADDRESS, DATABASE, HOST, KEY, NAME, NOTES, TUNNEL, USER, Aliases, parsed
from tunneldoctor.report.every_text import rewritten, texts
from tunneldoctor.report.topology_words import (
    CLOUD_ID,
    LOOKS_LIKE_AN_ALIAS,
    ORDINARY,
    PARAMETERS,
    PATH_PARTS,
    PREFIX,
    STANDS_FOR_A_NAME,
    TOKENS,
    V4,
    in_path,
    is_host_name,
    listed,
    plainly,
    told,
)

T = TypeVar("T")
LEVEL = "topology"
_PARTS = re.compile(r"[^\W_]+")
#: Shorter names are not looked for within longer words.
_SHORTEST_PART = 3


class Topology:
    """Replaces names in reports, events and texts by those of *aliases*, which grow.

    *codes* are words with dots that name no host: the codes that have a page.
    """

    def __init__(self, aliases: Aliases, codes: Iterable[str] = ()) -> None:
        self._aliases = aliases
        self._kinds: dict[str, str] = {}
        self._ours = set(codes)
        self.replaced: Counter[str] = Counter()

    def learn(self, reports: Iterable[Report]) -> None:
        """The names that *reports* hold; before anything is replaced, so that none is seen too late."""
        for report in reports:
            self._learn_fields(report)
            for text in texts(report):
                self.learn_text(text)

    def report(self, report: Report) -> Report:
        """*report* with aliases, its level, and what was replaced, counted; a company's notes are not for others."""
        before = Counter(self.replaced)
        clean = self._value(self._without_notes(report))
        removed = Counter(report.redacted.removed) + (self.replaced - before)
        return replace(clean, redacted=replace(clean.redacted, level=LEVEL, removed=dict(removed)))

    def event(self, event: Event) -> Event:
        """The same for an event."""
        if isinstance(event, RunFinished):
            return replace(event, report=self.report(event.report))
        if isinstance(event, RunStarted):
            return replace(self._value(event), tunnel=self.text(event.tunnel))
        return self._value(self._without_notes(event))

    def text(self, text: str) -> str:
        """*text* with aliases."""
        whole = self._whole(text)
        return whole if whole is not None else TOKENS.sub(self._token, text)

    def learn_event(self, event: Event) -> None:
        """The names in an event."""
        for text in texts(event):
            self.learn_text(text)

    def _value(self, value: T) -> T:
        return rewritten(value, lambda text, ours: text if ours else self.text(text))

    def _without_notes(self, value: T) -> T:
        notes = {id(text) for text in _notes_in(value)}
        if notes:
            self.replaced[NOTES] += len(notes)
        return rewritten(value, lambda text, ours: "" if id(text) in notes else text)

    def _learn_fields(self, report: Report) -> None:
        tunnel = report.tunnel
        self._ours |= {each.id for each in report.checks} | set(report.facts) | set(_codes(report))
        for hop in filter(None, (*tunnel.hops, tunnel.admin, tunnel.run_from)):
            self._learn_hop(hop)
        database = tunnel.database
        self._learn(HOST, tunnel.remote.host if tunnel.remote else None)
        self._learn(HOST, database.host if database else None)
        self._learn(USER, database.user if database else None)
        self._learn(DATABASE, database.name if database else None)
        self._learn(TUNNEL, tunnel.name)
        self._learn(HOST, report.vantage.host)
        for check in report.checks:
            for finding in check.findings:
                for name, value in finding.params.items():
                    self._learn(PARAMETERS.get(name), value if isinstance(value, str) else None)

    def _learn_hop(self, hop: Hop) -> None:
        self._learn(HOST, hop.host)
        self._learn(HOST, hop.host_key_alias)
        self._learn(USER, hop.username)

    def _learn(self, kind: str | None, text: str | None) -> None:
        if kind and text and not text.isdigit() and not _is_address(text) and not self._left(text):
            self._kinds.setdefault(text.lower() if kind == HOST else text, kind)

    def learn_text(self, text: str) -> None:
        """The names in a text: addresses, and what stands where servers and programs write names."""
        for match in TOKENS.finditer(text):
            word = match["word"]
            if word is None:
                if match["v6"] and _is_address(address := _address(match)):
                    self._aliases.meet(address)
            elif _is_v4(word):
                self._aliases.meet(word)
            elif not STANDS_FOR_A_NAME.fullmatch(word) and (kind := told(text, *match.span())):
                self._learn(kind, word if not is_host_name(word) else None)
        for word in listed(text):
            self._learn(USER, word)

    def _left(self, word: str) -> bool:
        return word.lower() in ("localhost", "here") or word in self._ours

    def _whole(self, text: str) -> str | None:
        """The alias of a text that is a name and nothing else, and has nothing that would keep it from being found."""
        kind = self._kind(text)
        if kind is None or self._left(text) or not re.fullmatch(r"[\w%+-]+(?:\.[\w%+-]+)*", text):
            return None
        return self._alias(kind, text)

    def _kind(self, word: str) -> str | None:
        return self._kinds.get(word) or (HOST if self._kinds.get(word.lower()) == HOST else None)

    def _token(self, match: re.Match[str]) -> str:
        text, (start, end) = match.string, match.span()
        if match["key"]:
            return self._alias(KEY, match[0])
        if match["v6"]:
            return self._v6(match)
        word = match[0]
        if _is_v4(word):
            return self._address(word, text, end)
        kind = self._kind_of(word, text, start, end)
        return self._alias(kind, word) if kind else word

    def _kind_of(self, word: str, text: str, start: int, end: int) -> str | None:
        """What the word at that place names; None where it is only a word."""
        if word in self._ours or word.startswith("-") or not any(map(str.isalpha, word)):
            return None
        if LOOKS_LIKE_AN_ALIAS.fullmatch(word) or CLOUD_ID.fullmatch(word):
            return NAME
        if kind := self._kind(word):
            ordinary = word.lower() in ORDINARY
            return kind if not ordinary or plainly(text, start, end) else None
        if in_path(text, start, end):
            return self._path_part(word, text, start)
        if is_host_name(word) and text[end : end + 1] != "(":
            return HOST
        if "%" in word and (inner := unquote(word)) != word:
            return self._kind(inner) or (NAME if self._holds_a_name(inner) else None)
        return NAME if self._holds_a_name(word) else None

    def _path_part(self, word: str, text: str, start: int) -> str | None:
        part = f".{word}" if text[start - 1 : start] == "." else word
        if part.lower() in PATH_PARTS or word.lower() in PATH_PARTS or not re.search(r"[^\W\d_]{2}", word):
            return None
        return HOST if is_host_name(word) else NAME

    def _holds_a_name(self, word: str) -> bool:
        """A name is a part of *word*, as in ``orders-db``; or a host is in it, as in a URL that was encoded."""
        parts = {part for part in _PARTS.findall(word) if len(part) >= _SHORTEST_PART and part.lower() not in ORDINARY}
        return any(self._kind(part) for part in parts) or any(
            is_host_name(each) for each in re.findall(r"[\w-]+(?:\.[\w-]+)+", word) if each != word
        )

    def _alias(self, kind: str, text: str) -> str:
        self.replaced[kind] += 1
        return self._aliases.of(kind, text)

    def _address(self, word: str, text: str, end: int) -> str:
        length = PREFIX.match(text, end)
        alias = self._aliases.of_address(word, int(length[1]) if length and int(length[1]) <= 32 else None)
        self.replaced[ADDRESS] += alias is not None
        return word if alias is None else alias

    def _v6(self, match: re.Match[str]) -> str:
        address = _address(match)
        if not _is_address(address):
            return _WORDS.sub(self._token, match[0])
        alias = self._aliases.of_address(address)
        self.replaced[ADDRESS] += alias is not None
        return match[0] if alias is None else f"{alias}{match['zone'] or ''}"


def unredacted(text: str, aliases: Aliases) -> tuple[str, int]:
    """*text* with what its aliases stand for, and how many there were."""
    found = 0

    def original(match: re.Match[str]) -> str:
        nonlocal found
        word = match[0]
        if match["v6"]:
            address = _address(match)
            known = aliases.original_address(address)
            known = f"{known}{match['zone'] or ''}" if known else _WORDS.sub(original, word)
        elif _is_v4(word):
            length = PREFIX.match(match.string, match.end())
            known = aliases.original_address(word, int(length[1]) if length else None) or aliases.original_address(word)
        else:
            known = aliases.original(word)
        found += known is not None and known != word
        return known or word

    return TOKENS.sub(original, text), found


_WORDS = re.compile(TOKENS.pattern.replace("(?P<v6>", "(?P<v6>(?!)"))


def _address(match: re.Match[str]) -> str:
    return match["v6"].removesuffix(match["zone"] or "")


def _is_address(text: str) -> bool:
    try:
        parsed(text)
    except ValueError:
        return False
    return True


def _is_v4(word: str) -> bool:
    return V4.fullmatch(word) is not None and _is_address(word)


def _codes(report: Report) -> Iterable[str]:
    for check in report.checks:
        if check.blocked_by and check.blocked_by.code:
            yield check.blocked_by.code
        for finding in check.findings:
            yield from filter(None, (finding.code, finding.symptom, *finding.causes))
            yield from (each.code for each in finding.ruled_out)


def _notes_in(value: object) -> Iterable[str]:
    """Notes of findings, wherever they are in *value*."""
    for part in (value, getattr(value, "result", None)):
        told = [getattr(part, "diagnosis", None)]
        for check in (*getattr(part, "checks", ()), part):
            told += getattr(check, "findings", ())
        yield from (each.notes for each in told if each is not None and each.notes)
