"""One SSH server's host, port and user, out of its URL and its three fields in every place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.names import note_invisible, read_host, read_username
from tunneldoctor.config.references import literal, note_plain_text
from tunneldoctor.config.settings import Draft, Entry, Place
from tunneldoctor.config.ssh_url import SshUrl, parse
from tunneldoctor.config.text import Cleaned, clean
from tunneldoctor.model import Origin, Reference

#: Ports where databases listen by default, and whose: PostgreSQL, MySQL, SQL Server, Oracle, Redis, MongoDB.
DATABASE_PORTS = {
    5432: "PostgreSQL",
    3306: "MySQL",
    1433: "SQL Server",
    1521: "Oracle",
    6379: "Redis",
    27017: "MongoDB",
}
_FIELDS = ("bastion_host", "bastion_port", "bastion_username")


@dataclass(frozen=True, slots=True)
class Server:
    """What was read. ``unreadable`` holds the fields that are there but can't be used, so are not missing."""

    host: str | None = None
    port: int = 22
    username: str | None = None
    password: Reference | None = None
    unreadable: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class _Part:
    """One field's value in one place; ``key`` is where it was written. Without a value it can't be used."""

    value: Any
    key: str
    origin: Origin


def read_server(places: Iterable[Place], hop: str, key: str, draft: Draft) -> Server:
    """Read *hop*'s server out of *places*, nearest first. Problems are noted under the key they are about.

    *key* is the configuration key in which the server's URL stands: ``ssh_url``, ``via``, ``admin`` …
    """
    parts: dict[str, _Part] = {}
    for place in places:
        for name, part in _parts(place, hop, key, draft):
            parts.setdefault(name, part)
    server = _server(parts, hop, draft)
    if key == "ssh_url":
        for name in parts.keys() & set(_FIELDS):
            draft.came_from(name, parts[name].origin)
    if server.port in DATABASE_PORTS and "bastion_port" in parts:
        _note_database_port(server.port, hop, parts["bastion_port"], draft)
    return server


def _server(parts: dict[str, _Part], hop: str, draft: Draft) -> Server:
    host = _host(parts.get("bastion_host"), hop, draft)
    user = _user(parts.get("bastion_username"), hop, draft)
    port = parts.get("bastion_port")
    if port and port.value is None:
        host = None  # to connect to port 22 instead would be a guess
    found = {"bastion_host": host, "bastion_username": user, "bastion_port": port and port.value}
    password = parts.get("password")
    return Server(
        host,
        (port.value if port else None) or 22,
        user,
        password.value if password else None,
        frozenset(name for name, part in parts.items() if found.get(name, part) is None and _given(part)),
    )


def _given(part: _Part) -> bool:
    return part.value is None or bool(str(part.value).strip())


def _host(part: _Part | None, hop: str, draft: Draft) -> str | None:
    if part is None or not part.value:
        return None
    return read_host(part.value, hop, part.key, part.origin, draft, "config.bad-ssh-url")


def _user(part: _Part | None, hop: str, draft: Draft) -> str | None:
    if part is None or not part.value:
        return None
    return read_username(part.value, hop, part.key, part.origin, draft)


def _parts(place: Place, hop: str, key: str, draft: Draft) -> Iterator[tuple[str, _Part]]:
    """What one place says; a URL that can't be read leaves all three fields unreadable, whatever is further off."""
    entry = place.get("ssh_url")
    url = _url(entry, hop, key, draft) if entry and entry.value.strip() else None
    unreadable = entry is not None and bool(entry.value.strip()) and url is None
    for name, said in zip(_FIELDS, _said(url), strict=True):
        own = place.get(name)
        if own and entry and said is not None and not _agree(name, own.value, said):
            _note_conflict(name, hop, key, entry, own, draft)
            yield name, _Part(None, name, own.origin)
        elif own and not (unreadable and not own.value):
            yield name, _Part(own.value, key if key == "via" else name, own.origin)
        elif entry and (said is not None or unreadable):
            yield name, _Part(said, key, entry.origin)
    if entry and url and url.password is not None:
        note_plain_text(draft, hop, key, entry)
        yield "password", _Part(literal(url.password), key, entry.origin)


def _said(url: SshUrl | None) -> tuple[Any, Any, Any]:
    return (url.host, url.port, url.username) if url else (None, None, None)


def _agree(name: str, own: Any, said: Any) -> bool:
    if name == "bastion_host":
        return clean(own).text.strip("[]").lower() == clean(said).text.lower()
    return bool(own == said) if name == "bastion_port" else clean(own).text == clean(said).text


def _url(entry: Entry, hop: str, key: str, draft: Draft) -> SshUrl | None:
    text, around = _without_ends(entry.value)
    note_invisible(around, "URL", hop, key, entry.origin, draft)
    try:
        return parse(text)
    except BadUrl as error:
        params = {"part": error.part, "reason": error.reason, "correction": error.correction}
        draft.problem("config.bad-ssh-url", hop, key, entry.origin, **params)
        return None


def _without_ends(text: str) -> tuple[str, Cleaned]:
    """Take what can't be seen off both ends of a URL; what is inside belongs to one of its parts."""
    first = next((at for at, each in enumerate(text) if clean(each).text), len(text))
    last = next((at for at in range(len(text), first, -1) if clean(text[at - 1]).text), first)
    ends = clean(text[:first] + "x" * (last - first) + text[last:])
    return text[first:last], Cleaned("ssh://…", ends.found, ends.harmless)


def _note_conflict(name: str, hop: str, key: str, entry: Entry, own: Entry, draft: Draft) -> None:
    draft.problem(
        "config.bad-ssh-url",
        hop,
        key,
        entry.origin,
        part=name.removeprefix("bastion_"),
        reason=f"{key} and {name} ({own.origin}) do not agree",
        correction="keep one of them, or write the same in both",
    )


def _note_database_port(port: int, hop: str, part: _Part, draft: Draft) -> None:
    params = {"port": str(port), "service": DATABASE_PORTS[port]}
    draft.problem("config.database-port-on-bastion", hop, part.key, part.origin, **params)
